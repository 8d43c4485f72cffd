import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderFailures } from '../../scripts/render-failures.mjs';
import { classify, rowOf } from './classify.ts';
import type { Phase } from './failure.ts';
import type { ErrorSample, FailureRow } from './failure-row.ts';
import { failureTable } from './failure-table.ts';

function errorFrom({ message, phase: _phase, name, ...properties }: ErrorSample): Error {
  const error = Object.assign(new Error(message), properties);
  if (name !== undefined) Object.defineProperty(error, 'name', { value: name });
  return error;
}

const observe = (sample: ErrorSample, phase: Phase = sample.phase ?? 'wait') => ({
  phase,
  error: errorFrom(sample),
  unsent: false,
  reusedSocket: false,
  answered: false,
});

const early: readonly (Phase | undefined)[] = ['resolve', 'connect', 'tls'];

describe.each(failureTable.map((row) => [row.id, row] as const))('the row %s', (_id, row) => {
  it('decides about its own sample', () => {
    expect(rowOf(errorFrom(row.sample), row.sample.phase ?? 'wait')?.id).toBe(row.id);
  });

  it('gives its verdict', () => {
    const failure = classify(observe(row.sample));
    const { origin, kind, transient, what } = row.failure;
    expect(failure).toMatchObject({ origin, kind, transient, what });
    if (row.failure.phase !== undefined) expect(failure.phase).toBe(row.failure.phase);
    expect(failure.code).toBe(row.sample.code);
    expect(failure.mayHaveRun).toBe(!(row.failure.unsent === true || early.includes(failure.phase)));
  });

  it('gives the same verdict under two wraps without a code', () => {
    const wrapped = new TypeError('fetch failed', { cause: new Error('layer', { cause: errorFrom(row.sample) }) });
    expect(rowOf(wrapped, row.sample.phase ?? 'wait')?.id).toBe(row.id);
  });

  it('is met by every code that it lists', () => {
    for (const [code, sample] of codesOf(row)) {
      const found = rowOf(errorFrom(sample), sample.phase ?? 'wait');
      expect(found?.failure, code).toEqual(row.failure);
    }
  });

  it('says why and where in whole words', () => {
    expect(row.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(row.why.length).toBeGreaterThan(10);
    expect(row.seen.length).toBeGreaterThan(2);
    expect(row.failure.what).not.toMatch(/[.!]$|[A-Z]{5,}_/);
  });
});

/** The row's sample under each of its codes; a `*` becomes an ending that no other row lists. */
function codesOf(row: FailureRow): [string, ErrorSample][] {
  const { codes, tlsReasons, h2Codes } = row.match;
  const anEnding = (code: string) => code.replace(/\*$/, 'ZZZ');
  const made: [string, ErrorSample][] = [];
  if (codes !== undefined && tlsReasons === undefined && h2Codes === undefined) {
    for (const code of codes) made.push([code, { ...row.sample, code: anEnding(code) }]);
  }
  for (const reason of tlsReasons ?? []) {
    made.push([reason, { message: '', code: `ERR_SSL_${anEnding(reason)}`, phase: row.sample.phase ?? 'wait' }]);
  }
  for (const h2Code of h2Codes ?? []) {
    const code = codes?.find((entry) => entry.startsWith('ERR_HTTP2_S')) ?? 'ERR_HTTP2_STREAM_ERROR';
    if (h2Code === 'REFUSED_STREAM' && row.id !== 'h2-refused') continue;
    made.push([h2Code, { message: `Stream closed with error code NGHTTP2_${h2Code}`, code }]);
  }
  return made;
}

it('ids are unique', () => {
  const ids = failureTable.map((row) => row.id);
  expect(new Set(ids).size).toBe(ids.length);
});

it('no pattern keeps state between matches', () => {
  for (const { match } of failureTable) expect(match.messagePattern?.flags ?? '').not.toMatch(/[gy]/);
});

/** `What Node.js reports`, as measured on Node 20 and 24: what a client sees, and what that is. */
const measured: readonly (readonly [ErrorSample, string])[] = [
  [{ message: 'connect ECONNREFUSED 127.0.0.1:1', code: 'ECONNREFUSED', syscall: 'connect' }, 'tcp refused again'],
  [{ message: 'connect ECONNRESET 127.0.0.1:1', code: 'ECONNRESET', syscall: 'connect' }, 'tcp reset again'],
  [{ message: 'read ECONNRESET', code: 'ECONNRESET', syscall: 'read' }, 'tcp reset again'],
  [{ message: 'socket hang up', code: 'ECONNRESET' }, 'tcp closed again'],
  [{ message: 'aborted', code: 'ECONNRESET', phase: 'body' }, 'tcp closed again'],
  [{ message: 'other side closed', code: 'UND_ERR_SOCKET' }, 'tcp closed again'],
  [
    {
      message: 'Response body length does not match content-length header',
      code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
      phase: 'body',
    },
    'http truncated again',
  ],
  [
    {
      message: 'Content-Length mismatch: expected 9 bytes, received 5 bytes',
      code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
      phase: 'body',
    },
    'http truncated again',
  ],
  [{ message: 'Expected HTTP/', code: 'HPE_INVALID_CONSTANT' }, 'http bad-http again'],
  [
    { message: 'Invalid character in chunk size', code: 'HPE_INVALID_CHUNK_SIZE', phase: 'body' },
    'http bad-chunking again',
  ],
  [{ message: 'unexpected end of file', code: 'Z_BUF_ERROR', phase: 'body' }, 'decoder decoding again'],
  [{ message: 'incorrect header check', code: 'Z_DATA_ERROR', phase: 'body' }, 'decoder decoding again'],
  [{ message: 'Decompression failed', code: 'ERR__ERROR_FORMAT_CL_SPACE', phase: 'body' }, 'decoder decoding again'],
  [
    { message: 'Client network socket disconnected before secure TLS connection was established', code: 'ECONNRESET' },
    'tls tls-handshake again',
  ],
  [
    {
      message:
        'write EPROTO 80:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../deps/x.c:1601:SSL alert number 40',
      code: 'EPROTO',
      syscall: 'write',
      phase: 'tls',
    },
    'tls tls-alert never',
  ],
  [
    {
      message: '80:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:x',
      code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    },
    'tls tls-alert never',
  ],
  [
    {
      message: '80:error:0A000438:SSL routines:ssl3_read_bytes:tlsv1 alert internal error:x',
      code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
    },
    'tls tls-alert again',
  ],
  [{ message: 'tlsv1 unrecognized name', code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME' }, 'tls tls-alert never'],
  [
    {
      message: '80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:x',
      code: 'ERR_SSL_WRONG_VERSION_NUMBER',
    },
    'tls tls-protocol never',
  ],
  [{ message: 'wrong version number', code: 'ERR_SSL_WRONG_VERSION_NUMBER', phase: 'body' }, 'tls tls-record again'],
  [
    {
      message: 'decryption failed or bad record mac',
      code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
      phase: 'body',
    },
    'tls tls-record again',
  ],
  [{ message: 'connect ETIMEDOUT 10.0.0.1:80', code: 'ETIMEDOUT', syscall: 'connect' }, 'tcp timed-out again'],
  [{ message: 'read ETIMEDOUT', code: 'ETIMEDOUT', syscall: 'read', phase: 'send' }, 'tcp timed-out again'],
  [{ message: 'connect EHOSTUNREACH', code: 'EHOSTUNREACH', syscall: 'connect' }, 'tcp unreachable again'],
  [{ message: 'connect ENETUNREACH', code: 'ENETUNREACH', syscall: 'connect' }, 'tcp unreachable again'],
  [{ message: 'connect EACCES', code: 'EACCES', syscall: 'connect' }, 'tcp unreachable never'],
  [{ message: 'connect EINVAL', code: 'EINVAL', syscall: 'connect' }, 'tcp unreachable never'],
  [{ message: 'read ECONNABORTED', code: 'ECONNABORTED', syscall: 'read', phase: 'body' }, 'tcp reset again'],
  [{ message: 'connect EMFILE', code: 'EMFILE', syscall: 'connect' }, 'local too-many-files again'],
  [
    { message: 'getaddrinfo ENOTFOUND x.invalid', code: 'ENOTFOUND', syscall: 'getaddrinfo' },
    'dns name-not-found again',
  ],
  [{ message: 'getaddrinfo EAI_AGAIN x', code: 'EAI_AGAIN', syscall: 'getaddrinfo' }, 'dns name-lookup-failed again'],
  [{ message: 'queryA ENOTFOUND x', code: 'ENOTFOUND', syscall: 'queryA' }, 'dns name-not-found again'],
  [{ message: 'queryA ESERVFAIL x', code: 'ESERVFAIL', syscall: 'queryA' }, 'dns name-lookup-failed again'],
  [{ message: 'queryA EREFUSED x', code: 'EREFUSED', syscall: 'queryA' }, 'dns name-lookup-failed again'],
  [{ message: 'queryA ETIMEOUT x', code: 'ETIMEOUT', syscall: 'queryA' }, 'dns name-lookup-failed again'],
  [
    { message: 'Stream closed with error code NGHTTP2_PROTOCOL_ERROR', code: 'ERR_HTTP2_STREAM_ERROR', phase: 'body' },
    'http h2-stream-error again',
  ],
  [
    { message: 'Stream closed with error code NGHTTP2_INTERNAL_ERROR', code: 'ERR_HTTP2_STREAM_ERROR', phase: 'body' },
    'http h2-stream-error again',
  ],
  [
    { message: 'Stream closed with error code NGHTTP2_REFUSED_STREAM', code: 'ERR_HTTP2_STREAM_ERROR' },
    'http h2-refused again',
  ],
  [{ message: 'HTTP/2: "stream error" received - code 7', code: 'UND_ERR_INFO' }, 'http h2-refused again'],
  [{ message: 'HTTP/2: "stream error" received - code 8', code: 'UND_ERR_INFO' }, 'http h2-stream-error again'],
  [
    { message: 'Stream closed with error code NGHTTP2_ENHANCE_YOUR_CALM', code: 'ERR_HTTP2_STREAM_ERROR' },
    'http h2-calm again',
  ],
  [{ message: 'HTTP/2: "GOAWAY" frame received with code 11', code: 'UND_ERR_SOCKET' }, 'http h2-calm again'],
  [
    { message: 'Stream closed with error code NGHTTP2_HTTP_1_1_REQUIRED', code: 'ERR_HTTP2_STREAM_ERROR' },
    'http h2-needs-http1 again',
  ],
  [{ message: 'HTTP/2: "GOAWAY" frame received with code 0', code: 'UND_ERR_SOCKET' }, 'http h2-goaway again'],
  [{ message: 'HTTP/2: "GOAWAY" frame received with code 0', code: 'UND_ERR_INFO' }, 'http h2-goaway again'],
  [{ message: 'HTTP/2: "GOAWAY" frame received with code 7', code: 'UND_ERR_INFO' }, 'http h2-goaway again'],
  [{ message: 'Protocol error', code: 'ERR_HTTP2_ERROR' }, 'http h2-stream-error again'],
  [
    { message: 'ENOSPC: no space left on device, write', code: 'ENOSPC', syscall: 'write', phase: 'body' },
    'local local never',
  ],
];

it.each(measured)('%o is %s', (sample, verdict) => {
  const { origin, kind, transient } = classify(observe(sample));
  expect(`${origin} ${kind} ${transient ? 'again' : 'never'}`).toBe(verdict);
});

it('only REFUSED_STREAM and streams that never began prove that a request did not run', () => {
  const proofs = failureTable.filter((row) => row.failure.unsent === true).map((row) => row.id);
  expect(proofs).toEqual(['clock-connect', 'h2-refused', 'h2-never-sent']);
});

it('docs/failures.md is what the table says', () => {
  const page = readFileSync(new URL('../../docs/failures.md', import.meta.url), 'utf8');
  expect(page, 'run `npm run docs`').toBe(renderFailures(failureTable));
});
