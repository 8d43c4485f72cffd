/** Cases that the lab plays. */
import { type Case, KiB, labCase, MiB, some } from './scenario.ts';

const large = { sizeBytes: 8 * MiB };
const anywhere = { min: 128 * KiB, max: 3 * MiB };

const healthy: readonly Case[] = [
  labCase({
    name: 'healthy',
    expect: ['nothing-wrong'],
    what: '8 MiB, a strong ETag, ranges',
    isQuick: true,
    scenario: () => ({ resource: large }),
  }),
  labCase({
    name: 'healthy-small',
    expect: ['nothing-wrong'],
    what: '1 KB',
    scenario: () => ({ resource: { sizeBytes: 1_000 } }),
  }),
  labCase({
    name: 'healthy-slow-headers',
    expect: ['nothing-wrong'],
    what: 'every answer takes 300 ms to begin',
    isQuick: true,
    scenario: () => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [{ on: 'every', do: { kind: 'delay', delayMs: 300 } }],
    }),
  }),
  labCase({
    name: 'healthy-slow-second',
    expect: ['nothing-wrong'],
    what: 'every answer takes a second to begin',
    scenario: () => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [{ on: 'every', do: { kind: 'delay', delayMs: 1_000 } }],
    }),
  }),
  labCase({
    name: 'healthy-slow-body',
    expect: ['nothing-wrong'],
    what: '64 KiB at 200 KB/s',
    scenario: () => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [{ on: 'every', do: { kind: 'trickle', chunkBytes: 4_000, everyMs: 20 } }],
    }),
  }),
  labCase({
    name: 'healthy-chunked',
    expect: ['nothing-wrong'],
    what: 'chunked, without validator or ranges',
    scenario: () => ({ resource: { ...large, framing: 'chunked', validator: 'none', ranges: 'refused' } }),
  }),
  labCase({
    name: 'healthy-close-delimited',
    expect: ['nothing-wrong'],
    what: 'a body that ends with its connection',
    scenario: () => ({ resource: { sizeBytes: MiB, framing: 'close', validator: 'none' } }),
  }),
  labCase({
    name: 'healthy-close-without-ranges',
    expect: ['nothing-wrong'],
    what: 'a body that ends with its connection, from a server without ranges',
    isQuick: true,
    scenario: () => ({ resource: { sizeBytes: MiB, framing: 'close', validator: 'none', ranges: 'refused' } }),
  }),
  labCase({
    name: 'healthy-gzip',
    expect: ['nothing-wrong'],
    what: 'compressed for who accepts it',
    scenario: () => ({ resource: { sizeBytes: MiB, encoding: 'gzip' } }),
  }),
  labCase({
    name: 'healthy-tls',
    expect: ['nothing-wrong'],
    what: 'https, HTTP/1.1 alone',
    lab: { tls: true },
    scenario: () => ({ resource: large }),
  }),
  labCase({
    name: 'healthy-http2',
    expect: ['nothing-wrong'],
    what: 'https, HTTP/2 beside HTTP/1.1',
    isQuick: true,
    lab: { tls: true, http2: true },
    scenario: () => ({ resource: large }),
  }),
  labCase({
    name: 'healthy-redirect',
    expect: ['nothing-wrong'],
    what: 'redirected to another file',
    scenario: () => ({
      resource: large,
      requests: [{ on: 1, do: { kind: 'redirect', status: 302, to: 'other.bin' } }],
    }),
  }),
  labCase({
    name: 'healthy-proxy',
    expect: ['nothing-wrong'],
    what: 'by way of a proxy',
    isProxied: true,
    scenario: () => ({ resource: large, proxy: {} }),
  }),
];

