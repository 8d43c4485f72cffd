import { expect, test } from 'vitest';
import { beginCounting, type CountState, lookAgain, shrink } from './connection-count.ts';

/** Plays a line that brings `rateOf(connections)` bytes per second. @returns the wanted number of connections every 50 ms */
function play(rateOf: (connections: number) => number, forMs: number, heldBackRatio = 0): number[] {
  let state: CountState = beginCounting(1, 8, 0);
  let [receivedBytes, heldBackMs] = [0, 0];
  const targets: number[] = [];
  for (let nowMs = 0; nowMs < forMs; nowMs += 50) {
    receivedBytes += rateOf(state.target) / 20;
    heldBackMs += 50 * heldBackRatio;
    state = lookAgain(state, { nowMs, receivedBytes, heldBackMs, flowing: state.target, mayGrow: true });
    targets.push(state.target);
  }
  return targets;
}

test('connections double while each brings as much as the first, within about a second', () => {
  expect(play((n) => n * 1_000, 1_200).at(-1)).toBe(8);
});

test('a line that is full with one stays with one but for a look at two', () => {
  const targets = play(() => 1_000, 5_000);
  expect(Math.max(...targets)).toBe(2);
  expect(targets.filter((n) => n === 2).length).toBeLessThanOrEqual(20);
  expect(targets.at(-1)).toBe(1);
});

test('growth ends where it brings no more', () => {
  expect(play((n) => Math.min(n, 4) * 1_000, 4_000).at(-1)).toBe(4);
});

test('who waits for the disk does not ask for more', () => {
  expect(Math.max(...play((n) => n * 1_000, 3_000, 0.5))).toBe(1);
});

test('trouble halves the number, and more is tried only after a pause that grows', () => {
  const grown = beginCounting(8, 8, 0);
  const once = shrink(grown, 8, 1_000, 0);
  expect(once.target).toBe(4);
  expect(once).toMatchObject({ kind: 'holding', untilMs: 6_000 });
  expect(shrink(once, 4, 2_000, 0)).toMatchObject({ target: 2, untilMs: 12_000 });
  expect(shrink(once, 4, 2_000, 30_000)).toMatchObject({ untilMs: 32_000 });
  expect(shrink(beginCounting(1, 8, 0), 1, 0, 0).target).toBe(1);
});
