/** From findings to a verdict: causes with their evidence and confidence, or what would settle it. Pure. */
import { type CauseFamily, type CauseId, type Circumstance, causeRow, causes } from './cause-list.ts';
import { SETTLED } from './choose.ts';
import { type ExperimentId, experimentRow, experiments } from './experiment-list.ts';
import {
  type Belief,
  beliefAfter,
  expectedBits,
  type Finding,
  likelihoodOf,
  likelihoodRow,
  priorBelief,
  ranked,
  updated,
} from './posterior.ts';

/** Below this it is not worth a line. */
const WORTH_NAMING = 0.05;
const MAX_CAUSES = 4;
/** A finding that has moved a cause by less is no evidence for it. */
const TELLING_BITS = 0.15;

export interface Seen extends Finding {
  readonly evidence: string;
}

export interface CauseEvidence {
  readonly experiment: ExperimentId;
  readonly outcome: string;
  /** What was seen. */
  readonly evidence: string;
  /** Why it speaks for the cause. */
  readonly why: string;
  /** log2 of how much more likely it was under this cause than under the others that were open. */
  readonly bits: number;
}

export interface NamedCause {
  readonly cause: CauseId;
  readonly family: CauseFamily;
  readonly title: string;
  readonly means: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly evidence: readonly CauseEvidence[];
}

export interface Settler {
  readonly experiment: ExperimentId;
  readonly changes: string;
  readonly asks: string;
  /** What stands in its way, and how to have it done. */
  readonly how: string;
}

export type Verdict =
  | { readonly kind: 'settled'; readonly causes: readonly [NamedCause, ...NamedCause[]] }
  | { readonly kind: 'not-settled'; readonly causes: readonly NamedCause[]; readonly settler: Settler | undefined };

/** What one experiment has moved. */
export interface Movement {
  readonly before: readonly { readonly cause: CauseId; readonly probability: number }[];
  readonly after: readonly { readonly cause: CauseId; readonly probability: number }[];
}

/** The three likeliest before and after a finding. */
export function movementOf(before: Belief, finding: Finding): Movement {
  return { before: ranked(before).slice(0, 3), after: ranked(updated(before, finding)).slice(0, 3) };
}

/** @param obstacle why an experiment was not done; undefined where it was */
export function judge(
  seen: readonly Seen[],
  circumstances: ReadonlySet<Circumstance>,
  obstacle: (id: ExperimentId) => string | undefined,
): Verdict {
  const belief = beliefAfter(seen, circumstances);
  const order = ranked(belief);
  const named = order.filter(({ probability }) => probability >= WORTH_NAMING).slice(0, MAX_CAUSES);
  const list = named.map(({ cause, probability }) =>
    nameCause(cause, probability, evidenceFor(cause, seen, priorBelief(circumstances))),
  );
  const [first, ...others] = list;
  if (first !== undefined && first.confidence >= SETTLED) return { kind: 'settled', causes: [first, ...others] };
  return { kind: 'not-settled', causes: list, settler: settlerFor(belief, seen, obstacle) };
}

function nameCause(cause: CauseId, confidence: number, evidence: readonly CauseEvidence[]): NamedCause {
  const { family, title, means } = causeRow(cause);
  return { cause, family, title, means, confidence, evidence };
}

function evidenceFor(cause: CauseId, seen: readonly Seen[], prior: Belief): readonly CauseEvidence[] {
  let belief = prior;
  const list: CauseEvidence[] = [];
  for (const finding of seen) {
    const bits = bitsFor(cause, belief, finding);
    belief = updated(belief, finding);
    if (bits < TELLING_BITS) continue;
    const { experiment, outcome, evidence } = finding;
    const why =
      likelihoodRow(cause, experiment)?.why ??
      `${experimentRow(experiment).outcomes[outcome] ?? outcome}; other causes seldom show that`;
    list.push({ experiment, outcome, evidence, why, bits: Math.round(bits * 100) / 100 });
  }
  return list.toSorted((left, right) => right.bits - left.bits);
}

function bitsFor(cause: CauseId, belief: Belief, finding: Finding): number {
  const others = causes.filter(({ id }) => id !== cause);
  const weight = others.reduce((sum, { id }) => sum + belief[id], 0);
  const elsewhere = others.reduce((sum, { id }) => sum + belief[id] * likelihoodOf(id, finding), 0) / weight;
  return Math.log2(likelihoodOf(cause, finding) / elsewhere);
}

/** The experiment that would tell most, among those that were not done. */
function settlerFor(
  belief: Belief,
  seen: readonly Seen[],
  obstacle: (id: ExperimentId) => string | undefined,
): Settler | undefined {
  const done = new Set(seen.map(({ experiment }) => experiment));
  const [best] = experiments
    .filter(({ id }) => !done.has(id))
    .map((row) => ({ row, how: obstacle(row.id), bits: expectedBits(belief, row) }))
    .filter(({ how }) => how !== undefined)
    .toSorted((left, right) => right.bits - left.bits);
  if (best === undefined) return undefined;
  return { experiment: best.row.id, changes: best.row.changes, asks: best.row.asks, how: best.how! };
}
