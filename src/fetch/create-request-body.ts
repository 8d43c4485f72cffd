/** From what a caller gives as a body to one that can be sent again. */
import { OneShotBody } from './one-shot-body.ts';
import type { BodyParts, BodySource, RequestBody } from './request-body.ts';
import { RequestObjectBody } from './request-object-body.ts';

/**
 * @param replayBufferBytes the most that is kept of a one-shot stream; beyond it the body can be sent once
 * @throws TypeError if a stream was read from before
 */
export function createRequestBody(source: BodySource, replayBufferBytes: number): RequestBody {
  if (source === null || source === undefined) return new WholeBody({}, 0);
  if (typeof source === 'function') return new FactoryBody(source);
  if (isOneShot(source)) return new OneShotBody(source, replayBufferBytes);
  return new WholeBody({ body: snapshot(source) }, sizeOf(source));
}

/** The body of a `Request` object, or none. */
export function createBodyOfRequest(request: Request, replayBufferBytes: number): RequestBody {
  return request.body === null ? new WholeBody({}, 0) : new RequestObjectBody(request, replayBufferBytes);
}

type WholeSource = Exclude<BodySource, null | undefined | (() => BodySource)>;

function isOneShot(source: WholeSource): source is ReadableStream | AsyncIterable<unknown> {
  if (typeof source !== 'object') return false;
  return source instanceof ReadableStream || Symbol.asyncIterator in source;
}

/** As the platform does it at the call: what the caller does to the object afterwards changes no later attempt. */
function snapshot(source: WholeSource): unknown {
  if (source instanceof URLSearchParams) return new URLSearchParams(source);
  if (source instanceof FormData) return copyForm(source);
  if (source instanceof ArrayBuffer) return source.slice(0);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
  return source;
}

function copyForm(form: FormData): FormData {
  const copy = new FormData();
  // The name of a file is its own; a `File` in a form has one already.
  form.forEach((value, name) => {
    copy.append(name, value as string);
  });
  return copy;
}

function sizeOf(source: WholeSource): number {
  if (typeof source === 'string') return source.length;
  if (source instanceof Blob) return source.size;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return source.byteLength;
  if (!(source instanceof FormData)) return 0;
  let bytes = 0;
  source.forEach((value) => {
    bytes += typeof value === 'string' ? value.length : value.size;
  });
  return bytes;
}

class WholeBody implements RequestBody {
  readonly uploadedBytes = 0;
  readonly isStarved = false;
  readonly sourceError = undefined;
  readonly unwatchedBytes: number;
  readonly #parts: BodyParts;

  constructor(parts: BodyParts, unwatchedBytes: number) {
    this.#parts = parts;
    this.unwatchedBytes = unwatchedBytes;
  }

  async prepare(): Promise<void> {}

  isReplayable(): boolean {
    return true;
  }

  produce(): BodyParts {
    return this.#parts;
  }

  release(): void {}
}

/** Made anew for each attempt; what a dead attempt left unread is closed. */
class FactoryBody implements RequestBody {
  readonly #make: () => BodySource;
  #current: RequestBody = new WholeBody({}, 0);
  #hadBody = false;
  sourceError: { readonly error: unknown } | undefined;

  constructor(make: () => BodySource) {
    this.#make = make;
  }

  get unwatchedBytes(): number {
    return this.#current.unwatchedBytes;
  }

  get uploadedBytes(): number {
    return this.#current.uploadedBytes;
  }

  get isStarved(): boolean {
    return this.#current.isStarved;
  }

  async prepare(): Promise<void> {}

  isReplayable(): boolean {
    return true;
  }

  produce(): BodyParts {
    this.#current.release();
    const made = this.#make();
    if (this.#hadBody && (made === null || made === undefined))
      throw new TypeError('the function that makes the request body made none for another attempt');
    this.#hadBody ||= made !== null && made !== undefined;
    this.#current = createRequestBody(made, 0);
    return this.#current.produce();
  }

  release(): void {
    this.sourceError = this.#current.sourceError;
    this.#current.release();
  }
}
