/** The clocks of one attempt: the wait for headers, silence in the body, and a floor under its rate. */
import { NOT_WATCHED, type Sweep, type Watched } from '../runtime/index.ts';

export interface WatchLimits {
  readonly headersMs: number;
  readonly stallMs: number;
  readonly minBytesPerSecond: number;
}

/** The two ways in which a program may be left waiting, and the rate that counts as trickling. */
export type WatchAlarm =
  | { readonly kind: 'headers'; readonly afterMs: number }
  | { readonly kind: 'stall'; readonly afterMs: number }
  | { readonly kind: 'trickle'; readonly bytesPerSecond: number };

export interface Watchee {
  /** Body bytes that moved on the wire so far, either way; only its changes matter. */
  readonly movedBytes: number;
  readonly isPaused: boolean;
  /** The limits as they are now: under an unmodified program they depend on what could be done about it. */
  limits(phase: 'headers' | 'body'): WatchLimits | undefined;
  onAlarm(alarm: WatchAlarm): void;
}

/** A sweep that comes later than this was held up by our own process. */
const MAX_SWEEP_GAP_MS = 1_000;

export class AttemptWatch implements Watched {
  readonly #watchee: Watchee;
  readonly #sweep: Sweep;
  sweepIndex = NOT_WATCHED;
  #phase: 'headers' | 'body' = 'headers';
  /** When something last moved, as seen by the sweep; times of single chunks are not taken, they would cost. */
  #movedAtMs = 0;
  #seenBytes = 0;
  #windowStartMs = 0;
  #windowBytes = 0;
  #checkedAtMs = 0;

  constructor(watchee: Watchee, sweep: Sweep) {
    this.#watchee = watchee;
    this.#sweep = sweep;
  }

  start(phase: 'headers' | 'body', nowMs: number): void {
    this.#phase = phase;
    this.#checkedAtMs = nowMs;
    this.#restart(nowMs);
    this.#sweep.add(this);
  }

  stop(): void {
    this.#sweep.delete(this);
  }

  check(nowMs: number): void {
    const { movedBytes, isPaused } = this.#watchee;
    const sinceLastMs = nowMs - this.#checkedAtMs;
    this.#checkedAtMs = nowMs;
    // We were not there ourselves (a blocked event loop, a suspended machine): what came meanwhile is still unread.
    if (isPaused || sinceLastMs > MAX_SWEEP_GAP_MS) {
      this.#restart(nowMs);
      return;
    }
    if (movedBytes !== this.#seenBytes) {
      this.#seenBytes = movedBytes;
      this.#movedAtMs = nowMs;
    }
    const limits = this.#watchee.limits(this.#phase);
    if (limits === undefined) this.#restart(nowMs);
    else if (this.#phase === 'headers') this.#checkHeaders(limits, nowMs);
    else this.#checkBody(limits, nowMs);
  }

  #restart(nowMs: number): void {
    this.#movedAtMs = nowMs;
    this.#seenBytes = this.#watchee.movedBytes;
    this.#windowStartMs = nowMs;
    this.#windowBytes = this.#seenBytes;
  }

  #checkHeaders({ headersMs }: WatchLimits, nowMs: number): void {
    const silentMs = nowMs - this.#movedAtMs;
    if (silentMs >= headersMs) this.#watchee.onAlarm({ kind: 'headers', afterMs: headersMs });
  }

  #checkBody({ stallMs, minBytesPerSecond }: WatchLimits, nowMs: number): void {
    const silentMs = nowMs - this.#movedAtMs;
    if (silentMs >= stallMs) {
      this.#watchee.onAlarm({ kind: 'stall', afterMs: stallMs });
      return;
    }
    const windowMs = nowMs - this.#windowStartMs;
    if (windowMs < stallMs) return;
    const bytesPerSecond = ((this.#seenBytes - this.#windowBytes) * 1000) / windowMs;
    if (bytesPerSecond < minBytesPerSecond) {
      this.#watchee.onAlarm({ kind: 'trickle', bytesPerSecond });
      return;
    }
    this.#windowStartMs = nowMs;
    this.#windowBytes = this.#seenBytes;
  }
}
