import { describe, expect, test } from 'vitest';
import { MAX_PROBES, mayProbe } from './end-probe.ts';
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
