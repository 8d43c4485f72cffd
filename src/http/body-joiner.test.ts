import { describe, expect, test } from 'vitest';
import { BodyMemory, Joiner } from './body-joiner.ts';

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2_654_435_761) >>> 13));

/** Cuts `from` to `to` into uneven pieces. */
function pieces(from: number, to: number, stepBytes: number): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = from; at < to; at += stepBytes) cut.push(bytes.subarray(at, Math.min(to, at + stepBytes)));
  return cut;
}

function reread(memory: BodyMemory, body: Buffer, stepBytes: number) {
  const joiner = new Joiner(memory.bytes, { kind: 'digest' }, memory);
  for (let at = 0; at < body.length; at += stepBytes) {
    const step = joiner.feed(body.subarray(at, at + stepBytes));
    if (step.kind !== 'more') return step;
  }
  return { kind: 'more' as const, isDone: joiner.isDone };
}

describe('a prefix that is read again is joined only if it is what was delivered', () => {
  for (const deliveredBytes of [1, 1_000, 65_536, 65_537, 200_000]) {
    test(`${deliveredBytes} bytes, in whatever pieces both came`, () => {
      const memory = new BodyMemory();
      for (const piece of pieces(0, deliveredBytes, 7_919)) memory.add(piece);
      const step = reread(memory, bytes, 10_007);
      expect(step.kind).toBe('deliver');
      const wrong = Buffer.from(bytes);
      wrong[deliveredBytes - 1]! ^= 1;
      expect(reread(memory, wrong, 10_007).kind).toBe('mismatch');
    });
  }

  test('again and again, as it grows between', () => {
    const memory = new BodyMemory();
    for (const [from, to] of [
      [0, 40_000],
      [40_000, 60_000],
      [60_000, 70_000],
      [70_000, 250_000],
      [250_000, 250_001],
    ] as const) {
      for (const piece of pieces(from, to, 4_099)) memory.add(piece);
      expect(reread(memory, bytes, 65_536).kind).toBe('deliver');
      const wrong = Buffer.from(bytes);
      wrong[from]! ^= 1;
      expect(reread(memory, wrong, 65_536).kind).toBe('mismatch');
    }
  });
});
