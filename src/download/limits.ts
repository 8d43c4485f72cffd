/** What bounds connections and bytes from above: a batch's limits per host, and a rate. */
import type { Failure } from '../core/index.ts';
import { type Clock, sleep } from '../runtime/index.ts';

export type ConnectionOutcome =
  /** It brought bytes. */
  | { readonly kind: 'worked'; readonly bytes: number }
  /** It was refused, cut or silent before it brought any. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly delayMs: number };

export interface ConnectionLease {
  /** What became of the connection so far; may be called several times. */
  report(outcome: ConnectionOutcome): void;
  release(): void;
}

/** Asked before a connection to a host is used for a body; a batch bounds them over many downloads. */
export interface ConnectionLimits {
  /**
   * Settles when there is room. An extra connection of a file that has one already may wait for ever; it is then aborted
   * by its signal.
   */
  acquire(host: string, how: { readonly signal: AbortSignal; readonly isExtra: boolean }): Promise<ConnectionLease>;
}

const freeLease: ConnectionLease = { report: () => {}, release: () => {} };

export const noLimits: ConnectionLimits = { acquire: async () => freeLease };

/** A rate that several connections share. Bytes that have come are paid for before more are read. */
export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** Undefined, or what to wait for before more is read. */
  pay(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    const nowMs = this.#clock.nowMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes / this.#bytesPerSecond) * 1_000;
    const delayMs = this.#freeAtMs - nowMs;
    // Timers are no finer than this.
    return delayMs < 2 ? undefined : sleep(this.#clock, delayMs, signal);
  }
}
