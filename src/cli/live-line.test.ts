import { expect, test } from 'vitest';
import { describeLine, type LineState } from './live-line.ts';
import { RateMeter } from './rate-meter.ts';

const MiB = 1_048_576;
const state: LineState = {
  name: 'big.iso',
  progress: { bytes: 16 * MiB, totalBytes: 64 * MiB, receivedBytes: 16 * MiB, attemptNumber: 3 },
  bytesPerSecond: 8 * MiB,
  waiting: undefined,
};

test('the line says bytes, share, rate, time left and attempt', () => {
  expect(describeLine(state)).toBe('big.iso  16.0 MiB of 64.0 MiB  25 %  8.0 MiB/s  6.0 s left  attempt 3');
});

test('in a wait the line says how long and what for', () => {
  const waiting = { leftMs: 4_000, why: 'HTTP 429 Too Many Requests, Retry-After' };
  expect(describeLine({ ...state, waiting })).toBe(
    'big.iso  16.0 MiB of 64.0 MiB  25 %  waiting 4.0 s: HTTP 429 Too Many Requests, Retry-After; attempt 3',
  );
});

test('without a total there is neither share nor time left', () => {
  const progress = { ...state.progress, totalBytes: undefined, attemptNumber: 1 };
  expect(describeLine({ ...state, progress })).toBe('big.iso  16.0 MiB  8.0 MiB/s');
});

test('the rate is that of the last seconds, falls in silence, and begins anew with the file', () => {
  const meter = new RateMeter();
  expect(meter.bytesPerSecond(0)).toBeUndefined();
  for (let ms = 0; ms <= 10_000; ms += 100) meter.add(ms, ms * 1_000);
  expect(meter.bytesPerSecond(10_000)).toBeCloseTo(1_000_000, -4);
  expect(meter.bytesPerSecond(15_000)!).toBeLessThan(600_000);
  meter.add(15_000, 10);
  meter.add(15_500, 1_010);
  expect(meter.bytesPerSecond(15_500)).toBeCloseTo(2_000, 0);
});