const server: readonly Case[] = [
  labCase({
    name: 'refused',
    expect: ['server-down'],
    what: 'nothing listens',
    isQuick: true,
    scenario: () => ({ refuses: { untilOpen: 'never' } }),
  }),
  labCase({
    name: 'overloaded-503',
    expect: ['server-overloaded'],
    what: 'two of five requests are answered 503',
    scenario: (seed) => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [{ on: some(seed, 0.4), do: { kind: 'status', status: 503 } }],
    }),
  }),
  labCase({
    name: 'overloaded-mixed',
    expect: ['server-overloaded'],
    what: 'a third fails by 503, another part by 500 or a reset',
    scenario: (seed) => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [
        { on: some(seed, 0.3), do: { kind: 'status', status: 503 } },
        { on: some(seed + 1, 0.12), do: { kind: 'status', status: 500 } },
        { on: some(seed + 2, 0.12), do: { kind: 'cut', by: 'rst', at: 'request' } },
      ],
    }),
  }),
  labCase({
    name: 'queue-full',
    expect: ['accept-queue-full'],
    what: 'the queue of connections is full for 5.5 s',
    scenario: () => ({ resource: large, overflows: { forMs: 5_500 } }),
  }),
  labCase({
    name: 'always-500',
    expect: ['server-fails'],
    what: 'every answer is 500',
    isQuick: true,
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'status', status: 500 } }] }),
  }),
  labCase({
    name: 'always-502',
    expect: ['server-fails'],
    what: 'every answer is 502',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'status', status: 502 } }] }),
  }),
  labCase({
    name: 'always-503',
    expect: ['server-fails', 'server-overloaded'],
    what: 'every answer is 503, without Retry-After',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] }),
  }),
  labCase({
    name: 'reset-after-request',
    expect: ['drops-requests'],
    what: 'every request is answered by a reset',
    isQuick: true,
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'request' } }] }),
  }),
  labCase({
    name: 'empty-reply',
    expect: ['drops-requests'],
    what: 'every request is answered by FIN',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'request' } }] }),
  }),
  labCase({
    name: 'cut-in-headers',
    expect: ['drops-requests'],
    what: 'every answer ends in its headers',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'headers' } }] }),
  }),
  labCase({
    name: 'silent',
    expect: ['server-silent'],
    what: 'no request is ever answered',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'stall', at: 'request' } }] }),
  }),
  labCase({
    name: 'not-http',
    expect: ['not-http'],
    what: 'the answers are not HTTP',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'not-http' } }] }),
  }),
];

const request: readonly Case[] = [
  labCase({
    name: 'not-found',
    expect: ['request-refused'],
    what: '404',
    isQuick: true,
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'status', status: 404 } }] }),
  }),
  labCase({
    name: 'unauthorized',
    expect: ['request-refused'],
    what: '401',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'status', status: 401 } }] }),
    options: () => ({ headers: { Authorization: 'Bearer wrong' } }),
  }),
  labCase({
    name: 'redirect-loop',
    expect: ['request-refused'],
    what: 'every answer redirects to itself',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'redirect', status: 302, to: 'self' } }] }),
  }),
];

