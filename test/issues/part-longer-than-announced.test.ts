/**
 * A chunked 206 brought more bytes than its Content-Range announced, a middlebox's own words behind them. As long as the
 * body was not complete yet, they were delivered as if they belonged to it.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

test('what comes behind the announced end of a part never reaches the reader', async () => {
  const { sight, breaches } = await play({
    faults: [
      { kind: 'cut', permille: 300, how: 'reset' },
      { kind: 'lie', how: 'too-long', cutPermille: undefined },
    ],
  });
  expect(breaches).toEqual([]);
  expect(sight.ending.kind).toBe('complete');
});
