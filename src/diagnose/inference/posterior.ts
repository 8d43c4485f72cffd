/** How likely each cause is after what was seen (Bayes), and which experiment would tell most. Pure. */
import { type CauseId, type CauseRow, type Circumstance, causes } from './cause-list.ts';
import { type ExperimentId, type ExperimentRow, experimentRow } from './experiment-list.ts';
import type { LikelihoodRow } from './likelihood-row.ts';
import { changeLikelihoods } from './likelihoods-changes.ts';
import { passedLikelihoods } from './likelihoods-passed.ts';
import { plainLikelihoods } from './likelihoods-plain.ts';
import { repeatLikelihoods } from './likelihoods-repeats.ts';

export const likelihoods: readonly LikelihoodRow[] = [
  ...plainLikelihoods,
  ...repeatLikelihoods,
  ...changeLikelihoods,
  ...passedLikelihoods,
];

/** What one experiment has shown. */
export interface Finding {
  readonly experiment: ExperimentId;
  readonly outcome: string;
}

/** Probabilities that sum up to 1. */
export type Belief = Readonly<Record<CauseId, number>>;

/** What nobody thought of: no outcome is impossible under any cause, or one odd finding would decide alone. */
const FLOOR = 0.001;

const rowOf: ReadonlyMap<string, LikelihoodRow> = new Map(
  likelihoods.map((row) => [`${row.cause} ${row.experiment}`, row]),
);

export function likelihoodRow(cause: CauseId, experiment: ExperimentId): LikelihoodRow | undefined {
  return rowOf.get(`${cause} ${experiment}`);
}

/** P(outcome | cause). */
export function likelihoodOf(cause: CauseId, { experiment, outcome }: Finding): number {
  const row = experimentRow(experiment);
  const weights = likelihoodRow(cause, experiment)?.weights ?? row.usual;
  const outcomes = Object.keys(row.outcomes);
  let total = 0;
  for (const name of outcomes) total += weights[name] ?? 0;
  return (1 - FLOOR * outcomes.length) * ((weights[outcome] ?? 0) / total) + FLOOR;
}

/** A cause that cannot be under these circumstances has no share. */
export function priorBelief(circumstances: ReadonlySet<Circumstance>): Belief {
  return normalised((row) => (row.needs === undefined || circumstances.has(row.needs) ? row.prior : 0));
}

export function beliefAfter(findings: readonly Finding[], circumstances: ReadonlySet<Circumstance>): Belief {
  return findings.reduce(updated, priorBelief(circumstances));
}

export function updated(belief: Belief, finding: Finding): Belief {
  return normalised(({ id }) => belief[id as CauseId] * likelihoodOf(id as CauseId, finding));
}

function normalised(weigh: (row: CauseRow) => number): Belief {
  const weights = causes.map((row) => [row.id, weigh(row)] as const);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  return Object.fromEntries(weights.map(([id, weight]) => [id, weight / total])) as Belief;
}

/** The most likely first. */
export function ranked(belief: Belief): readonly { readonly cause: CauseId; readonly probability: number }[] {
  return causes
    .map(({ id }) => ({ cause: id, probability: belief[id] }))
    .toSorted((left, right) => right.probability - left.probability);
}

/** Bits by which an experiment is expected to narrow the causes. */
export function expectedBits(belief: Belief, row: ExperimentRow): number {
  const before = entropyBits(belief);
  let after = 0;
  for (const outcome of Object.keys(row.outcomes)) {
    const finding = { experiment: row.id, outcome };
    const probability = causes.reduce((sum, { id }) => sum + belief[id] * likelihoodOf(id, finding), 0);
    after += probability * entropyBits(updated(belief, finding));
  }
  return Math.max(0, before - after);
}

function entropyBits(belief: Belief): number {
  let bits = 0;
  for (const { id } of causes) if (belief[id] > 0) bits -= belief[id] * Math.log2(belief[id]);
  return bits;
}
