/**
 * A body of unknown length was cut at byte 1,000. The next version was 1,000 bytes long; its 206 was refused, as its bytes
 * were others, but the total in its Content-Range had already been taken for the length of the body. When the attempt
 * after it failed, all bytes seemed to be there: half a body was called complete.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

test('the length of a version that was not joined is not believed', async () => {
  const { sight, breaches } = await play({
    representation: { framing: 'close', againFraming: 'length', validator: 'none' },
    request: { mayOverlapBlindly: true },
    changes: [{ atSend: 1, how: 'cut-at-place' }],
    faults: [{ kind: 'cut', permille: 500, how: 'reset' }, { kind: 'none' }, { kind: 'reset-after-send' }],
  });
  expect(breaches).toEqual([]);
  expect(sight.ending.kind).toBe('error');
});
