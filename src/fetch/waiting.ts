/** The one thing that a request waits for at a time; it can be cut short, and then settles at once. */
export class Waiting {
  #reject: ((reason: unknown) => void) | undefined;
  #end: { readonly error: unknown } | undefined;

  /** Waits for `work`; what it comes to after a cut is nobody's. */
  for<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
    });
  }

  /** Cuts the current wait short; others may follow. */
  cut(reason: unknown): void {
    this.#reject?.(reason);
  }

  /** The request has ended from outside of its loop: nothing is waited for any more. */
  end(error: unknown): void {
    this.#end ??= { error };
    this.cut(error);
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Asked after every wait: between its end and the next step a request may be ended from outside. */
  throwIfEnded(): void {
    if (this.#end !== undefined) throw this.#end.error;
  }
}
