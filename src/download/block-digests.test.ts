import { expect, test } from 'vitest';
import { describeDifference, digestBlocks } from './block-digests.ts';

const MiB = 1_048_576;

function fileOf(bytes: Buffer) {
  return {
    // As real ones may: fewer bytes than were asked for.
    read: async (into: Buffer, atByte: number) => bytes.copy(into, 0, atByte, atByte + Math.min(into.length, 3 * MiB)),
  };
}

test('where two copies differ is told by blocks of four MiB, neighbours as one place', async () => {
  const first = Buffer.alloc(21 * MiB, 1);
  const second = Buffer.from(first);
  for (const at of [5 * MiB, 9 * MiB, 20.5 * MiB]) second[at] = 2;
  const [before, after] = await Promise.all(
    [first, second].map((bytes) => digestBlocks(fileOf(bytes), bytes.length, undefined)),
  );
  expect(describeDifference(before, after)).toBe(
    'the two copies differ in bytes 4,194,304 to 12,582,911, 20,971,520 to 25,165,823',
  );
});

test('equal copies, and one alone, differ nowhere', async () => {
  const digests = await digestBlocks(fileOf(Buffer.alloc(5)), 5, undefined);
  expect(describeDifference(digests, digests)).toBeUndefined();
  expect(describeDifference(undefined, digests)).toBeUndefined();
});

test('a copy that is shorter differs in what it lacks', () => {
  expect(describeDifference(['a', 'b', 'c'], ['a'])).toBe('the two copies differ in bytes 4,194,304 to 12,582,911');
});
