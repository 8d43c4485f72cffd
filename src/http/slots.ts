/**
 * How many requests go to one origin (or through one proxy) at once. Waiting here has no phase of its own: the connection's
 * clocks start when a slot was given.
 */
/** Long against the waits after a refusal, so that asking for more costs few of them. */
const MS_BEFORE_ONE_MORE = 5_000;

export class Slots {
  readonly #maxLimit: number;
  readonly #nowMs: () => number;
  #limit: number;
  #changedAtMs = 0;
  #used = 0;
  #isHandingOut = false;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number, nowMs: () => number) {
    this.#maxLimit = limit;
    this.#limit = limit;
    this.#nowMs = nowMs;
  }

  get used(): number {
    return this.#used;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `start` now or when a slot is free; whoever got a slot gives it back with `release`. */
  take(start: () => void): void {
    if (this.tryTake()) start();
    else this.#waiting.push(start);
  }

  /** A slot at once, or none. */
  tryTake(): boolean {
    if (this.#used >= this.limit) return false;
    this.#used += 1;
    return true;
  }

  /** Bound, so that a hop can hold it as it is. */
  readonly release = (): void => {
    this.#used -= 1;
    // Who is next may give its slot back within the call (it was aborted while it waited): one loop, no recursion.
    if (this.#isHandingOut) return;
    this.#isHandingOut = true;
    try {
      this.#handOut();
    } finally {
      this.#isHandingOut = false;
    }
  };

  #handOut(): void {
    while (this.#used < this.limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#used += 1;
      next();
    }
  }

  /** One fewer at once than now; those that run are not disturbed. */
  lower(): void {
    this.#limit = Math.max(1, Math.min(this.limit, this.#used) - 1);
    this.#changedAtMs = this.#nowMs();
  }

  /** It comes back by one for every while without a refusal: nothing stays throttled for ever. */
  get limit(): number {
    if (this.#limit === this.#maxLimit) return this.#limit;
    const steps = Math.floor((this.#nowMs() - this.#changedAtMs) / MS_BEFORE_ONE_MORE);
    if (steps > 0) {
      this.#limit = Math.min(this.#maxLimit, this.#limit + steps);
      this.#changedAtMs += steps * MS_BEFORE_ONE_MORE;
    }
    return this.#limit;
  }
}
