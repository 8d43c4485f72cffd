/** The last bytes of a stream: what a command said when it ended, in flat memory however much it said before. */
export const MAX_TAIL_BYTES = 65_536;

export class OutputTail {
  readonly #chunks: Buffer[] = [];
  #heldBytes = 0;
  #totalBytes = 0;

  add(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    while (this.#heldBytes - this.#chunks[0]!.length >= MAX_TAIL_BYTES) {
      this.#heldBytes -= this.#chunks.shift()!.length;
    }
  }

  /** All that came, kept or not. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  text(): string {
    const whole = Buffer.concat(this.#chunks);
    const last = whole.subarray(Math.max(0, whole.length - MAX_TAIL_BYTES)).toString('utf8');
    // What is cut off at its beginning may read as something that was never said.
    return this.#totalBytes > MAX_TAIL_BYTES ? last.slice(last.indexOf('\n') + 1) : last;
  }
}