const limits: readonly Case[] = [
  labCase({
    name: '429-above-two',
    expect: ['connection-limit'],
    what: 'the third request at once is answered 429',
    isQuick: true,
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', where: { concurrentAbove: 2 }, do: { kind: 'status', status: 429 } }],
    }),
  }),
  labCase({
    name: '503-above-two',
    expect: ['connection-limit'],
    what: 'the third request at once is answered 503',
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', where: { concurrentAbove: 2 }, do: { kind: 'status', status: 503 } }],
    }),
  }),
  labCase({
    name: '503-above-four',
    expect: ['connection-limit'],
    what: 'the fifth request at once is answered 503',
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', where: { concurrentAbove: 4 }, do: { kind: 'status', status: 503 } }],
    }),
  }),
  labCase({
    name: 'reset-above-two',
    expect: ['connection-limit'],
    what: 'the third connection at once is reset',
    scenario: () => ({
      resource: large,
      connections: [{ on: 'every', concurrentAbove: 2, do: { kind: 'cut', by: 'rst' } }],
    }),
  }),
  labCase({
    name: '429-after-five',
    expect: ['rate-limit'],
    what: '429 with Retry-After from the sixth request on',
    isQuick: true,
    scenario: () => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [{ on: { from: 6 }, do: { kind: 'status', status: 429, retryAfter: '30' } }],
    }),
  }),
  labCase({
    name: 'always-429',
    expect: ['rate-limit'],
    what: 'every answer is 429 with Retry-After',
    scenario: () => ({ requests: [{ on: 'every', do: { kind: 'status', status: 429, retryAfter: '60' } }] }),
  }),
  labCase({
    name: 'size-reset',
    expect: ['size-limit'],
    what: 'every connection is reset after 1 MiB',
    isQuick: true,
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atByte: MiB } }],
    }),
  }),
  labCase({
    name: 'size-fin',
    expect: ['size-limit'],
    what: 'every connection ends by FIN after 2 MiB; no ranges',
    scenario: () => ({
      resource: { ...large, ranges: 'refused' },
      requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atByte: 2 * MiB } }],
    }),
  }),
  labCase({
    name: 'stall-anywhere',
    expect: ['stalls'],
    what: 'every body goes silent somewhere',
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', do: { kind: 'stall', at: 'body', atRandomByte: anywhere } }],
    }),
  }),
  labCase({
    name: 'stall-at-one-byte',
    expect: ['stalls'],
    what: 'every body goes silent after 256 KiB',
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', do: { kind: 'stall', at: 'body', atByte: 256 * KiB } }],
    }),
  }),
  labCase({
    name: 'random-resets',
    expect: ['random-cuts'],
    what: 'every body is reset somewhere',
    isQuick: true,
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: anywhere } }],
    }),
  }),
  labCase({
    name: 'random-ends',
    expect: ['random-cuts'],
    what: 'every body ends somewhere by FIN',
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atRandomByte: anywhere } }],
    }),
  }),
  labCase({
    name: 'unframed-ends',
    expect: ['random-cuts'],
    what: 'bodies without a length end somewhere by FIN; ranges tell what follows',
    isQuick: true,
    scenario: () => ({
      resource: { ...large, framing: 'close', validator: 'none' },
      requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atRandomByte: anywhere } }],
    }),
  }),
  labCase({
    name: 'unframed-ends-without-ranges',
    expect: ['random-cuts'],
    what: 'bodies without a length end somewhere by FIN, from a server without ranges: only other bodies tell',
    isQuick: true,
    scenario: () => ({
      resource: { ...large, framing: 'close', validator: 'none', ranges: 'refused' },
      requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atRandomByte: anywhere } }],
    }),
  }),
  labCase({
    name: 'passed-cut',
    expect: ['passed'],
    what: 'one body is cut, and none behind it',
    isQuick: true,
    scenario: () => ({
      resource: large,
      requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: anywhere } }],
    }),
  }),
  labCase({
    name: 'passed-500',
    expect: ['passed'],
    what: 'one answer is 500, and none behind it',
    scenario: () => ({ resource: large, requests: [{ on: 1, do: { kind: 'status', status: 500 } }] }),
  }),
  labCase({
    name: 'random-some',
    expect: ['random-cuts'],
    what: 'three of five bodies are reset somewhere',
    scenario: (seed) => ({
      resource: large,
      requests: [{ on: some(seed, 0.6), do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: anywhere } }],
    }),
  }),
  labCase({
    name: 'broken-place',
    expect: ['damaged-content'],
    what: 'whoever reads over byte 3,000,000 of the file is cut there',
    scenario: () => ({
      resource: large,
      requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atOffset: 3_000_000 } }],
    }),
  }),
  labCase({
    name: 'gzip-damaged',
    expect: ['damaged-content'],
    what: 'a byte of the compressed body is flipped',
    scenario: () => ({
      resource: { sizeBytes: MiB, encoding: 'gzip' },
      requests: [{ on: 'every', do: { kind: 'gzip-damage', how: 'flipped' } }],
    }),
  }),
  labCase({
    name: 'bad-chunk',
    expect: ['damaged-content'],
    what: 'a chunk size is not a number, at one place',
    scenario: () => ({
      resource: { ...large, framing: 'chunked' },
      requests: [{ on: 'every', do: { kind: 'bad-chunk', atOffset: 500_000 } }],
    }),
  }),
  labCase({
    name: 'empty-200',
    expect: ['content-replaced'],
    what: 'every answer is a 200 with nothing in it',
    isQuick: true,
    scenario: () => ({ resource: large, requests: [{ on: 'every', do: { kind: 'empty-200' } }] }),
  }),
  labCase({
    name: 'captive-portal',
    expect: ['content-replaced'],
    what: 'every answer is a portal’s page',
    scenario: () => ({ resource: large, requests: [{ on: 'every', do: { kind: 'captive-portal' } }] }),
  }),
];

const connections: readonly Case[] = [
  labCase({
    name: 'reset-on-accept',
    expect: ['drops-connections'],
    what: 'connections are reset on accept',
    isQuick: true,
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'cut', by: 'rst' } }] }),
  }),
  labCase({
    name: 'fin-on-accept',
    expect: ['drops-connections'],
    what: 'connections are ended on accept',
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'cut', by: 'fin' } }] }),
  }),
  labCase({
    name: 'reused-reset',
    expect: ['keep-alive-race'],
    what: 'the second request on a connection is answered by a reset',
    isQuick: true,
    scenario: () => ({
      resource: large,
      requests: [
        { on: 'every', where: { requestOnConnection: { from: 2 } }, do: { kind: 'cut', by: 'rst', at: 'request' } },
      ],
    }),
  }),
  labCase({
    name: 'reused-end',
    expect: ['keep-alive-race'],
    what: 'the second request on a connection is answered by FIN',
    scenario: () => ({
      resource: large,
      requests: [
        { on: 'every', where: { requestOnConnection: { from: 2 } }, do: { kind: 'cut', by: 'fin', at: 'request' } },
      ],
    }),
  }),
  labCase({
    name: 'idle-end',
    expect: ['keep-alive-race'],
    what: 'connections are ended behind their answer, without a word before',
    scenario: () => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [{ on: 'every', do: { kind: 'close-after', by: 'fin', afterMs: 500 } }],
    }),
  }),
  labCase({
    name: 'fetch-alone',
    expect: ['client-fault'],
    what: 'a 100 that nobody asked for: undici refuses it, others pass over it',
    scenario: () => ({
      resource: { sizeBytes: 64 * KiB },
      requests: [{ on: 'every', do: { kind: 'informational', status: 100 } }],
    }),
  }),
];

