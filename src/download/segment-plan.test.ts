import { expect, test } from 'vitest';
import { assign, type Taken } from './segment-plan.ts';

const MiB = 1_048_576;
const taken = (atByte: number, endByte: number, bytesPerSecond: number): Taken => ({
  atByte,
  endByte,
  bytesPerSecond,
  isYoung: false,
});
const plan = (all: readonly Taken[], gaps: readonly { from: number; to: number }[] = []) =>
  assign({ gaps, taken: all, totalBytes: 1_000 * MiB });

test('the first gap comes first, and a long one in parts', () => {
  expect(plan([], [{ from: 5, to: 9 }])).toEqual({ kind: 'gap', range: { from: 5, to: 9 } });
  const range = { from: 0, to: 64 * MiB };
  expect(plan([taken(900 * MiB, 1_000 * MiB, 50 * MiB)], [{ from: 0, to: 900 * MiB }])).toEqual({ kind: 'gap', range });
});

test('of a part that is long for its rate both take a piece from its front', () => {
  const found = plan([taken(0, 1_000 * MiB, MiB)]);
  expect(found).toMatchObject({ kind: 'split', isWhole: false, range: { from: 8 * MiB, to: 16 * MiB } });
});

test('a slow connection is left what it can bring in the time that another needs for the rest', () => {
  const found = plan([taken(0, 12 * MiB, MiB), taken(500 * MiB, 501 * MiB, 3 * MiB)]);
  expect(found).toMatchObject({ holder: 0, range: { from: 4 * MiB, to: 12 * MiB } });
});

test('who brings nothing keeps nothing', () => {
  expect(plan([taken(0, 3 * MiB, 0)])).toMatchObject({ isWhole: true, range: { from: 0, to: 3 * MiB } });
});

test('little, or what is done in a moment, is not split', () => {
  expect(plan([taken(0, MiB / 2, MiB)])).toBeUndefined();
  expect(plan([taken(0, 10 * MiB, 100 * MiB)])).toBeUndefined();
  expect(plan([])).toBeUndefined();
  // Unless it would take very long.
  expect(plan([taken(0, MiB / 2, 10_000), taken(MiB, 2 * MiB, 10 * MiB)])).toMatchObject({ holder: 0 });
});
