/** Which experiment comes next, or why there is none. Pure. */
import { type ExperimentId, experimentRow } from './experiment-list.ts';
import { type Belief, expectedBits, type Finding, likelihoodOf, ranked } from './posterior.ts';

export interface Purse {
  readonly requests: number;
  readonly ms: number;
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
    .filter(({ row, bits }) => bits >= priceBits(row))
    .toSorted((left, right) => right.bits - left.bits || left.row.costMs - right.row.costMs);
  const best = worth.find(({ row }) => row.requests <= purse.requests && row.costMs <= purse.ms);
  if (best !== undefined) return { kind: 'experiment', id: best.row.id, bits: best.bits };
  const [missed] = worth;
  return missed === undefined ? { kind: 'enough' } : { kind: 'spent', id: missed.row.id, bits: missed.bits };
}

/** What is left to be done although it is not expected to change the verdict. */
export function owedExperiment(
  seen: readonly Finding[],
  belief: Belief,
  possible: readonly ExperimentId[],
): ExperimentId | undefined {
  const plain = seen.find(({ experiment }) => experiment === 'plain');
  // Nothing that may pass is called lasting before it was seen again.
  if (plain !== undefined && possible.includes('confirm') && likelihoodOf('passed', plain) > MAY_PASS) return 'confirm';
  // That there is a limit is known; its number is not.
  const [first] = ranked(belief);
  return first?.cause === 'connection-limit' && possible.includes('ladder') ? 'ladder' : undefined;
}

/** Above what is granted to everything. */
const MAY_PASS = 0.002;

function priceBits({ requests, costMs }: { readonly requests: number; readonly costMs: number }): number {
  return Math.max(LEAST_BITS, requests * BITS_PER_REQUEST + (costMs / 1_000) * BITS_PER_SECOND);
}
