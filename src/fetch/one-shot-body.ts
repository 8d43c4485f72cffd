/** A request body that can be read once: what was read is kept, up to a bound, so that another attempt can begin at its start. */
import { tagFailure, unreadableBody } from '../core/index.ts';
import type { BodyParts, RequestBody } from './request-body.ts';

export class OneShotBody implements RequestBody {
  readonly unwatchedBytes = 0;
  uploadedBytes = 0;
  sourceError: { readonly error: unknown } | undefined;
  readonly #source: Source;
  readonly #limitBytes: number;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** How many of `#kept` the current attempt has taken. */
  #taken = 0;
  /** What the current attempt has yet to get once the bound was passed and nothing is kept any more. */
  readonly #spilled: Uint8Array[] = [];
  #isWhole = true;
  #isDone = false;
  #pull: Promise<void> | undefined;
  /** Only the newest attempt may go on; a dead one's stream may still be waiting for the source. */
  #generation = 0;

  /** @throws TypeError if the stream is locked or was read from: what is left of it is not the body */
  constructor(source: ReadableStream | AsyncIterable<unknown>, limitBytes: number) {
    this.#source = openSource(source);
    this.#limitBytes = limitBytes;
  }

  get isStarved(): boolean {
    return this.#pull !== undefined;
  }

  isReplayable(): boolean {
    return this.#isWhole;
  }

  async prepare(): Promise<void> {}

  produce(): BodyParts {
    this.#generation += 1;
    const generation = this.#generation;
    this.#taken = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => this.#feed(generation, controller);
    return { body: new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 }), duplex: 'half' };
  }

  async #feed(generation: number, controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (true) {
      // Ending quietly here would let a dead attempt close its body as if it were whole.
      if (generation !== this.#generation) throw new Error('a newer attempt sends this request body');
      const next = this.#isWhole ? this.#kept[this.#taken] : this.#spilled.shift();
      if (next !== undefined) {
        this.#taken += 1;
        this.uploadedBytes += next.byteLength;
        controller.enqueue(next);
        return;
      }
      if (this.#isDone) {
        controller.close();
        return;
      }
      this.#pull ??= this.#takeIn();
      await this.#pull;
    }
  }

  async #takeIn(): Promise<void> {
    try {
      const result = await this.#source.next();
      if (result.done === true) this.#isDone = true;
      else this.#keep(asBytes(result.value));
    } catch (error) {
      this.sourceError = { error };
      // The platform wraps it; the caller's failure is no network error, whatever its code says.
      if (typeof error === 'object' && error !== null) tagFailure(error, unreadableBody);
      throw error;
    } finally {
      this.#pull = undefined;
    }
  }

  #keep(chunk: Uint8Array): void {
    // An empty chunk would end a chunked body on some platforms.
    if (chunk.byteLength === 0) return;
    this.#keptBytes += chunk.byteLength;
    if (this.#isWhole && this.#keptBytes <= this.#limitBytes) {
      // A copy: the source may use its buffer again.
      this.#kept.push(chunk.slice());
      return;
    }
    if (this.#isWhole) this.#spilled.push(...this.#kept.slice(this.#taken));
    this.#spilled.push(chunk);
    this.#isWhole = false;
    this.#kept = [];
  }

  release(): void {
    this.#generation += 1;
    this.#isWhole = false;
    this.#kept = [];
    this.#spilled.length = 0;
    if (this.#isDone || this.sourceError !== undefined) return;
    this.#isDone = true;
    this.#source.cancel();
  }
}

interface Source {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  cancel(): void;
}

function openSource(source: ReadableStream | AsyncIterable<unknown>): Source {
  if (!(source instanceof ReadableStream)) return openIterable(source);
  // Only the platform can tell whether a stream was read from; making a body of it asks.
  const reader = (new Response(source).body ?? source).getReader();
  return { next: () => reader.read(), cancel: () => void reader.cancel(notNeeded()).catch(() => {}) };
}

function openIterable(source: AsyncIterable<unknown>): Source {
  const iterator = source[Symbol.asyncIterator]();
  return { next: () => iterator.next(), cancel: () => void iterator.return?.().catch(() => {}) };
}

function notNeeded(): Error {
  return new DOMException('The request body is not needed any more', 'AbortError');
}

function asBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`a request body must yield strings or bytes: received ${typeof chunk}`);
}
