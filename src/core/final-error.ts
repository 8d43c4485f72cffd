/** Which of several failures a request ends with, and the error that says it. */
import { tagFailure } from './classify.ts';
import type { GiveUpReason } from './decide.ts';
import { DeadlineError, GaveUpError } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Ledger } from './ledger.ts';
import type { OutcomeClass, UpstreamVerdict } from './outcome-class.ts';
import { describeCauses, describeFailure, describeGiveUp, formatDuration } from './sentences.ts';
import { type TrailEntry, trailOfLedger } from './trail.ts';

/** What a caller can act on comes first; "the last one" would depend on the order. */
const precedence: readonly OutcomeClass[] = [
  'cancelled',
  'internal',
  'caller',
  'too-big',
  'throttled',
  'transient',
  'slow',
  'credential',
  'unavailable-here',
];

export interface FinalCandidate {
  readonly verdict: UpstreamVerdict;
  readonly upstream: string;
}

/**
 * The failure to end with: by class, then one with a status before one without, then the one that names the shortest
 * pause, then by name. The same for every order of the same candidates.
 */
export function chooseFinal<T extends FinalCandidate>(candidates: readonly T[]): T | undefined {
  return candidates.toSorted(compare)[0];
}

function compare(left: FinalCandidate, right: FinalCandidate): number {
  const [a, b] = [left.verdict, right.verdict];
  return (
    precedence.indexOf(a.class) - precedence.indexOf(b.class) ||
    Number(b.failure.status !== undefined) - Number(a.failure.status !== undefined) ||
    (a.failure.pushbackMs ?? Number.MAX_SAFE_INTEGER) - (b.failure.pushbackMs ?? Number.MAX_SAFE_INTEGER) ||
    (left.upstream < right.upstream ? -1 : left.upstream > right.upstream ? 1 : 0)
  );
}

/** When to come back: the earliest of those that may be asked again; `undefined` where nobody asked for a pause. */
export function comeBackMs(heldForMs: readonly number[]): number | undefined {
  const asked = heldForMs.filter((ms) => ms > 0);
  return asked.length === 0 || asked.length < heldForMs.length ? undefined : Math.ceil(Math.min(...asked));
}

/** The error of a request that no upstream of a pool has answered. */
export function poolErrorFor(
  reason: GiveUpReason,
  failure: Failure,
  cause: unknown,
  ledger: Ledger,
  nowMs: number,
): GaveUpError | DeadlineError {
  const place = { atByte: ledger.deliveredBytes, totalBytes: undefined };
  const first = describeGiveUp(reason, failure, ledger, place, nowMs);
  const message = [first, ...trailOfLedger(ledger).map(describeEntry), ...describeCauses({ cause })].join('\n');
  const parts = { cause, ledger, failure };
  const error = reason === 'deadline' ? new DeadlineError(message, parts) : new GaveUpError(reason, message, parts);
  tagFailure(error, failure);
  return error;
}

/** `attempt 2, round 1, b: HTTP 503 Service Unavailable, after 12 ms` */
function describeEntry(entry: TrailEntry): string {
  const { attemptNumber, roundNumber, upstream, failure, durationMs } = entry;
  const what = failure === undefined ? 'no failure' : describeFailure(failure);
  const after = durationMs === undefined ? '' : `, after ${formatDuration(durationMs)}`;
  return `attempt ${attemptNumber}, round ${roundNumber}, ${upstream}: ${what}${after}`;
}
