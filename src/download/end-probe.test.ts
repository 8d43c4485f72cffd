import { describe, expect, test } from 'vitest';
import { judgeProbe, MAX_PROBES, mayProbe, type ProbeAnswer, probeHeaders } from './end-probe.ts';
import type { Pin } from './journal.ts';

const pin: Pin = {
  urlSha256: 'u',
  serverDigest: undefined,
  representation: {
    startByte: 0,
    endByte: undefined,
    totalBytes: undefined,
    validator: undefined,
    etag: 'W/"1"',
    lastModified: undefined,
    contentType: 'application/octet-stream',
    codings: '',
    refusesRanges: false,
    isLive: false,
  },
};
const facts = { integrity: 'unverifiable', hasDigest: false, bytes: 1_000, pin, probeCount: 0 } as const;

test('an end that nothing told is asked about', () => {
  expect(mayProbe(facts)).toBe(true);
  expect(probeHeaders(1_000)).toEqual({ range: 'bytes=1000-' });
});

describe('no question is asked where', () => {
  const { representation } = pin;
  test.each([
    ['a length tells', { integrity: 'length' }],
    ['framing tells', { integrity: 'framing' }],
    ['a digest will tell', { hasDigest: true }],
    ['nothing came', { bytes: 0 }],
    ['it was asked often enough', { probeCount: MAX_PROBES }],
    ['the length is known', { pin: { ...pin, representation: { ...representation, totalBytes: 2_000 } } }],
    ['ranges are refused', { pin: { ...pin, representation: { ...representation, refusesRanges: true } } }],
    ['ranges would count other bytes', { pin: { ...pin, representation: { ...representation, codings: 'gzip' } } }],
    ['there is no end', { pin: { ...pin, representation: { ...representation, isLive: true } } }],
  ] as const)('%s', (_, change) => {
    expect(mayProbe({ ...facts, ...change })).toBe(false);
  });
});

describe('behind byte 1,000', () => {
  test.each<[answer: ProbeAnswer, kind: ReturnType<typeof judgeProbe>['kind']]>([
    [{ statusCode: 416, contentRange: 'bytes */1000' }, 'ends-here'],
    [{ statusCode: 416, contentRange: 'bytes */1000', etag: 'W/"1"' }, 'ends-here'],
    [{ statusCode: 416, contentRange: 'bytes */1000', etag: 'W/"2"' }, 'unknown'],
    [{ statusCode: 416, contentRange: 'bytes */900' }, 'unknown'],
    [{ statusCode: 416, contentRange: 'bytes */1001' }, 'goes-on'],
    [{ statusCode: 416 }, 'unknown'],
    [{ statusCode: 206, contentRange: 'bytes 1000-1999/2000' }, 'goes-on'],
    [{ statusCode: 206, contentRange: 'bytes 1000-1999/*' }, 'goes-on'],
    [{ statusCode: 206, contentRange: 'bytes 0-1999/2000' }, 'unknown'],
    [{ statusCode: 206, contentRange: 'bytes 1000-1999/2000', etag: '"other"' }, 'unknown'],
    [{ statusCode: 206 }, 'unknown'],
    [{ statusCode: 200, contentLength: '1000' }, 'ends-here'],
    [{ statusCode: 200, contentLength: '2000' }, 'goes-on'],
    [{ statusCode: 200, contentLength: '10' }, 'unknown'],
    [{ statusCode: 200 }, 'unknown'],
    [{ statusCode: 404, contentLength: '1000' }, 'unknown'],
    [{ statusCode: 503 }, 'unknown'],
  ])('%o: %s', (answer, kind) => {
    expect(judgeProbe(1_000, pin, answer).kind).toBe(kind);
  });
});
