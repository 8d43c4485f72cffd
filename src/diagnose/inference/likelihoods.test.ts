import { expect, test } from 'vitest';
import { causes } from './cause-list.ts';
import { experiments } from './experiment-list.ts';
import { beliefAfter, expectedBits, likelihoodOf, likelihoods, priorBelief, updated } from './posterior.ts';

const everything = new Set(['tls', 'proxy', 'name', 'writing'] as const);

test('every row speaks of a cause, an experiment and outcomes that there are, once, and says why', () => {
  const ids = likelihoods.map(({ cause, experiment }) => `${cause} ${experiment}`);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { cause, experiment, weights, why } of likelihoods) {
    const row = experiments.find(({ id }) => id === experiment);
    expect(causes.map(({ id }) => id)).toContain(cause);
    expect(Object.keys(row?.outcomes ?? {}), `${cause} ${experiment}`).toEqual(
      expect.arrayContaining(Object.keys(weights)),
    );
    expect(why.length).toBeGreaterThan(10);
  }
});

test('the usual weights speak of every outcome that can come out', () => {
  for (const { id, outcomes, usual } of experiments) {
    expect(Object.keys(outcomes), id).toEqual(expect.arrayContaining(Object.keys(usual)));
  }
});

test('outcomes of an experiment are probabilities under every cause', () => {
  for (const { id: experiment, outcomes } of experiments) {
    for (const { id } of causes) {
      const total = Object.keys(outcomes).reduce((sum, outcome) => sum + likelihoodOf(id, { experiment, outcome }), 0);
      expect(total, `${id} ${experiment}`).toBeCloseTo(1, 6);
    }
  }
});

test('the order of findings changes no belief', () => {
  const findings = [
    { experiment: 'plain', outcome: 'ok' },
    { experiment: 'at-once', outcome: 'some-429' },
    { experiment: 'pace', outcome: 'ok' },
  ] as const;
  const forward = beliefAfter(findings, everything);
  const backward = beliefAfter(findings.toReversed(), everything);
  for (const { id } of causes) expect(forward[id]).toBeCloseTo(backward[id], 10);
});

test('no experiment is expected to tell less than nothing, and what is settled leaves nothing to tell', () => {
  const open = priorBelief(everything);
  for (const row of experiments) expect(expectedBits(open, row), row.id).toBeGreaterThanOrEqual(0);
  let belief = open;
  for (let n = 0; n < 4; n += 1) belief = updated(belief, { experiment: 'plain', outcome: 'refused' });
  for (const row of experiments) expect(expectedBits(belief, row), row.id).toBeLessThan(0.1);
});

test('what cannot be under the circumstances has no share', () => {
  const belief = priorBelief(new Set());
  expect(belief['proxy-refuses']).toBe(0);
  expect(belief['tls-mismatch']).toBe(0);
  expect(belief['address-dead']).toBe(0);
  expect(belief['nothing-wrong']).toBeGreaterThan(0);
});
