import type { Clock, Timer } from './clock.ts';

/** Something that wants to be looked at now and then, until it is removed. */
export interface Watched {
  check(nowMs: number): void;
}

/** How often watched things are looked at. One timer for all of them: a timer per request costs more than its request. */
export const SWEEP_MS = 100;

/** One shared timer over everything that is watched; it runs only while something is. */
export class Sweep {
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    this.#timer ??= this.#clock.after(SWEEP_MS, this.#tick, 'idle');
  }

  delete(watched: Watched): void {
    this.#watched.delete(watched);
  }

  get size(): number {
    return this.#watched.size;
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    for (const watched of this.#watched) watched.check(nowMs);
    if (this.#watched.size > 0) this.#timer = this.#clock.after(SWEEP_MS, this.#tick, 'idle');
  };

  stop(): void {
    this.#watched.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
