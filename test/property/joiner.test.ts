import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OVERLAP_BYTES } from '../../src/core/index.ts';
import { BodyMemory, Joiner, type JoinMode } from '../../src/http/body-joiner.ts';
import { seededRandom } from '../../src/runtime/index.ts';

const pool = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2_654_435_761) >>> 24));

/** Cuts bytes at random; some pieces are empty. */
function* pieces(bytes: Buffer, random: () => number, maxBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = random() < 0.1 ? 0 : Math.ceil(random() * maxBytes);
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}

interface Case {
  readonly delivered: number;
  readonly rest: number;
  readonly seed: number;
  readonly maxBytes: number;
  readonly earlier: number;
  readonly isOverlap: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  delivered: fc.oneof(
    fc.integer({ min: 1, max: 3_000 }),
    fc.integer({ min: OVERLAP_BYTES - 2, max: OVERLAP_BYTES + 2 }),
    fc.integer({ min: 65_000, max: 200_000 }),
  ),
  rest: fc.integer({ min: 0, max: 2_000 }),
  seed: fc.nat(),
  maxBytes: fc.constantFrom(7_000, 65_536, 100_000),
  earlier: fc.constantFrom(0, 0, 13),
  isOverlap: fc.boolean(),
});

/** Feeds an answer to what is remembered of a body; what comes out, or undefined at the first mismatch. */
function join(
  { delivered, rest, seed, maxBytes, earlier, isOverlap }: Case,
  flipAt?: (from: number) => number,
): Buffer | undefined {
  const random = seededRandom(seed);
  const memory = new BodyMemory();
  for (const chunk of pieces(pool.subarray(0, delivered), random, maxBytes)) {
    memory.add(chunk);
    // The consumer owns what it was given.
    chunk.fill(0xee);
  }
  const comparedFrom = isOverlap ? Math.max(0, delivered - OVERLAP_BYTES) : 0;
  const from = isOverlap ? Math.max(0, comparedFrom - earlier) : 0;
  const answer = Buffer.from(pool.subarray(from, delivered + rest));
  if (flipAt !== undefined) answer[flipAt(comparedFrom) - from]! ^= 1;
  const mode: JoinMode = isOverlap ? { kind: 'overlap', compareBytes: delivered - comparedFrom } : { kind: 'digest' };
  const joiner = new Joiner(delivered - from, mode, memory);
  const out: Buffer[] = [];
  for (const chunk of pieces(answer, random, maxBytes)) {
    if (joiner.isDone) {
      out.push(chunk);
      continue;
    }
    const step = joiner.feed(chunk);
    if (step.kind === 'mismatch') return undefined;
    if (step.kind === 'deliver') out.push(step.chunk);
  }
  expect(joiner.isDone).toBe(true);
  return Buffer.concat(out);
}

test('an equal beginning is joined, in whatever pieces it came', () => {
  fc.assert(
    fc.property(cases, (one) => {
      expect(join(one)?.equals(pool.subarray(one.delivered, one.delivered + one.rest))).toBe(true);
    }),
    { numRuns: 400 },
  );
});

test('one bit that differs in what is compared is never joined', () => {
  fc.assert(
    fc.property(cases, fc.double({ min: 0, max: 0.999_999, noNaN: true }), (one, where) => {
      const flipAt = (from: number) => from + Math.floor(where * (one.delivered - from));
      expect(join(one, flipAt)).toBeUndefined();
    }),
    { numRuns: 400 },
  );
});
