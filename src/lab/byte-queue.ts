/** Bytes that arrive by events and are asked for by promises. */
export class ByteQueue {
  #bytes: Buffer[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;

  push(bytes: Buffer): void {
    this.#bytes.push(bytes);
    this.#wake?.();
  }

  /** No more bytes will come. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** The next bytes in whatever size they came; `undefined` once the queue has ended. */
  async next(): Promise<Buffer | undefined> {
    while (this.#bytes.length === 0) {
      if (this.#isEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#bytes.shift();
  }

  /** Gives back bytes that belong to what comes next. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#bytes.unshift(bytes);
  }
}
