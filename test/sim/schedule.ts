/** A fault schedule as plain data: everything that happens to one request, and all that is needed to replay it. */

/** How the k-th send of a request goes wrong. What does not apply to that send (a lie about a range that was not asked for) is served truthfully. */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'connect-error'; readonly code: ConnectCode }
  | { readonly kind: 'connect-timeout' }
  | { readonly kind: 'reset-after-send' }
  /** A kept connection that was dead already. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'no-headers' }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly body: 'small' | 'large' | 'stalls' | 'cut';
    }
  | { readonly kind: 'cut'; readonly permille: number; readonly how: CutHow }
  | { readonly kind: 'stall'; readonly permille: number }
  | { readonly kind: 'trickle'; readonly permille: number }
  | { readonly kind: 'lie'; readonly how: Lie; readonly cutPermille: number | undefined }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: 'same' | 'other-origin' | 'nowhere' };

export type ConnectCode = 'ECONNREFUSED' | 'EAI_AGAIN' | 'ENOTFOUND' | 'EHOSTUNREACH' | 'CERT_HAS_EXPIRED';

/** `clean`: the connection ends as if the body had: an error where the framing tells, an end where it does not. */
export type CutHow = 'reset' | 'clean' | 'mismatch';

/** Wrong answers to a request for a part; `empty-200` and the like also when the whole is asked for again. */
export const lies = [
  'starts-earlier',
  'starts-later',
  'starts-at-zero',
  'other-total',
  'other-etag',
  'no-validator',
  'no-content-range',
  'other-type',
  'other-coding',
  'short',
  'too-long',
  'whole-with-content-range',
  'unsatisfied',
  'unsatisfied-at-place',
  'empty-200',
  'portal-200',
  'no-content-204',
] as const;
export type Lie = (typeof lies)[number];

export type Framing = 'length' | 'chunked' | 'close';
export type Validator = 'strong' | 'weak' | 'date' | 'young-date' | 'none';
export type Ranges = 'honoured' | 'ignored' | 'refused' | 'if-range-ignored';

export interface Representation {
  readonly bytes: number;
  readonly framing: Framing;
  /** Framing of whole answers to later sends: another node of the same origin, a proxy that re-frames. */
  readonly againFraming: Framing;
  /** Framing of 206 answers. */
  readonly partFraming: Framing;
  readonly validator: Validator;
  readonly ranges: Ranges;
  /** A 206 repeats its validators. */
  readonly repeatsValidator: boolean;
}

export interface Change {
  /** From this send on (0-based) the server has the next version. */
  readonly atSend: number;
  /**
   * `grown`: shares all of its beginning with the version before; `tail`: only its end differs; `tail-longer`: that,
   * and it is longer; `islands`: its first and
   * last 1,000 bytes differ, so that a comparison of 64 KiB between them sees nothing; `cut-at-place`: ends where the
   * first cut was.
   */
  readonly how: 'other' | 'other-length' | 'grown' | 'tail' | 'tail-longer' | 'islands' | 'cut-at-place';
}

export interface RequestPlan {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly body: 'none' | 'string' | 'one-shot' | 'slow-one-shot' | 'factory' | 'iterable' | 'failing-factory';
  readonly bodyBytes: number;
  readonly replayBufferBytes: number;
  readonly range: string | undefined;
  readonly idempotencyKey: boolean;
  readonly deadlineMs: number | undefined;
  readonly mayOverlapBlindly: boolean;
}

export interface ConsumerPlan {
  /** `dispatch`: the healing dispatcher; `call`: one call that follows redirects below; `fetch`: above; `whole`: bytes. */
  readonly kind: 'dispatch' | 'call' | 'fetch' | 'whole';
  /** Pauses after every n-th chunk; 0 never. */
  readonly pausesEvery: number;
  readonly pauseMs: number;
  readonly abort: { readonly atChunk: number } | { readonly atMs: number } | undefined;
}

export interface PolicyPlan {
  readonly maxAttempts: number;
  readonly capacity: number;
  readonly minProgressBytes: number;
}

export interface Schedule {
  readonly seed: number;
  readonly representation: Representation;
  readonly changes: readonly Change[];
  readonly faults: readonly Fault[];
  readonly request: RequestPlan;
  readonly consumer: ConsumerPlan;
  readonly policy: PolicyPlan;
  readonly chunkBytes: number;
}
