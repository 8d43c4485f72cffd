/**
 * After two answers that could not be joined (a 404 of an expiring mirror counts as one), ranges were taken for broken and
 * the body would be read from byte 0. The rest of a *part* cannot be read so: the request gave up with half of its
 * attempts left, though the next answer would have been right.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

test('a part whose resume is answered wrongly twice is asked for a third time', async () => {
  const { sight, breaches } = await play({
    request: { range: 'bytes=100-' },
    faults: [
      { kind: 'cut', permille: 600, how: 'reset' },
      { kind: 'status', status: 404, retryAfter: undefined, body: 'small' },
      { kind: 'lie', how: 'no-content-range', cutPermille: undefined },
    ],
  });
  expect(breaches).toEqual([]);
  expect(sight.bytes).toBe(1_900);
});
