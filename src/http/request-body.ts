/**
 * Request bodies that can be sent again. An attempt with an emptied or shortened body never leaves the process: each
 * attempt gets the whole body anew, or the request gives up with `body-not-replayable`.
 */

import { ConfigError, show, tagFailure, unreadableBody } from '../core/index.ts';

/** What undici's dispatch takes as a body. */
export type WireBody = string | Uint8Array | Blob | AsyncIterable<Uint8Array> | null;

/** A request body as the driver sees it. */
export interface RequestBody {
  /** The whole body can be produced (again). */
  isReplayable(): boolean;
  /** The body for the next attempt, and headers that belong to this production of it. */
  produce(): { readonly body: WireBody; readonly contentType?: string | undefined };
  /** Lets go of whatever is kept. */
  release(): void;
}

/** Everything a caller may give as a body. */
export type BodySource =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream
  | AsyncIterable<unknown>
  | Iterable<unknown>
  | (() => BodySource | null | undefined)
  | null
  | undefined;

const formType = 'application/x-www-form-urlencoded;charset=UTF-8';

const none: RequestBody = { isReplayable: () => true, produce: () => ({ body: null }), release: () => {} };

/**
 * @param replayBufferBytes the most that is kept of a one-shot stream; beyond it the body can be sent once
 */
export function createRequestBody(source: BodySource, replayBufferBytes: number): RequestBody {
  if (source === null || source === undefined) return none;
  // First, and with no closure: nearly all bodies of proxies are these.
  if (source instanceof Uint8Array) return new WholeBody({ body: source });
  if (typeof source === 'function') return fromFactory(source, replayBufferBytes);
  if (source instanceof FormData) return fromFormData(source);
  const whole = asWhole(source);
  if (whole !== undefined) {
    const made = source instanceof URLSearchParams ? { body: whole, contentType: formType } : { body: whole };
    return new WholeBody(made);
  }
  if (!isIterable(source)) {
    throw new ConfigError(
      `Cannot send the request as body must be text, bytes, a form, a stream, something iterable, or a function that makes one: received ${show(source)}`,
    );
  }
  if (isReiterable(source as object)) {
    return { isReplayable: () => true, produce: () => ({ body: toBytes(source as object) }), release: () => {} };
  }
  return new OneShotBody(source as AsyncIterable<unknown>, replayBufferBytes);
}

class WholeBody implements RequestBody {
  readonly #made: ReturnType<RequestBody['produce']>;

  constructor(made: ReturnType<RequestBody['produce']>) {
    this.#made = made;
  }

  isReplayable(): boolean {
    return true;
  }

  produce(): ReturnType<RequestBody['produce']> {
    return this.#made;
  }

  release(): void {}
}

function asWhole(source: object | string): string | Uint8Array | Blob | undefined {
  if (typeof source === 'string' || source instanceof Blob) return source;
  if (source instanceof URLSearchParams) return source.toString();
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return undefined;
}

function isIterable(source: unknown): boolean {
  return typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
}

/** What is none of the kinds of a body becomes its text under `fetch` (Fetch Standard, BodyInit: the last of the union). */
export function asFetchBody(given: BodySource): BodySource {
  if (given === null || given === undefined || typeof given === 'string' || isIterable(given)) return given;
  return typeof given === 'object' && (given instanceof FormData || asWhole(given) !== undefined) ? given : `${given}`;
}

/** An iterable that is not its own iterator starts anew each time: arrays, classes with a generator method. */
function isReiterable(source: object): boolean {
  if (source instanceof ReadableStream || 'pipe' in source || 'next' in source) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

function fromFactory(make: () => BodySource | null | undefined, replayBufferBytes: number): RequestBody {
  return {
    isReplayable: () => true,
    produce: () => createRequestBody(make(), replayBufferBytes).produce(),
    release: () => {},
  };
}

/** Encoded by the platform, anew for each attempt, so that boundary and Content-Type belong together. */
function fromFormData(form: FormData): RequestBody {
  return {
    isReplayable: () => true,
    produce: () => {
      const encoded = new Response(form);
      const contentType = encoded.headers.get('content-type') ?? undefined;
      return { body: encoded.body as AsyncIterable<Uint8Array>, contentType };
    },
    release: () => {},
  };
}

/** A body that can be read once: what was read is kept, up to a bound, so that another attempt can begin at its start. */
class OneShotBody implements RequestBody {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #limitBytes: number;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** How many of `#kept` the current reader has taken. */
  #taken = 0;
  /** What the last reader has yet to get once the bound was passed and nothing is kept any more. */
  readonly #spilled: Uint8Array[] = [];
  #isWhole = true;
  #isDone = false;
  #pull: Promise<void> | undefined;
  /** Only the newest reader may go on; a dead attempt's one may still be waiting for the source. */
  #generation = 0;

  constructor(source: AsyncIterable<unknown>, limitBytes: number) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#limitBytes = limitBytes;
  }

  isReplayable(): boolean {
    return this.#isWhole;
  }

  produce(): { readonly body: WireBody } {
    if (this.#generation > 0 && !this.#isWhole) throw new Error('the request body can be sent only once');
    this.#generation += 1;
    this.#taken = 0;
    return { body: this.#read(this.#generation) };
  }

  release(): void {
    this.#isWhole = false;
    this.#kept = [];
    // Whoever still reads must not take what is gone for the end.
    this.#generation += 1;
  }

  async *#read(generation: number): AsyncGenerator<Uint8Array> {
    while (true) {
      // Ending quietly here would let a dead attempt close its body as if it were whole.
      if (generation !== this.#generation) throw new Error('this attempt does not send the request body any more');
      const next = this.#isWhole ? this.#kept[this.#taken] : this.#spilled.shift();
      if (next !== undefined) {
        this.#taken += 1;
        yield next;
      } else if (this.#isDone) {
        return;
      } else {
        this.#pull ??= this.#takeIn();
        await this.#pull;
      }
    }
  }

  async #takeIn(): Promise<void> {
    const result = await this.#next();
    this.#pull = undefined;
    if (result.done === true) this.#isDone = true;
    else this.#keep(asBytes(result.value));
  }

  /** A source that fails is the caller's failure, whatever its code says: it may well be a socket of the caller's. */
  async #next(): Promise<IteratorResult<unknown>> {
    try {
      return await this.#iterator.next();
    } catch (error) {
      if (typeof error === 'object' && error !== null) tagFailure(error, unreadableBody);
      throw error;
    }
  }

  #keep(chunk: Uint8Array): void {
    this.#keptBytes += chunk.byteLength;
    if (this.#isWhole && this.#keptBytes <= this.#limitBytes) {
      this.#kept.push(chunk);
      return;
    }
    if (this.#isWhole) this.#spilled.push(...this.#kept.slice(this.#taken));
    this.#spilled.push(chunk);
    this.#isWhole = false;
    this.#kept = [];
  }
}

async function* toBytes(source: object): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source as AsyncIterable<unknown>) yield asBytes(chunk);
  } catch (error) {
    if (typeof error === 'object' && error !== null) tagFailure(error, unreadableBody);
    throw error;
  }
}

function asBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`a request body must yield strings or bytes: received ${typeof chunk}`);
}
