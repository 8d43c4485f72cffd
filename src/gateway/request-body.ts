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

/** @param onReceived gets the body, or why it is refused; not called when the client leaves before */
export function receiveBody(
  request: IncomingMessage,
  limits: Limits,
  memory: Memory,
  take: BodyTake,
  onReceived: (body: ReceivedBody | Refusal) => void,
): void {
  const told = request.headers['content-length'];
  const lengthBytes = told === undefined ? undefined : Number(told);
  if (lengthBytes !== undefined && lengthBytes > limits.bodyBytes) {
    onReceived(tooLarge(limits.bodyBytes));
    return;
  }
  if (lengthBytes !== undefined && lengthBytes > limits.replayBytes) {
    onReceived({ kind: 'stream', source: counted(request, [], limits.bodyBytes), lengthBytes });
    return;
  }
  collect(request, limits, memory, take, lengthBytes, onReceived);
}

function collect(
  request: IncomingMessage,
  limits: Limits,
  memory: Memory,
  take: BodyTake,
  lengthBytes: number | undefined,
  onReceived: (body: ReceivedBody | Refusal) => void,
): void {
  const chunks: Buffer[] = [];
  const stop = () => {
    request.off('data', onData);
    request.off('end', onEnd);
  };
  const onData = (chunk: Buffer) => {
    if (!memory.tryTake(chunk.length)) {
      stop();
      onReceived(refuse(503, 'memory', 'the gateway holds as many bodies as it may: try again', 1_000));
      return;
    }
    take.keptBytes += chunk.length;
    chunks.push(chunk);
    // The parser gives no byte beyond the length: this is all of it, a few ticks before the stream says so.
    if (take.keptBytes === lengthBytes) onEnd();
    if (take.keptBytes <= limits.replayBytes) return;
    stop();
    request.pause();
    onReceived({ kind: 'stream', source: counted(request, chunks, limits.bodyBytes), lengthBytes });
  };
  const onEnd = () => {
    stop();
    onReceived({ kind: 'whole', bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) });
  };
  request.on('data', onData);
  request.on('end', onEnd);
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
