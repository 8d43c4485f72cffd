import type { BodyParts, RequestBody } from './request-body.ts';

/**
 * Read ahead from a clone, up to a bound, rather than streamed: a browser sends a stream only over HTTP/2, and what went
 * into a `Request` was mostly no stream at all. A longer body is sent as it is, once.
 */
export class RequestObjectBody implements RequestBody {
  readonly uploadedBytes = 0;
  readonly isStarved = false;
  sourceError: { readonly error: unknown } | undefined;
  readonly #request: Request;
  readonly #limitBytes: number;
  #kept: Uint8Array | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(request: Request, limitBytes: number) {
    this.#request = request;
    this.#limitBytes = limitBytes;
  }

  /** Of a body that was too long to be kept, nobody knows the length. */
  get unwatchedBytes(): number {
    return this.#kept?.byteLength ?? Infinity;
  }

  async prepare(): Promise<void> {
    const clone = this.#request.clone();
    try {
      this.#kept = await this.#read(clone);
    } catch (error) {
      this.sourceError = { error };
      throw error;
    }
    // As `fetch` leaves it: used.
    if (this.#kept !== undefined) cancelQuietly(this.#request.body);
  }

  async #read(clone: Request): Promise<Uint8Array | undefined> {
    // Firefox has no `Request.body`.
    if (clone.body === undefined) return new Uint8Array(await clone.arrayBuffer());
    this.#reader = clone.body?.getReader();
    return readWhole(this.#reader, this.#limitBytes);
  }

  isReplayable(): boolean {
    return this.#kept !== undefined;
  }

  produce(): BodyParts {
    const hasNone = this.#kept?.byteLength === 0 && this.#request.body === undefined;
    return this.#kept === undefined || hasNone ? {} : { body: this.#kept };
  }

  release(): void {
    this.#kept = undefined;
    this.#reader?.cancel().catch(() => {});
  }
}

async function readWhole(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (let result = await reader?.read(); result?.done === false; result = await reader?.read()) {
    bytes += result.value.byteLength;
    chunks.push(result.value);
    if (bytes > limitBytes) {
      reader?.cancel().catch(() => {});
      return undefined;
    }
  }
  const whole = new Uint8Array(bytes);
  chunks.reduce((at, chunk) => {
    whole.set(chunk, at);
    return at + chunk.byteLength;
  }, 0);
  return whole;
}

function cancelQuietly(stream: ReadableStream | null): void {
  stream?.cancel().catch(() => {});
}
