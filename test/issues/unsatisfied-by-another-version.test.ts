/**
 * A body of unknown length was cut at byte 1,000. The next version was 1,000 bytes long, and a server that ignores If-Range
 * answered `416, bytes * /1000`, with the new version's validators: the half body was called complete.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

for (const validator of ['strong', 'date'] as const) {
  test(`a 416 that carries another validator (${validator}) completes nothing`, async () => {
    const { sight, breaches } = await play({
      representation: { framing: 'chunked', againFraming: 'chunked', validator, ranges: 'if-range-ignored' },
      changes: [{ atSend: 1, how: 'cut-at-place' }],
      faults: [{ kind: 'cut', permille: 500, how: 'reset' }],
    });
    expect(breaches).toEqual([]);
    expect(sight.ending.kind).toBe('error');
  });
}
