/**
 * Tells when a deadline has come. One that is far is looked at now and then with all others, and gets a timer of its own only
 * when it is near: a timer for each request costs more than its request.
 */
import { type Clock, NOT_WATCHED, SWEEP_MS, type Sweep, type Timer, type Watched } from '../runtime/index.ts';

/** Far enough that the sweep comes by several times before it is due, also when it is late. */
const NEAR_MS = 10 * SWEEP_MS;

/**
 * Whoever works for a request when its deadline comes. An object, no closure: a closure made where a request begins kept all
 * requests before it alive from collection to collection (measured: half of all that was allocated survived).
 */
export interface DeadlineListener {
  onDeadline(): void;
}

export class DeadlineWatch implements Watched {
  readonly #dueAtMs: number;
  readonly #clock: Clock;
  readonly #sweep: Sweep;
  readonly #listener: DeadlineListener;
  #timer: Timer | undefined;
  sweepIndex = NOT_WATCHED;

  constructor(dueAtMs: number, nowMs: number, clock: Clock, sweep: Sweep, listener: DeadlineListener) {
    this.#dueAtMs = dueAtMs;
    this.#clock = clock;
    this.#sweep = sweep;
    this.#listener = listener;
    const leftMs = dueAtMs - nowMs;
    if (leftMs > NEAR_MS) sweep.add(this);
    else this.#startTimer(leftMs);
  }

  check(nowMs: number): void {
    const leftMs = this.#dueAtMs - nowMs;
    if (leftMs > NEAR_MS) return;
    this.#sweep.delete(this);
    this.#startTimer(leftMs);
  }

  #startTimer(leftMs: number): void {
    this.#timer = this.#clock.after(Math.max(0, leftMs), () => this.#listener.onDeadline(), 'idle');
  }

  cancel(): void {
    this.#sweep.delete(this);
    this.#timer?.cancel();
  }
}
