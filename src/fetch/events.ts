/** What can be watched of a request through `onEvent`. */
import type { Decision, Failure, GiveUpReason, Integrity, Outcome } from '../core/index.ts';

interface About {
  readonly method: string;
  /** Without credentials. */
  readonly url: string;
  /** 1-based. */
  readonly attemptNumber: number;
}

export type ReknitEvent = About &
  (
    | { readonly type: 'attempt'; readonly fromByte?: number }
    | { readonly type: 'response'; readonly status: number }
    | { readonly type: 'failure'; readonly failure: Failure; readonly atByte: number; readonly totalBytes?: number }
    | { readonly type: 'wait'; readonly delayMs: number; readonly decision: Decision }
    | { readonly type: 'healed'; readonly atByte: number; readonly how: 'range' | 'overlap' | 'reread' }
    | { readonly type: 'give-up'; readonly reason: GiveUpReason; readonly failure: Failure }
    | {
        readonly type: 'end';
        readonly outcome: Outcome;
        readonly integrity?: Integrity;
        readonly attempts: number;
        readonly deliveredBytes: number;
      }
  );

/** An error that it throws ends the request. */
export type EventListener = (event: ReknitEvent) => void;

type Details<T> = T extends unknown ? Omit<T, keyof About> : never;
/** What an event says beside the request that it is about. */
export type EventDetails = Details<ReknitEvent>;
