import type { FailureKind, Phase } from '../core/index.ts';

/** What to do about one kind of failure. */
export interface Advice {
  /** Why such things happen. */
  readonly why: string;
  /** The experiment that would tell more. */
  readonly more: string;
  /** What to try next; `nextStep` makes the command of it. */
  readonly next: NextStep;
}

export type NextStep =
  /** Run it again, with patience: `reknit run`, `reknit get`. */
  | 'repeat'
  /** Find the cause first: `reknit diagnose`. */
  | 'diagnose'
  /** Trust the certificate's issuer. */
  | 'trust'
  /** Give the proxy its login. */
  | 'proxy-login'
  /** Look at the certificate and the clock. */
  | 'certificate'
  /** Make room on the disk. */
  | 'space'
  /** Allow more open files, or open fewer. */
  | 'files'
  /** Look at who may write here. */
  | 'permission'
  /** Look the name up by hand. */
  | 'lookup'
  /** Change the request. */
  | 'request'
  /** Refetch what caches between may hold damaged. */
  | 'refetch';

const cut: Advice = {
  why: 'A server that crashes, restarts or is overloaded; a firewall or proxy that limits connections by size, by time or by number; a connection that was kept open for longer than the server keeps it.',
  more: '`reknit diagnose` asks again on fresh and on kept connections, for small and large bodies, and tells whether the cut comes at one byte (a size limit), at one second (a time limit), or at random (overload, a lossy way).',
  next: 'repeat',
};

const tooSlow: Advice = {
  why: 'A server that is overloaded or works long; a firewall that forgot the connection and drops its packets; a way that loses them.',
  more: '`reknit diagnose` measures each phase, and whether it helps to ask less at once or on a fresh connection. Connecting in steps of 1, 3 and 7 s shows lost SYNs or a full queue.',
  next: 'repeat',
};

const noConnection: Advice = {
  why: 'The server is down or restarting, listens on another port or address, or a firewall refuses.',
  more: '`reknit diagnose` tries every address and family, beside other ports and through the proxy, and tells refusing from dropping.',
  next: 'repeat',
};

const lookup: Advice = {
  why: 'A typing error, a VPN or container whose resolver is not up, or a resolver that fails now and then.',
  more: '`reknit diagnose` asks every resolver for both address families, several times, and compares.',
  next: 'repeat',
};

const certificate: Advice = {
  why: 'A company’s firewall that opens TLS, a private authority, a chain without its middle, or a server that is not the one it should be.',
  more: '`reknit diagnose` shows the chain and its issuer, and whether it is the same from elsewhere.',
  next: 'trust',
};

const damaged: Advice = {
  why: 'A broken middlebox, bad memory, or a proxy that puts text into the stream. Damage at the same byte every time is the file itself.',
  more: '`reknit diagnose` reads the same bytes twice and over TLS and HTTP/2, where they differ, and says where.',
  next: 'repeat',
};

const handshake: Advice = {
  why: 'A firewall that does not like the server name or the client’s hello, a server that restarts, or one that is overloaded.',
  more: '`reknit diagnose` shakes hands with each TLS version and with and without HTTP/2, and compares.',
  next: 'repeat',
};

const noAgreement: Advice = {
  why: 'The two sides support different versions, ciphers or names, or this port does not speak TLS.',
  more: '`reknit diagnose` shakes hands with each TLS version and looks at what the port speaks in plain text.',
  next: 'diagnose',
};

const throttled: Advice = {
  why: 'A limit per address, login or connection; many machines behind one address share it.',
  more: '`reknit diagnose` finds the rate and the number of connections at which it begins, and reads the headers that name the limit.',
  next: 'repeat',
};

const own: Advice = {
  why: 'The program set this limit itself, or its user stopped it.',
  more: 'Raise the limit once: if the request ends then, the server is slow; if it never does, `reknit diagnose` tells where it hangs.',
  next: 'diagnose',
};

const integrity: Advice = {
  why: 'A mirror in the middle of an update, a cache that holds an old or cut file, a firewall that changed it, or a file that was replaced.',
  more: 'Download it past all caches and compare the digest: the same wrong one twice means that the origin has another file.',
  next: 'refetch',
};