const secure: readonly Case[] = [
  labCase({
    name: 'tls-alert',
    expect: ['tls-mismatch'],
    what: 'handshake_failure',
    isQuick: true,
    lab: { tls: true },
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'tls-alert', alert: 40 } }] }),
  }),
  labCase({
    name: 'tls-version-alert',
    expect: ['tls-mismatch'],
    what: 'protocol_version',
    lab: { tls: true },
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'tls-alert', alert: 70 } }] }),
  }),
  labCase({
    name: 'plain-on-tls-port',
    expect: ['tls-mismatch'],
    what: 'plain HTTP where https was expected',
    scenario: () => ({ resource: large }),
    url: (url) => url.replace('http:', 'https:'),
  }),
  labCase({
    name: 'tls-cut',
    expect: ['tls-cut'],
    what: 'the ClientHello is answered by a reset',
    lab: { tls: true },
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'tls-cut', by: 'rst' } }] }),
  }),
  labCase({
    name: 'private-authority',
    expect: ['tls-untrusted'],
    what: 'an authority that nobody here knows',
    isQuick: true,
    lab: { tls: true },
    scenario: () => ({ resource: large }),
    options: () => ({ tls: undefined }),
  }),
  labCase({
    name: 'self-signed',
    expect: ['tls-untrusted'],
    what: 'self-signed',
    lab: { tls: true },
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'certificate', which: 'self-signed' } }] }),
  }),
  labCase({
    name: 'expired',
    expect: ['tls-certificate'],
    what: 'expired',
    lab: { tls: true },
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'certificate', which: 'expired' } }] }),
  }),
  labCase({
    name: 'other-host',
    expect: ['tls-certificate'],
    what: 'another host’s certificate',
    lab: { tls: true },
    scenario: () => ({ connections: [{ on: 'every', do: { kind: 'certificate', which: 'other-host' } }] }),
  }),
  labCase({
    name: 'http2-resets',
    expect: ['http2-trouble'],
    what: 'every stream of HTTP/2 is reset; HTTP/1.1 goes well',
    scenario: () => ({
      resource: large,
      protocol: 'h2',
      requests: [{ on: 'every', do: { kind: 'rst-stream', code: 'INTERNAL_ERROR', atByte: 64 * KiB } }],
    }),
  }),
  labCase({
    name: 'http2-refuses',
    expect: ['http2-trouble'],
    what: 'every stream is refused; HTTP/1.1 goes well',
    scenario: () => ({
      resource: large,
      protocol: 'h2',
      requests: [{ on: 'every', do: { kind: 'rst-stream', code: 'REFUSED_STREAM', at: 'request' } }],
    }),
  }),
];

const proxies: readonly Case[] = [
  labCase({
    name: 'proxy-limit',
    expect: ['connection-limit'],
    what: 'the third tunnel at once is answered 403, as by squid’s maxconn',
    isProxied: true,
    lab: { tls: true },
    scenario: () => ({ resource: large, proxy: { maxTunnels: 2 } }),
  }),
  labCase({
    name: 'proxy-403',
    expect: ['proxy-refuses'],
    what: 'the proxy answers 403 to CONNECT',
    isQuick: true,
    isProxied: true,
    lab: { tls: true },
    scenario: () => ({ proxy: { rules: [{ on: 'every', do: { kind: 'status', status: 403 } }] } }),
  }),
  labCase({
    name: 'proxy-407',
    expect: ['proxy-refuses'],
    what: 'the proxy wants a login',
    isProxied: true,
    scenario: () => ({ proxy: { credentials: 'somebody:else' } }),
  }),
  labCase({
    name: 'proxy-503',
    expect: ['proxy-fails'],
    what: 'the proxy answers 503 to CONNECT',
    isProxied: true,
    lab: { tls: true },
    scenario: () => ({ proxy: { rules: [{ on: 'every', do: { kind: 'status', status: 503 } }] } }),
  }),
  labCase({
    name: 'proxy-resets',
    expect: ['proxy-fails'],
    what: 'the proxy resets every CONNECT',
    isProxied: true,
    lab: { tls: true },
    scenario: () => ({ proxy: { rules: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'request' } }] } }),
  }),
  labCase({
    name: 'proxy-cuts-tunnel',
    expect: ['proxy-fails', 'size-limit'],
    what: 'the proxy resets every tunnel after 1 MiB',
    isProxied: true,
    lab: { tls: true },
    scenario: () => ({
      resource: large,
      proxy: { rules: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'tunnel', atByte: MiB } }] },
    }),
  }),
];

export const labCases: readonly Case[] = [
  ...healthy,
  ...server,
  ...request,
  ...limits,
  ...connections,
  ...secure,
  ...proxies,
];
