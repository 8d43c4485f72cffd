import { ByteQueue } from '../byte-queue.ts';
import { withResolvers } from '../wire.ts';

/** One request and its answer on a connection of HTTP/2. */
export class Stream {
  readonly id: number;
  /** The request's body. */
  readonly input = new ByteQueue();
  /** Resolves when the client has reset the stream or the connection is gone. */
  readonly left: Promise<void>;
  /** What the client lets us send on it; may be below zero (RFC 9113 6.9.2). */
  windowBytes: number;
  #hasLeft = false;
  readonly #settle: () => void;

  constructor(id: number, windowBytes: number) {
    this.id = id;
    this.windowBytes = windowBytes;
    const { promise, resolve } = withResolvers();
    this.left = promise;
    this.#settle = resolve;
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  leave(): void {
    this.#hasLeft = true;
    this.input.end();
    this.#settle();
  }
}
