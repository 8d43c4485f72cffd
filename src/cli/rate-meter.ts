/** Bytes per second over the last few seconds: long enough to be calm, short enough to be true. */
const WINDOW_MS = 5_000;
const SAMPLE_MS = 200;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export class RateMeter {
  #samples: Sample[] = [];

  add(atMs: number, bytes: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    else if (last !== undefined && this.#samples.length > 1 && atMs - this.#samples.at(-2)!.atMs < SAMPLE_MS)
      this.#samples.pop();
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && atMs - this.#samples[1]!.atMs > WINDOW_MS) this.#samples.shift();
  }

  bytesPerSecond(nowMs: number): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || first === last) return undefined;
    const spanMs = Math.max(nowMs, last.atMs) - first.atMs;
    return spanMs <= 0 ? undefined : ((last.bytes - first.bytes) / spanMs) * 1_000;
  }
}
