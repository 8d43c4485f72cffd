import type { Clock, Runtime, Timer } from './clock.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** A clock that the owner moves: nothing happens between its steps, and equal times fire in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #entries = new Set<Entry>();
  readonly #wallStartMs: number;

  constructor(wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#wallStartMs = wallStartMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  after(delayMs: number, act: () => void): Timer {
    const entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, act };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry), keepAlive: () => {} };
  }

  get pending(): number {
    return this.#entries.size;
  }

  /** Fires the next timer, moving time to it. False when there is none. */
  step(): boolean {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      if (next === undefined || entry.atMs < next.atMs || (entry.atMs === next.atMs && entry.order < next.order))
        next = entry;
    }
    if (next === undefined) return false;
    this.#entries.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.act();
    return true;
  }
}

/** mulberry32: small, seeded, good enough to spread test cases. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function virtualRuntime(seed: number, clock = new VirtualClock()): Runtime & { readonly clock: VirtualClock } {
  return { clock, random: seededRandom(seed) };
}
