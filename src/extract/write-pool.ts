/** Small files are written several at a time: one by one, most of their time is spent waiting for the disk's answers. */
const MAX_WRITES = 8;

export class WritePool {
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** @throws what an earlier task threw */
  async add(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= MAX_WRITES) await Promise.race(this.#running);
    this.#throwFailure();
    const running = task()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Everything is written, or the first error of a task is thrown. */
  async drain(): Promise<void> {
    await this.settle();
    this.#throwFailure();
  }

  /** Nothing runs any more, whatever came of it. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
