import type { Clock, Timer } from './clock.ts';

/** Something that wants to be looked at now and then, until it is removed. */
export interface Watched {
  check(nowMs: number): void;
  /** Its place among the watched; the sweep's own business, `NOT_WATCHED` to begin with. */
  sweepIndex: number;
}

export const NOT_WATCHED = -1;

/** How often watched things are looked at. One timer for all of them: a timer per request costs more than its request. */
export const SWEEP_MS = 100;

/**
 * One shared timer over everything that is watched; it runs only while something is, and keeps the process alive that
 * long: a connection can go without a word (undici loses the errors of some sessions and records), and a process that only
 * waited for it would end in silence.
 *
 * An array, no `Set`: a `Set` under steady adding and deleting is rehashed again and again, V8 chains each old table to the
 * next, and through that chain everything that was ever watched outlives the collections of the young generation
 * (measured: a third of the CPU time of a small request).
 */
export class Sweep {
  readonly #clock: Clock;
  readonly #watched: Watched[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(watched: Watched): void {
    if (watched.sweepIndex !== NOT_WATCHED) return;
    watched.sweepIndex = this.#watched.push(watched) - 1;
    if (this.#timer === undefined) this.#timer = this.#clock.after(SWEEP_MS, this.#tick);
    else if (this.#watched.length === 1) this.#timer.keepAlive(true);
  }

  delete(watched: Watched): void {
    const index = watched.sweepIndex;
    if (index === NOT_WATCHED) return;
    watched.sweepIndex = NOT_WATCHED;
    const last = this.#watched.pop()!;
    if (this.#watched.length === 0) this.#timer?.keepAlive(false);
    if (last === watched) return;
    this.#watched[index] = last;
    last.sweepIndex = index;
  }

  get size(): number {
    return this.#watched.length;
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    // Backwards: who leaves during its own check is replaced by one that was checked already.
    for (let i = this.#watched.length - 1; i >= 0; i -= 1) this.#watched[i]?.check(nowMs);
    // What was looked at may have begun something that is watched: its timer runs already.
    if (this.#watched.length > 0) this.#timer ??= this.#clock.after(SWEEP_MS, this.#tick);
  };

  stop(): void {
    for (const watched of this.#watched) watched.sweepIndex = NOT_WATCHED;
    this.#watched.length = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
