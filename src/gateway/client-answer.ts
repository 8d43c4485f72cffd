/** The answer as the client gets it: one head, bytes with back-pressure, and an end that is one, or none. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../runtime/index.ts';

/** A client reads the words of an error before it sees the end of their connection. */
const LAST_WORDS_MS = 100;

/**
 * So much of a body leaves with the head as one string, in one write: two parts are gathered by the slower path of sockets,
 * and the end of the answer would be a third.
 */
const MAX_JOINED_BYTES = 8_192;

export interface HeadSettings {
  readonly status: number;
  /** Name, value, name, value. */
  readonly fields: string[];
  /** The end is marked by the end of the connection only: passed on as such, since nobody knows it to be an end. */
  readonly isUnmarked: boolean;
}

export class ClientAnswer {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #isUnmarked = false;
  #isStarted = false;
  #isEnded = false;
  #hasWritten = false;
  #onRoom: (() => void) | undefined;
  status = 0;
  bytes = 0;
  startedAtMs: number | undefined;

  constructor(response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** The client has all of it, or as much as it will get. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  start({ status, fields, isUnmarked }: HeadSettings): void {
    const response = this.#response;
    this.#isStarted = true;
    this.status = status;
    this.startedAtMs = this.#clock.nowMs();
    this.#isUnmarked = isUnmarked || response.req.httpVersionMinor === 0;
    if (isUnmarked) {
      response.useChunkedEncodingByDefault = false;
      fields.push('connection', 'close');
    }
    response.writeHead(status, fields);
    // The first bytes nearly always come at once, and travel with the head then.
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    if (!this.#hasWritten && !this.#isEnded && !this.#response.destroyed) this.#response.flushHeaders();
  };

  /** False: no more until `onRoom`. */
  write(bytes: Buffer | string): boolean {
    this.bytes += bytes.length;
    const response = this.#response;
    const isShortStart =
      !this.#hasWritten && !response.chunkedEncoding && typeof bytes !== 'string' && bytes.length <= MAX_JOINED_BYTES;
    this.#hasWritten = true;
    if (!isShortStart) return response.write(bytes);
    const goesOn = response.write(bytes.toString('latin1'), 'latin1');
    response.socket?.uncork();
    return goesOn;
  }

  /** Calls once, when the client can take more. */
  onRoom(act: () => void): void {
    if (this.#onRoom === undefined) this.#response.once('drain', this.#tellRoom);
    this.#onRoom = act;
  }

  readonly #tellRoom = (): void => {
    const act = this.#onRoom;
    this.#onRoom = undefined;
    act?.();
  };

  end(bytes?: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (bytes === undefined) this.#response.end();
    else {
      this.bytes += Buffer.byteLength(bytes);
      this.#response.end(bytes);
    }
  }

  /** Ends the connection where the answer is not whole, so that nobody takes it for whole. */
  cut(): void {
    this.#isEnded = true;
    const { socket } = this.#response;
    // Without a length and without chunks a FIN would say that all is well.
    if (this.#isUnmarked && socket !== null) resetOf(socket);
    else this.#response.destroy();
  }

  /** The words of an error, and then no end: who knows the protocol reads them, and all others see the cut. */
  cutAfter(words: string): void {
    this.#isEnded = true;
    this.write(words);
    this.#clock.after(LAST_WORDS_MS, () => this.cut());
  }
}

function resetOf(socket: Socket): void {
  if (typeof socket.resetAndDestroy === 'function' && !('encrypted' in socket)) socket.resetAndDestroy();
  else socket.destroy();
}
