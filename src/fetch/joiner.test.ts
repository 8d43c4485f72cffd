import { expect, test } from 'vitest';
import { OVERLAP_BYTES } from '../core/index.ts';
import { seededRandom } from '../runtime/index.ts';
import { BodyMemory } from './body-memory.ts';
import { Joiner, type JoinMode } from './joiner.ts';

const random = seededRandom(3);
const body = Uint8Array.from({ length: 200_000 }, () => random() * 256);

function remember(to: number, keepBytes = body.length): BodyMemory {
  const memory = new BodyMemory(keepBytes);
  for (let at = 0; at < to; ) {
    const next = Math.min(to, at + 1 + Math.floor(random() * 50_000));
    memory.add(body.slice(at, next));
    at = next;
  }
  return memory;
}

/** Feeds `answer` in pieces; what is delivered, or `mismatch`. */
function join(answer: Uint8Array, skipBytes: number, mode: JoinMode, memory: BodyMemory) {
  const joiner = new Joiner(skipBytes, mode, memory);
  for (let at = 0; at < answer.length; ) {
    const next = Math.min(answer.length, at + 1 + Math.floor(random() * 30_000));
    const step = joiner.feed(answer.subarray(at, next));
    at = next;
    if (step.kind === 'mismatch') return 'mismatch';
    if (step.kind === 'joined') return Buffer.concat([step.chunk, answer.subarray(at)]);
  }
  return 'more';
}

test.each([1, 100, 65_535, 65_536, 65_537, 199_999])(
  'the last bytes of %i are kept, whatever the chunks were',
  (to) => {
    const memory = remember(to);
    const count = Math.min(to, OVERLAP_BYTES);
    expect(Buffer.compare(memory.last(count)!, body.subarray(to - count, to))).toBe(0);
    expect(memory.last(OVERLAP_BYTES + 1)).toBeUndefined();
  },
);

test('a prefix that is read again is skipped where it is the same, at any boundary', () => {
  for (let round = 0; round < 50; round += 1) {
    const at = 1 + Math.floor(random() * (body.length - 1));
    const joined = join(body, at, { kind: 'checksum' }, remember(at, 0));
    expect(Buffer.compare(joined as Buffer, body.subarray(at))).toBe(0);
  }
});

test('one changed byte anywhere in a prefix is a mismatch', () => {
  for (let round = 0; round < 50; round += 1) {
    const at = 1 + Math.floor(random() * (body.length - 1));
    const changed = body.slice();
    changed[Math.floor(random() * at)]! ^= 1;
    expect(join(changed, at, { kind: 'checksum' }, remember(at, 0))).toBe('mismatch');
  }
});

test('an overlap is compared in full, and what lies before it is not', () => {
  const at = 150_000;
  const answer = body.slice(70_000);
  answer[0]! ^= 1;
  const mode = { kind: 'overlap', compareBytes: 65_536 } as const;
  expect(Buffer.compare(join(answer, 80_000, mode, remember(at)) as Buffer, body.subarray(at))).toBe(0);
  for (const changedAt of [80_000 - 65_536, 79_999]) {
    const changed = body.slice(70_000);
    changed[changedAt]! ^= 1;
    expect(join(changed, 80_000, mode, remember(at))).toBe('mismatch');
  }
});

test('an overlap that was not kept never matches', () => {
  const mode = { kind: 'overlap', compareBytes: 1_000 } as const;
  expect(join(body.slice(9_000), 1_000, mode, remember(10_000, 0))).toBe('mismatch');
});
