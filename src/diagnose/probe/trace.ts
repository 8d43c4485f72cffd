/** What was seen on the wire, as plain data: judged by `symptomOf`, drawn by the page, printed by nobody as it is. */
import type { Failure } from '../../core/index.ts';

/** One connection, from the lookup of its name to its end; times in ms since the diagnosis began. */
export interface ConnectionTrace {
  /** 1-based, in the order in which they were begun. */
  readonly n: number;
  /** The experiment that it was made for. */
  readonly experiment: string;
  readonly startedMs: number;
  /** The proxy between, without credentials. */
  readonly proxy?: string;
  address?: string;
  port?: number;
  localAddress?: string;
  localPort?: number;
  lookedUpMs?: number;
  connectedMs?: number;
  securedMs?: number;
  tls?: TlsTrace;
  endedMs?: number;
  endedBy?: ConnectionEnd;
  /** Why it could not be made. */
  failure?: Failure;
  readonly requests: RequestTrace[];
}

/** Who ended it: we, the peer in order (FIN) or by force (a reset), or an error on the way. */
export type ConnectionEnd = 'us' | 'fin' | 'reset' | 'error';

/** What the handshake showed. */
export interface TlsTrace {
  readonly version?: string;
  /** `h2`, `http/1.1`; absent where nothing was agreed. */
  readonly alpn?: string;
  readonly subject?: string;
  readonly issuer?: string;
  readonly validFrom?: string;
  readonly validTo?: string;
  /** The chain's names, the server's own first. */
  readonly chain: readonly string[];
  /** Why it is not trusted. */
  readonly distrust?: string;
}

/** One request, or the try to send one. */
export interface RequestTrace {
  /** 1-based over the diagnosis. */
  readonly n: number;
  readonly experiment: string;
  /** What this one changed: `fresh connection`, `without User-Agent`. */
  readonly label: string;
  readonly method: string;
  readonly connectionNumber: number;
  /** 1-based; above 1 the connection had served before. */
  readonly onConnection: number;
  readonly startedMs: number;
  /** Milliseconds since 1970. */
  readonly atWallMs: number;
  httpVersion?: string;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  headersMs?: number;
  endedMs?: number;
  /** Of the body, without framing. */
  bodyBytes: number;
  /** What `Content-Length` promised. */
  totalBytes?: number;
  /** A byte of an answer came. */
  hasAnswerBytes: boolean;
  /** The body ended as its framing says. */
  isComplete: boolean;
  /** We had seen enough. */
  isCutByUs: boolean;
  /** The beginning of the body; never printed but through `readableText`. */
  start: Uint8Array;
  /** The whole body, of one that nothing delimits, to be compared with others. */
  kept?: Buffer;
  failure?: Failure;
  symptom: Symptom;
}

/** What a single request met, in one word; the vocabulary of every experiment that sends one. */
export const symptoms = [
  'ok',
  'slow-connect',
  'name-not-found',
  'lookup-failed',
  'refused',
  'unreachable',
  'connect-timeout',
  'reset-on-connect',
  'tls-cut',
  'tls-alert',
  'tls-timeout',
  'not-tls',
  'untrusted',
  'bad-certificate',
  'proxy-login',
  'proxy-refused',
  'proxy-throttled',
  'proxy-unavailable',
  'proxy-cut',
  'no-answer',
  'silent',
  'cut-in-headers',
  'bad-http',
  'cut-in-body',
  'stalled-in-body',
  'damaged',
  'h2-refused',
  'h2-broken',
  'unauthorized',
  'forbidden',
  'not-found',
  'bad-request',
  'too-large',
  'too-many',
  'unavailable',
  'bad-gateway',
  'server-error',
  'empty',
  'foreign',
  'redirect-loop',
  'local',
] as const;

export type Symptom = (typeof symptoms)[number];

/** Whoever meets one of these has waited for seconds. */
export const slowToFail: ReadonlySet<Symptom> = new Set([
  'silent',
  'stalled-in-body',
  'connect-timeout',
  'tls-timeout',
]);
