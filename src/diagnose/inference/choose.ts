/** Which experiment comes next, or why there is none. Pure. */
import { type ExperimentId, type ExperimentRow, experimentRow } from './experiment-list.ts';
import { type Belief, expectedBits, type Finding, likelihoodOf, ranked } from './posterior.ts';

export interface Purse {
  readonly requests: number;
  readonly ms: number;
  /** The last request hung: so may the next ones. */
  readonly isSlow?: boolean;
}

export type Choice =
  | { readonly kind: 'experiment'; readonly id: ExperimentId; readonly bits: number }
  /** None tells enough for what it costs. */
  | { readonly kind: 'enough' }
  /** One would, and there are not enough requests or time left for it. */
  | { readonly kind: 'spent'; readonly id: ExperimentId; readonly bits: number };

/** An experiment must be expected to tell so much for each request that it sends and each second that it takes. */
const BITS_PER_REQUEST = 0.016;
const BITS_PER_SECOND = 0.02;
const LEAST_BITS = 0.012;

/** The possible experiment with the most expected information that is worth its price; the cheaper one of equals. */
export function chooseExperiment(belief: Belief, possible: readonly ExperimentId[], purse: Purse): Choice {
  const worth = possible
    .map((id) => ({ row: experimentRow(id), bits: expectedBits(belief, experimentRow(id)) }))
    .filter(({ row, bits }) => bits >= priceBits(row, purse))
    .toSorted((left, right) => right.bits - left.bits || left.row.costMs - right.row.costMs);
  const best = worth.find(({ row }) => mayPay(row, purse));
  if (best !== undefined) return { kind: 'experiment', id: best.row.id, bits: best.bits };
  const [missed] = worth;
  return missed === undefined ? { kind: 'enough' } : { kind: 'spent', id: missed.row.id, bits: missed.bits };
}

/** What is left to be done although it is not expected to change the verdict. */
export function owedExperiment(
  seen: readonly Finding[],
  belief: Belief,
  possible: readonly ExperimentId[],
  purse: Purse,
): ExperimentId | undefined {
  const payable = possible.filter((id) => mayPay(experimentRow(id), purse));
  const plain = seen.find(({ experiment }) => experiment === 'plain');
  // Nothing that may pass is called lasting before it was seen again.
  if (plain !== undefined && payable.includes('confirm') && likelihoodOf('passed', plain) > MAY_PASS) return 'confirm';
  const hasPassed = seen.some(({ experiment, outcome }) => experiment === 'confirm' && outcome === 'passed');
  if (hasPassed && payable.includes('over-time')) return 'over-time';
  const [first] = ranked(belief);
  // That there is a limit is known; its number is not.
  if (first?.cause === 'connection-limit' && payable.includes('ladder')) return 'ladder';
  // Healthy is called who was so for more than a moment.
  if (first?.cause === 'nothing-wrong' && payable.includes('again')) return 'again';
  // A kept connection ends by a restart, too; then fresh ones fail as well.
  if (first?.cause === 'keep-alive-race' && payable.includes('pace')) return 'pace';
  // Whoever would have to say “not settled” asks on, as long as anything tells anything.
  return first !== undefined && first.probability < SETTLED ? mostTelling(belief, payable) : undefined;
}

function mostTelling(belief: Belief, payable: readonly ExperimentId[]): ExperimentId | undefined {
  const [best] = payable
    .map((id) => ({ id, bits: expectedBits(belief, experimentRow(id)) }))
    .filter(({ bits }) => bits >= UNSETTLED_BITS)
    .toSorted((left, right) => right.bits - left.bits);
  return best?.id;
}

/** From here on a cause is called the cause. */
export const SETTLED = 0.8;
const UNSETTLED_BITS = 0.05;

/** Above what is granted to everything. */
const MAY_PASS = 0.002;

function msOf({ costMs, slowMs }: ExperimentRow, { isSlow }: Purse): number {
  return isSlow === true ? slowMs : costMs;
}

export function mayPay(row: ExperimentRow, purse: Purse): boolean {
  return row.requests <= purse.requests && msOf(row, purse) <= purse.ms;
}

function priceBits(row: ExperimentRow, purse: Purse): number {
  return Math.max(LEAST_BITS, row.requests * BITS_PER_REQUEST + (msOf(row, purse) / 1_000) * BITS_PER_SECOND);
}
