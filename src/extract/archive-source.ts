/** Where an archive's bytes come from. A failure of the source stays the source's, however deep it surfaces. */
import { createReadStream } from 'node:fs';
import { PassThrough, type Writable } from 'node:stream';
import { onDisk } from './local-trouble.ts';

/**
 * Writes the archive into `output` and resolves once its bytes are proven; the stream is not to be ended by it. `signal`
 * is aborted as soon as nobody wants the rest.
 */
export type ArchiveProducer = (output: Writable, signal: AbortSignal) => Promise<unknown>;

/** A file's path, bytes in order, or a function that brings them. */
export type ArchiveInput = string | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ArchiveProducer;

const READ_BYTES = 262_144;

interface Opened {
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Settles when nothing runs any more. */
  close(): Promise<void>;
}

export class ArchiveSource implements AsyncIterable<Buffer> {
  /** Read so far; what was only looked at counts. */
  bytes = 0;
  /** The source's own error, or the reason of an abort. */
  failure: { readonly error: unknown } | undefined;
  readonly #opened: Opened;
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #kept: Buffer[] = [];
  #stopWaiting: ((error: unknown) => void) | undefined;

  constructor(input: ArchiveInput, signal: AbortSignal | undefined) {
    this.#opened = open(input, signal);
    const { chunks } = this.#opened;
    this.#iterator =
      Symbol.asyncIterator in chunks
        ? chunks[Symbol.asyncIterator]()
        : (chunks as Iterable<Uint8Array>)[Symbol.iterator]();
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.failure ??= { error: this.#signal!.reason };
    this.#stopWaiting?.(this.#signal!.reason);
  };

  /** The first bytes, fewer where there are no more; they are still read afterwards. */
  async peek(count: number): Promise<Buffer> {
    let held = Buffer.concat(this.#kept);
    while (held.length < count) {
      const chunk = await this.#pull();
      if (chunk === undefined) break;
      this.#kept.push(chunk);
      held = Buffer.concat([held, chunk]);
    }
    return held.subarray(0, count);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (true) {
      const chunk = this.#kept.shift() ?? (await this.#pull());
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  /** Reads what is left: only a source that ended well has proven its bytes. */
  async drain(): Promise<void> {
    for await (const _ of this);
  }

  async #pull(): Promise<Buffer | undefined> {
    if (this.failure !== undefined) throw this.failure.error;
    try {
      const step = await this.#next();
      if (step.done === true) return undefined;
      const { value } = step;
      this.bytes += value.byteLength;
      return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    } catch (error) {
      this.failure ??= { error };
      throw this.failure.error;
    }
  }

  /** Hears an abort also where the source does not. */
  #next(): Promise<IteratorResult<Uint8Array>> {
    this.#signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#stopWaiting = reject;
      Promise.resolve(this.#iterator.next()).then(resolve, reject);
    });
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWaiting?.(new Error('nobody reads the archive any more'));
    // A generator that waits for bytes answers only when they come: nobody waits for that.
    Promise.resolve(this.#iterator.return?.()).catch(() => {});
    await this.#opened.close();
  }
}

function open(input: ArchiveInput, signal: AbortSignal | undefined): Opened {
  if (typeof input === 'function') return openProducer(input, signal);
  if (typeof input === 'string') return { chunks: readFile(input), close: async () => {} };
  return {
    chunks: input,
    close: async () => {
      const { destroy } = input as { readonly destroy?: unknown };
      if (typeof destroy === 'function') destroy.call(input);
    },
  };
}

async function* readFile(path: string): AsyncGenerator<Buffer> {
  const chunks = createReadStream(path, { highWaterMark: READ_BYTES })[Symbol.asyncIterator]();
  try {
    while (true) {
      const { done, value } = await onDisk('read', path, () => chunks.next());
      if (done === true) return;
      yield value as Buffer;
    }
  } finally {
    await chunks.return?.();
  }
}

function openProducer(produce: ArchiveProducer, signal: AbortSignal | undefined): Opened {
  const output = new PassThrough({ highWaterMark: READ_BYTES });
  output.on('error', () => {});
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const producing = produce(output, stopped).then(
    () => void output.end(),
    (error: unknown) => {
      failure = { error };
      output.destroy(new Error('the source failed', { cause: error }));
    },
  );
  return {
    chunks: unwrapped(output, () => failure),
    close: async () => {
      stop.abort(new Error('nobody reads the archive any more'));
      output.destroy();
      await producing;
    },
  };
}

/** A stream can only be destroyed with an `Error`; whoever reads gets what the producer rejected with. */
async function* unwrapped(
  output: PassThrough,
  failure: () => { readonly error: unknown } | undefined,
): AsyncGenerator<Buffer> {
  try {
    yield* output as AsyncIterable<Buffer>;
  } catch (error) {
    throw failure()?.error ?? error;
  }
}
