/** A client's body on its way in: kept whole up to a bound, so that it can be sent again, and a stream beyond it. */
import type { IncomingMessage } from 'node:http';
import type { Limits } from './config.ts';
import { BodyTooLargeError, type Refusal, refuse } from './refusal.ts';

export type ReceivedBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** Too long to be kept: it can be sent once. `lengthBytes` where the client told it. */
  | { readonly kind: 'stream'; readonly source: AsyncIterable<Uint8Array>; readonly lengthBytes: number | undefined };

/** Bytes of bodies and answers that the gateway holds for all requests together. */
export class Memory {
  readonly #limitBytes: number;
  usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  tryTake(bytes: number): boolean {
    if (this.usedBytes + bytes > this.#limitBytes) return false;
    this.usedBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.usedBytes -= bytes;
  }
}

export interface BodyTake {
  /** Counted in `memory` until it is given back. */
  keptBytes: number;
}

export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
}

/** Who waits for a body. */
export interface BodyTaker extends BodyTake {
  /** Gets the body, or why it is refused; not called when the client leaves before. */
  onBody(body: ReceivedBody | Refusal): void;
}

export function receiveBody(request: IncomingMessage, limits: Limits, memory: Memory, taker: BodyTaker): void {
  const told = request.headers['content-length'];
  const lengthBytes = told === undefined ? undefined : Number(told);
  if (lengthBytes !== undefined && lengthBytes > limits.bodyBytes) {
    taker.onBody(tooLarge(limits.bodyBytes));
    return;
  }
  if (lengthBytes !== undefined && lengthBytes > limits.replayBytes) {
    taker.onBody({ kind: 'stream', source: counted(request, [], limits.bodyBytes), lengthBytes });
    return;
  }
  new Collecting(request, limits, memory, taker, lengthBytes).begin();
}

class Collecting {
  readonly #request: IncomingMessage;
  readonly #limits: Limits;
  readonly #memory: Memory;
  readonly #taker: BodyTaker;
  readonly #lengthBytes: number | undefined;
  readonly #chunks: Buffer[] = [];
  #isDone = false;

  constructor(
    request: IncomingMessage,
    limits: Limits,
    memory: Memory,
    taker: BodyTaker,
    lengthBytes: number | undefined,
  ) {
    this.#request = request;
    this.#limits = limits;
    this.#memory = memory;
    this.#taker = taker;
    this.#lengthBytes = lengthBytes;
  }

  begin(): void {
    this.#request.on('data', this.#onData);
    // By its length it is known to be whole a few ticks before the stream says so.
    if (this.#lengthBytes === undefined) this.#request.on('end', this.#onEnd);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isDone) return;
    if (!this.#memory.tryTake(chunk.length)) {
      this.#end(refuse(503, 'memory', 'the gateway holds as many bodies as it may: try again', 1_000));
      return;
    }
    const taker = this.#taker;
    taker.keptBytes += chunk.length;
    this.#chunks.push(chunk);
    // The parser gives no byte beyond the length.
    if (taker.keptBytes === this.#lengthBytes) this.#onEnd();
    else if (taker.keptBytes > this.#limits.replayBytes) this.#handStreamOn();
  };

  #handStreamOn(): void {
    const request = this.#request;
    request.off('data', this.#onData);
    request.off('end', this.#onEnd);
    request.pause();
    const source = counted(request, this.#chunks, this.#limits.bodyBytes);
    this.#end({ kind: 'stream', source, lengthBytes: this.#lengthBytes });
  }

  readonly #onEnd = (): void => {
    const chunks = this.#chunks;
    this.#end({ kind: 'whole', bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) });
  };

  #end(body: ReceivedBody | Refusal): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#taker.onBody(body);
  }
}

function tooLarge(limitBytes: number): Refusal {
  return refuse(413, 'body-too-large', `the request body is longer than ${limitBytes} bytes`);
}

/** What was read already, and the rest as it comes. */
async function* counted(
  request: IncomingMessage,
  first: readonly Buffer[],
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for (const chunk of first) {
    bytes += chunk.length;
    yield chunk;
  }
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new BodyTooLargeError(tooLarge(limitBytes).message);
    yield chunk;
  }
}
