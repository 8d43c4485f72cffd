/**
 * With only a Last-Modified to go by, a 206 without that date was joined, since RFC 9110 lets a server leave it out where
 * If-Range held. A server that ignores If-Range sends just the same for another version: a mixture, proven by `length`.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

test('a part without a word about its version is not joined', async () => {
  const { sight, breaches } = await play({
    representation: { bytes: 150_000, validator: 'date', ranges: 'if-range-ignored', repeatsValidator: false },
    changes: [{ atSend: 1, how: 'tail' }],
    faults: [{ kind: 'cut', permille: 677, how: 'reset' }],
  });
  expect(breaches).toEqual([]);
  expect(sight.ending.kind).toBe('error');
});

test('where nothing changed, the body is read again and heals', async () => {
  const { sight, breaches } = await play({
    representation: { validator: 'date', repeatsValidator: false },
    faults: [{ kind: 'cut', permille: 677, how: 'reset' }],
  });
  expect(breaches).toEqual([]);
  expect(sight.ending.kind).toBe('complete');
});
