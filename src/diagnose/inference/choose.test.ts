import { expect, test } from 'vitest';
import { chooseExperiment } from './choose.ts';
import { type ExperimentId, experimentIds, experimentRow } from './experiment-list.ts';
import { judge } from './judge.ts';
import { beliefAfter, expectedBits, priorBelief } from './posterior.ts';

const plenty = { requests: 60, ms: 60_000 };
const nowhere = new Set<never>();

test('the plain request comes first: it separates most', () => {
  expect(chooseExperiment(priorBelief(nowhere), experimentIds, plenty)).toMatchObject({
    kind: 'experiment',
    id: 'plain',
  });
});

test('of those that are worth their price, the one with the most expected information is taken', () => {
  const belief = beliefAfter([{ experiment: 'plain', outcome: 'cut-in-body' }], nowhere);
  const possible: readonly ExperimentId[] = ['confirm', 'cut-place', 'connect', 'over-time'];
  const choice = chooseExperiment(belief, possible, plenty);
  const best = possible.toSorted(
    (a, b) => expectedBits(belief, experimentRow(b)) - expectedBits(belief, experimentRow(a)),
  )[0];
  expect(choice).toMatchObject({ kind: 'experiment', id: best });
});

test('an experiment that the purse cannot pay is named, not made', () => {
  expect(chooseExperiment(priorBelief(nowhere), ['plain'], { requests: 1, ms: 60_000 })).toMatchObject({
    kind: 'spent',
    id: 'plain',
  });
  expect(chooseExperiment(priorBelief(nowhere), ['plain'], { requests: 60, ms: 10 })).toMatchObject({
    kind: 'spent',
    id: 'plain',
  });
});

test('when nothing tells enough for its price, it is enough', () => {
  const belief = beliefAfter(
    [
      { experiment: 'plain', outcome: 'refused' },
      { experiment: 'connect', outcome: 'refused' },
      { experiment: 'over-time', outcome: 'stays-bad' },
    ],
    nowhere,
  );
  expect(chooseExperiment(belief, ['confirm', 'other-clients'], plenty)).toEqual({ kind: 'enough' });
});

test('a verdict names the findings that have moved it, most telling first, each with its reason', () => {
  const seen = [
    { experiment: 'plain', outcome: 'ok', evidence: 'fine' },
    { experiment: 'kept', outcome: 'fails-on-reuse', evidence: 'the second ended' },
  ] as const;
  const { causes } = judge(seen, nowhere, () => undefined);
  expect(causes[0]?.cause).toBe('keep-alive-race');
  expect(causes[0]?.evidence[0]).toMatchObject({ experiment: 'kept', evidence: 'the second ended' });
  for (const { why } of causes[0]?.evidence ?? []) expect(why.length).toBeGreaterThan(10);
});

test('nothing seen is not settled, and says which experiment would tell most, and what stands in its way', () => {
  const verdict = judge([], nowhere, (id) => (id === 'plain' ? 'it is not allowed' : undefined));
  expect(verdict).toMatchObject({ kind: 'not-settled', settler: { experiment: 'plain', how: 'it is not allowed' } });
});
