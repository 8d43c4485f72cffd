interface Waiter {
  readonly holds: () => boolean;
  readonly settle: (error?: Error) => void;
}

/** Lets tests wait for a state instead of a time. */
export class Signals {
  #waiters: Waiter[] = [];
  #closedWith: Error | undefined;

  /** Resolves as soon as `holds()` is true; rejects when the lab closes before. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    if (this.#closedWith !== undefined) return quiet(Promise.reject(this.#closedWith));
    return quiet(
      new Promise((resolve, reject) => {
        this.#waiters.push({ holds, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
    );
  }

  /** Something was written down: look again at what is waited for. */
  changed(): void {
    if (this.#waiters.length === 0) return;
    const done = this.#waiters.filter(({ holds }) => holds());
    if (done.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !done.includes(waiter));
    for (const waiter of done) waiter.settle();
  }

  close(error: Error): void {
    this.#closedWith = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.settle(error);
  }
}

/** A wait that nobody looks at any more must not end the process when the lab closes. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
