import type { BudgetOptions } from './budget.ts';

/** How often, how long, and what counts as progress. */
export interface RetryPolicy {
  /** Attempts in a row without progress, the first included: 4 tries at most four times. 1 never tries again. */
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Base of the waits after 429 and its kin; throttling lasts longer than a blip. */
  readonly throttleDelayMs: number;
  /** A longer `Retry-After` ends the request at once, with the time to come back. */
  readonly maxPushbackMs: number;
  /** New body bytes that make an attempt free and renew patience. */
  readonly minProgressBytes: number;
  /** Believe a 429, or a 503 with `Retry-After`, that the request was not run. */
  readonly trustRefusals: boolean;
  readonly transientStatuses: ReadonlySet<number>;
}

/** The clocks that bound one phase of one attempt; `deadlineMs` bounds the request, waits included. */
export interface Timeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly stallMs: number;
  /** A body slower than this over `stallMs` is a failed attempt; 0 switches the floor off. */
  readonly minBytesPerSecond: number;
  readonly deadlineMs: number | undefined;
}

export interface ConnectionLimits {
  readonly maxPerOrigin: number;
  readonly keepAlive: boolean;
  /** An idle connection older than this is not used again. Below the 5 s after which common servers close theirs. */
  readonly maxIdleMs: number;
  readonly http2: boolean;
}

/** Everything that decisions rest on, resolved once: nothing in it is optional. */
export interface Policy {
  readonly retry: RetryPolicy;
  readonly timeouts: Timeouts;
  readonly budget: BudgetOptions;
  readonly connections: ConnectionLimits;
  /** The most bytes of a one-shot request body that are kept so that it can be sent again. */
  readonly replayBufferBytes: number;
}

/** Tries to find a name that the resolver says does not exist: names flap, but rarely for long. */
export const MAX_ATTEMPTS_NAME_NOT_FOUND = 3;
/** How much of the delivered end is asked for again, and compared, where there is no validator. */
export const OVERLAP_BYTES = 65_536;
/** Redirects followed within one attempt; the Fetch Standard's number. */
export const MAX_REDIRECTS = 20;
/** How much of a failed answer is read so that its connection can be kept; beyond it the connection is cut. */
export const MAX_DRAIN_BYTES = 65_536;
/** How long the rest of a failed answer is waited for; a peer that stalls there must not hold the connection. */
export const MAX_DRAIN_MS = 1_000;
/** How much of a failed answer is kept for the error. */
export const MAX_ERROR_BODY_BYTES = 1_024;
/** Wrong answers in a row to a range request, before reading from byte 0 is tried instead. */
export const MAX_BAD_RESUMES = 2;
