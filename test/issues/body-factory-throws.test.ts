/**
 * `body: () => createReadStream(path)` threw when it was called for the second attempt. That happened in a timer's
 * callback, outside of every promise: the process died of an uncaught exception.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

test('a body factory that throws on the second attempt rejects the request with its own error', async () => {
  const { sight, thrown } = await play({
    request: { method: 'PUT', body: 'failing-factory', bodyBytes: 10 },
    faults: [{ kind: 'connect-error', code: 'ECONNREFUSED' }],
  });
  expect(thrown).toBeUndefined();
  expect(sight.ending).toMatchObject({ kind: 'error', error: { message: 'the file is gone' } });
  expect(sight.ledger?.outcome).toBe('failed');
});
