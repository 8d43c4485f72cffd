/**
 * A 503's short body is read to its end so that its connection can serve again. Nobody watched that: a server that fell
 * silent there held the connection, and its slot of the sixteen per origin, for ever.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

test('an error answer whose body stalls lets go of its connection', async () => {
  const { sight, transport, breaches } = await play({
    faults: [{ kind: 'status', status: 503, retryAfter: undefined, body: 'stalls' }],
  });
  expect(breaches).toEqual([]);
  expect(sight.ending.kind).toBe('complete');
  expect(transport.open).toBe(0);
});
