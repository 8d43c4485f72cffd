import type { ByteWriter } from './destination.ts';

/** Written at once where the line is fast enough: fewer, larger writes. */
const COALESCE_BYTES = 262_144;
/** What one connection may have in memory before it has to wait. */
const QUEUE_BYTES = 1_048_576;

export interface PartSink {
  /** @returns a promise where the disk is behind: more has to wait for it */
  accept(chunk: Buffer, atByte: number): Promise<void> | undefined;
  /** All of it, at its place. */
  writeAll(chunks: readonly Buffer[], atByte: number): Promise<void>;
  onClosed(writer: PartWriter): void;
}

/** One connection's way into the part file: positioned, coalesced, bounded. */
export class PartWriter implements ByteWriter {
  readonly #sink: PartSink;
  #acceptedByte: number;
  #writtenByte: number;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | undefined;
  /** What could not be written leaves a hole: nothing more is written behind it. */
  #error: unknown;

  constructor(sink: PartSink, atByte: number) {
    this.#sink = sink;
    this.#acceptedByte = atByte;
    this.#writtenByte = atByte;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    if (chunk.length === 0) return undefined;
    const wait = this.#sink.accept(chunk, this.#acceptedByte);
    this.#acceptedByte += chunk.length;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#writing === undefined && this.#queuedBytes >= COALESCE_BYTES) {
      this.#writing = this.#drain(COALESCE_BYTES);
      // Whoever waits for it hears of a failure; until then it is nobody's surprise.
      this.#writing.catch(() => {});
    }
    return wait ?? (this.#queuedBytes >= QUEUE_BYTES ? this.#writing : undefined);
  }

  async #drain(whileBytes: number): Promise<void> {
    try {
      if (this.#error !== undefined) throw this.#error;
      while (this.#queuedBytes >= Math.max(1, whileBytes)) {
        const [chunks, bytes] = [this.#queue, this.#queuedBytes];
        this.#queue = [];
        this.#queuedBytes = 0;
        await this.#sink.writeAll(chunks, this.#writtenByte);
        this.#writtenByte += bytes;
      }
    } catch (error) {
      this.#error = error;
      this.#queue = [];
      this.#queuedBytes = 0;
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }

  /** Everything that was accepted so far is written when it settles. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#queuedBytes === 0) return;
    this.#writing ??= this.#drain(1);
    await this.#writing;
  }

  async end(): Promise<void> {
    try {
      while (this.#queuedBytes > 0 || this.#writing !== undefined) await this.flush();
    } finally {
      this.#sink.onClosed(this);
    }
  }
}
