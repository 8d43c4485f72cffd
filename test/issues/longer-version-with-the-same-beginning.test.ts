/**
 * A body of known length and without a strong ETag was cut, and read again from byte 0. The new answer had no length, its
 * beginning was what had been delivered, and it was longer: another version. The client delivered as many bytes as the
 * old length wanted, cut the new version there, and called the result complete, proven by `length`.
 */
import { expect, test } from 'vitest';
import { play, reasonOf } from '../sim/play.ts';

for (const againFraming of ['chunked', 'close'] as const) {
  test(`a version that is longer than the one before it (${againFraming}) is not cut to its length`, async () => {
    const run = await play({
      representation: { validator: 'none', ranges: 'refused', againFraming },
      changes: [{ atSend: 1, how: 'tail-longer' }],
      faults: [{ kind: 'cut', permille: 400, how: 'reset' }],
    });
    expect(run.breaches).toEqual([]);
    expect(reasonOf(run)).toBe('ERR_REKNIT_CONTENT_CHANGED');
  });
}

test('nor is it when the attempt after that one fails', async () => {
  const run = await play({
    // Byte by byte: what is too much comes in a piece of its own.
    chunkBytes: 1,
    representation: { validator: 'none', ranges: 'refused', againFraming: 'chunked' },
    changes: [{ atSend: 1, how: 'tail-longer' }],
    faults: [
      { kind: 'cut', permille: 400, how: 'reset' },
      { kind: 'none' },
      { kind: 'connect-error', code: 'ECONNREFUSED' },
    ],
  });
  expect(run.breaches).toEqual([]);
  expect(run.sight.ending.kind).toBe('error');
});
