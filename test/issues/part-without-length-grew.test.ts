/**
 * `Range: bytes=0-999` was answered by a 206 without a length (chunked, or closed by the end of the connection). The
 * reader took its end from Content-Length only; the cut was resumed, the total of the whole file was taken for the end
 * of the part, and the caller who had asked for 1,000 bytes got 2,000 of them, proven by `length`. Where the end of the
 * connection was the frame, a part that was cut cleanly was called complete although its Content-Range said where it ends.
 */
import { expect, test } from 'vitest';
import { play } from '../sim/play.ts';

for (const partFraming of ['chunked', 'close'] as const) {
  test(`a part that is cut under ${partFraming} framing ends where its Content-Range said`, async () => {
    const { sight, breaches } = await play({
      representation: { partFraming },
      request: { range: 'bytes=0-999' },
      faults: [{ kind: 'cut', permille: 999, how: 'clean' }],
    });
    expect(breaches).toEqual([]);
    expect(sight.ending.kind).toBe('complete');
    expect(sight.bytes).toBe(1_000);
  });
}
