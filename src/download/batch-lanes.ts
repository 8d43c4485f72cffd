/** Which file of a batch is next: in order, but large files leave some places to the others. Pure but for its own queues. */

/** From here on a file is large: at 10 MB/s it takes seconds. */
export const LARGE_BYTES = 16 * 1_048_576;

/** Of so many places the rest is a lane for small files, as long as some wait. */
export function largePlacesOf(jobs: number): number {
  return jobs === 1 ? 1 : jobs - Math.max(1, jobs >> 2);
}

export interface Queued {
  /** Of the batch, 0-based. */
  readonly index: number;
  readonly isLarge: boolean;
}

export class Lanes {
  readonly #jobs: number;
  readonly #small: number[] = [];
  readonly #large: number[] = [];
  #smallRunning = 0;
  #largeRunning = 0;

  constructor(jobs: number, files: readonly Queued[]) {
    this.#jobs = jobs;
    for (const { index, isLarge } of files) (isLarge ? this.#large : this.#small).push(index);
    // The next one is taken from the end.
    this.#small.reverse();
    this.#large.reverse();
  }

  get waiting(): number {
    return this.#small.length + this.#large.length;
  }

  /** Takes the next one out; undefined where there is none, or no place for it. */
  next(): Queued | undefined {
    if (this.#smallRunning + this.#largeRunning >= this.#jobs) return undefined;
    const [small, large] = [this.#small.at(-1), this.#large.at(-1)];
    const mayBeLarge = small === undefined || this.#largeRunning < largePlacesOf(this.#jobs);
    const isLarge = large !== undefined && mayBeLarge && (small === undefined || large < small);
    const index = isLarge ? this.#large.pop() : this.#small.pop();
    // Large ones that have no place wait for one, unless only they are left.
    if (index === undefined) return undefined;
    if (isLarge) this.#largeRunning += 1;
    else this.#smallRunning += 1;
    return { index, isLarge };
  }

  /**
   * One that runs as small turned out to be large. @returns whether it may go on; otherwise it waits with the large ones,
   * and the small ones go on in its place
   */
  grew(index: number): boolean {
    const mayGoOn = this.#small.length === 0 || this.#largeRunning < largePlacesOf(this.#jobs);
    this.#smallRunning -= 1;
    if (mayGoOn) this.#largeRunning += 1;
    else this.#large.push(index);
    return mayGoOn;
  }

  ended(isLarge: boolean): void {
    if (isLarge) this.#largeRunning -= 1;
    else this.#smallRunning -= 1;
  }
}
