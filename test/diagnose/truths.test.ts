import { expect, test } from 'vitest';
import { causes } from '../../src/diagnose/index.ts';
import { catalogue } from '../../src/lab/index.ts';
import { HALVES_SEED, halvesOf } from './halves.ts';
import { truths } from './truths.ts';

const all = catalogue.map(({ scenario }) => scenario.name).toSorted();

test('every scenario of the catalogue has one truth, in words of the diagnosis', () => {
  expect(truths.flatMap(({ scenarios }) => scenarios).toSorted()).toEqual(all);
  const ids = causes.map(({ id }) => id);
  for (const { says, maybe = [] } of truths) expect(ids).toEqual(expect.arrayContaining([...says, ...maybe]));
});

test('the two halves are the catalogue, each scenario once, and the same with the same seed', () => {
  const { mended, heldBack } = halvesOf(HALVES_SEED);
  expect([...mended, ...heldBack].toSorted()).toEqual(all);
  expect(Math.abs(mended.length - heldBack.length)).toBeLessThanOrEqual(1);
  expect(halvesOf(HALVES_SEED)).toEqual({ mended, heldBack });
});
