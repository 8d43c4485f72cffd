/**
 * How many requests go to one origin (or through one proxy) at once. Waiting here has no phase of its own: the connection's
 * clocks start when a slot was given.
 */
export class Slots {
  #limit: number;
  #used = 0;
  #isHandingOut = false;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
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
    if (this.#used >= this.#limit) return false;
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
    while (this.#used < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#used += 1;
      next();
    }
  }

  /** Fewer at once from now on; those that run are not disturbed. */
  lowerTo(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#limit, limit));
  }

  get limit(): number {
    return this.#limit;
  }
}
