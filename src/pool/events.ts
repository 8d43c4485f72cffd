/** What can be watched of the requests of a pool. */
import type { Failure, GiveUpReason, OutcomeClass, Reason } from '../core/index.ts';

interface About {
  /** As the caller named it; for `fetch` and `request` the method and the path without its query. */
  readonly operation: string;
  /** 1-based. */
  readonly round: number;
  /** The number of the attempt that this is about, 1-based, the ledger's; 0 before the first. */
  readonly attempt: number;
}

interface Total {
  /** Attempts that were started: the number in the error, the trail and the ledger. */
  readonly totalAttempts: number;
  readonly totalRounds: number;
}

/** Every request ends with exactly one of `success`, `all-failed` and `stopped`. */
export type PoolEvent = About &
  (
    | { readonly type: 'attempt'; readonly upstream: string; readonly fromByte?: number }
    | {
        readonly type: 'failure';
        readonly upstream: string;
        readonly outcomeClass: OutcomeClass;
        readonly failure: Failure;
      }
    /** Another attempt follows the failed one: at once at `upstream`, or after a wait in the next round. */
    | {
        readonly type: 'retry';
        readonly delayMs: number;
        readonly because: Reason;
        readonly failure: Failure;
        readonly upstream?: string;
      }
    /** Nobody can be asked yet: all have asked for a pause. */
    | { readonly type: 'wait'; readonly delayMs: number; readonly because: Reason }
    | ({ readonly type: 'success'; readonly upstream: string } & Total)
    | ({
        readonly type: 'all-failed';
        readonly reason: GiveUpReason;
        readonly outcomeClass: OutcomeClass;
        readonly failure: Failure;
      } & Total)
    /** A caller's error, a bug on this side, or an abort. */
    | ({ readonly type: 'stopped'; readonly outcomeClass: OutcomeClass; readonly upstream?: string } & Total)
    | { readonly type: 'ejected'; readonly upstream: string; readonly forMs: number }
    | { readonly type: 'probe'; readonly upstream: string }
    | { readonly type: 'returned'; readonly upstream: string }
  );

/** What it throws is its owner's bug: told as an uncaught error, and no part of the request. */
export type PoolEventListener = (event: PoolEvent) => void;

type Details<T> = T extends unknown ? Omit<T, keyof About> : never;
export type PoolEventDetails = Details<PoolEvent>;