const request: Advice = {
  why: 'The request itself: its address, its login, its headers or its size.',
  more: '`reknit diagnose` changes one part of the request at a time and tells which one the server minds.',
  next: 'request',
};

/** Every kind of failure that core knows; a new kind does not compile without its advice. */
export const adviceOf: Readonly<Record<FailureKind, Advice>> = {
  'name-not-found': { ...lookup, next: 'lookup' },
  'name-lookup-failed': lookup,
  refused: noConnection,
  unreachable: noConnection,
  reset: cut,
  closed: cut,
  truncated: cut,
  'timed-out': tooSlow,
  'connect-timeout': tooSlow,
  'headers-timeout': tooSlow,
  stall: tooSlow,
  trickle: tooSlow,
  'tls-handshake': handshake,
  'tls-alert': noAgreement,
  'tls-record': damaged,
  'tls-protocol': noAgreement,
  certificate,
  'proxy-auth': { ...request, why: 'The proxy knows its users, and none was named.', next: 'proxy-login' },
  'proxy-refused': {
    why: 'The proxy’s rules forbid this server or port; some proxies answer so, too, when a client has too many connections.',
    more: '`reknit diagnose --proxy` tries one connection at a time, then more: if one works, it is a limit by number.',
    next: 'diagnose',
  },
  'proxy-throttled': throttled,
  'proxy-unavailable': {
    ...noConnection,
    why: 'The proxy could not reach the server: it is down, or the proxy is cut off from it.',
  },
  'bad-http': { ...damaged, next: 'diagnose' },
  'bad-chunking': damaged,
  decoding: damaged,
  'headers-too-large': {
    ...request,
    why: 'The server sends more headers than the client takes: large cookies mostly.',
  },
  'too-long': { ...request, why: 'The body is longer than the program allows.' },
  'h2-refused': throttled,
  'h2-calm': throttled,
  'h2-goaway': { ...cut, why: 'The server restarts, or ends each connection after a number of requests.' },
  'h2-stream-error': {
    ...cut,
    why: 'A proxy in front of the server lost it, ran into a time limit, or limits streams; HTTP/1.1 sometimes passes where HTTP/2 does not.',
    more: '`reknit diagnose` compares HTTP/1.1 with HTTP/2: where only one of them breaks, it is the proxy that ends it.',
  },
  'h2-needs-http1': { ...request, why: 'The server asks for a login that works over HTTP/1.1 only.' },
  status: {
    why: 'The server is overloaded, restarting, or lost the one behind it; a proxy says so for it.',
    more: '`reknit diagnose` repeats it politely and tells whether it comes in bursts (restarts), with load, or always (the request).',
    next: 'repeat',
  },
  throttled,
  suspicious: integrity,
  'bad-resume': integrity,
  'content-changed': integrity,
  'digest-mismatch': integrity,
  'too-many-files': {
    why: 'Too many connections or files at once, or some that are never closed.',
    more: '`ls /proc/PID/fd | wc -l` counts those of a process; a number that only grows is a leak.',
    next: 'files',
  },
  local: {
    why: 'This machine: disk, quota, memory, permissions.',
    more: '`df -h` and `df -i` tell about disks.',
    next: 'space',
  },
  consumer: { why: 'The program that reads the body failed.', more: 'Its own error says more.', next: 'request' },
  'invalid-request': request,
  'redirect-loop': {
    ...request,
    why: 'Cookies or a login that are missing, or http and https that point at each other.',
  },
  aborted: own,
  unknown: { why: 'Not known.', more: '`reknit diagnose` finds out by experiments.', next: 'diagnose' },
};

export const phaseText: Readonly<Record<Phase, string>> = {
  resolve: 'name lookup; nothing was sent',
  connect: 'connecting; nothing was sent',
  tls: 'TLS handshake; no request was sent',
  send: 'sending the request',
  wait: 'waiting for the answer; the request was on its way',
  body: 'reading the body; the answer had begun',
};
