import type { ByteWriter } from './destination.ts';

/** What is written at once. */
const BLOCK_BYTES = 262_144;
/** What one connection may have in memory before it has to wait. */
const QUEUE_BYTES = 4 * BLOCK_BYTES;
/** Blocks that are kept for the next one. */
const MAX_SPARE_BLOCKS = 16;

/**
 * Memory that is written from, again and again. Received bytes are copied into it: a small chunk may be a view of a large
 * buffer, and a queue of such views would hold many times what it counts.
 */
const spare: Buffer[] = [];

function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
}

function giveBack(block: Buffer): void {
  if (spare.length < MAX_SPARE_BLOCKS) spare.push(block);
}

export interface PartSink {
  /** @returns a promise where the disk is behind: more has to wait for it */
  accept(chunk: Buffer, atByte: number): Promise<void> | undefined;
  /** All of it, at its place. */
  writeAll(chunks: readonly Buffer[], atByte: number): Promise<void>;
  onClosed(writer: PartWriter): void;
}

interface Filled {
  readonly block: Buffer;
  readonly bytes: number;
}

/** One connection's way into the part file: positioned, coalesced, bounded. */
export class PartWriter implements ByteWriter {
  readonly #sink: PartSink;
  #acceptedByte: number;
  #writtenByte: number;
  #queue: Filled[] = [];
  #block: Buffer | undefined;
  #blockBytes = 0;
  #writing: Promise<void> | undefined;
  /** What could not be written leaves a hole: nothing more is written behind it. */
  #error: unknown;

  constructor(sink: PartSink, atByte: number) {
    this.#sink = sink;
    this.#acceptedByte = atByte;
    this.#writtenByte = atByte;
  }

  get #queuedBytes(): number {
    return this.#acceptedByte - this.#writtenByte;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    if (chunk.length === 0) return undefined;
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const wait = this.#sink.accept(chunk, this.#acceptedByte);
    this.#acceptedByte += chunk.length;
    this.#fill(chunk);
    if (this.#queue.length > 0) this.#drain();
    return wait ?? (this.#queuedBytes >= QUEUE_BYTES ? this.#writing : undefined);
  }

  #fill(chunk: Buffer): void {
    let done = 0;
    while (done < chunk.length) {
      this.#block ??= takeBlock();
      const copied = chunk.copy(this.#block, this.#blockBytes, done);
      done += copied;
      this.#blockBytes += copied;
      if (this.#blockBytes === BLOCK_BYTES) this.#close();
    }
  }

  /** What is in the block is ready to be written. */
  #close(): void {
    if (this.#block === undefined) return;
    this.#queue.push({ block: this.#block, bytes: this.#blockBytes });
    this.#block = undefined;
    this.#blockBytes = 0;
  }

  #drain(): void {
    if (this.#writing !== undefined) return;
    this.#writing = this.#writeQueue();
    // Whoever waits for it hears of a failure; until then it is nobody's surprise.
    this.#writing.catch(() => {});
  }

  async #writeQueue(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const filled = this.#queue;
        this.#queue = [];
        await this.#writeFilled(filled);
      }
    } catch (error) {
      this.#error = error;
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeFilled(filled: readonly Filled[]): Promise<void> {
    const chunks = filled.map(({ block, bytes }) => block.subarray(0, bytes));
    await this.#sink.writeAll(chunks, this.#writtenByte);
    for (const { block, bytes } of filled) {
      this.#writtenByte += bytes;
      giveBack(block);
    }
  }

  /** Everything that was accepted so far is written when it settles. */
  async flush(): Promise<void> {
    this.#close();
    if (this.#queue.length > 0 && this.#error === undefined) this.#drain();
    await this.#writing;
  }

  async end(): Promise<void> {
    try {
      await this.flush();
      if (this.#error !== undefined) throw this.#error;
    } finally {
      this.#sink.onClosed(this);
    }
  }
}
