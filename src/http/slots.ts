/**
 * How many requests go to one origin (or through one proxy) at once. Waiting here has no phase of its own: the connection's
 * clocks start when a slot was given.
 */
/** A refusal costs an attempt of whoever met it: more are asked for rarely, and best when others have just ended well. */
const MS_BEFORE_ONE_MORE = 30_000;
const MS_BEFORE_ONE_MORE_THAT_EARNED_IT = 1_000;

export class Slots {
  readonly #maxLimit: number;
  readonly #nowMs: () => number;
  #limit: number;
  #changedAtMs = 0;
  #goodEnds = 0;
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
    this.#goodEnds = 0;
  }

  get isLowered(): boolean {
    return this.#limit < this.#maxLimit;
  }

  /** After as many good ends as may run at once, one more may. */
  wentWell(): void {
    this.#goodEnds += 1;
    const nowMs = this.#nowMs();
    const isEarned = this.#goodEnds >= this.#limit && nowMs - this.#changedAtMs >= MS_BEFORE_ONE_MORE_THAT_EARNED_IT;
    if (!this.isLowered || !isEarned) return;
    this.#limit += 1;
    this.#changedAtMs = nowMs;
    this.#goodEnds = 0;
  }

  /** It also comes back by one for every long while without a refusal: nothing stays throttled for ever. */
  get limit(): number {
    if (!this.isLowered) return this.#limit;
    const steps = Math.floor((this.#nowMs() - this.#changedAtMs) / MS_BEFORE_ONE_MORE);
    if (steps > 0) {
      this.#limit = Math.min(this.#maxLimit, this.#limit + steps);
      this.#changedAtMs += steps * MS_BEFORE_ONE_MORE;
    }
    return this.#limit;
  }
}
