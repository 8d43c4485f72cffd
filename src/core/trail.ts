import type { Failure } from './failure.ts';
import type { Ledger } from './ledger.ts';
import { type OutcomeClass, verdictOf } from './outcome-class.ts';

/** One attempt of a request in a pool. The numbers are the ledger's: events, errors and headers tell the same ones. */
export interface TrailEntry {
  /** 1-based, over all rounds and upstreams. */
  readonly attemptNumber: number;
  readonly upstream: string;
  /** 1-based. */
  readonly roundNumber: number;
  /** Since the request began. */
  readonly startedAfterMs: number;
  /** Undefined while it runs. */
  readonly durationMs: number | undefined;
  /** Absent where it ended well, and while it runs. */
  readonly outcomeClass?: OutcomeClass;
  readonly failure?: Failure;
  /** It continued the body of an answer at this byte. */
  readonly fromByte?: number;
  /** Requests on the wire. */
  readonly hops: number;
}

/** The attempts of a request, as a pool made them. */
export function trailOfLedger(ledger: Ledger): readonly TrailEntry[] {
  return ledger.attempts.map((attempt) => {
    const { failure, fromByte, endedAtMs, startedAtMs } = attempt;
    const outcomeClass = attempt.outcomeClass ?? (failure === undefined ? undefined : verdictOf(failure).class);
    return {
      attemptNumber: attempt.attemptNumber,
      upstream: attempt.upstream ?? '',
      roundNumber: attempt.roundNumber ?? 1,
      startedAfterMs: startedAtMs - ledger.startedAtMs,
      durationMs: endedAtMs === undefined ? undefined : endedAtMs - startedAtMs,
      ...(outcomeClass === undefined ? {} : { outcomeClass }),
      ...(failure === undefined ? {} : { failure }),
      ...(fromByte === undefined ? {} : { fromByte }),
      hops: attempt.hops.length,
    };
  });
}
