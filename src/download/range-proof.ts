/** Whether ranges are honoured: until an answer says so, the one that brings everything is not cut short for a part. */
export class RangeProof {
  #isKnown: boolean;
  #waiting: (() => void)[] = [];

  constructor(isKnown: boolean) {
    this.#isKnown = isKnown;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** A part came where a part was asked for. */
  learn(): void {
    this.#isKnown = true;
    this.tell();
  }

  /** A connection was answered, or ended: whoever waits looks again. */
  tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Settles with what is told next. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
