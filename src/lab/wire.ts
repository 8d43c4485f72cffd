import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ByteQueue } from './byte-queue.ts';
import { drainSocket, pauseUntil } from './drain.ts';
import type { EndedHow } from './scenario.ts';
import type { Tap } from './tap.ts';

/**
 * One accepted connection, byte for byte. Its input is read until the very end, also after our own
 * FIN: the kernel turns a close with unread input into a reset, and a cut must be the cut that was asked for.
 */
export class Wire {
  readonly input = new ByteQueue();
  /** Resolves when the client has ended, reset or closed the connection, or the lab has closed. */
  readonly left: Promise<void>;
  readonly #raw: Socket;
  readonly #stream: Socket | TLSSocket;
  readonly #tap: Tap | undefined;
  #hasLeft = false;
  #isClosed = false;
  #closedByLab = false;
  #inputBytes = 0;

  /** `stream` is `raw` itself, or the TLS side of it; `tap` lies between the two where the TLS side must be lied to. */
  constructor(raw: Socket, stream: Socket | TLSSocket, tap?: Tap) {
    this.#raw = raw;
    this.#stream = stream;
    this.#tap = tap;
    stream.setNoDelay(true);
    const left = withResolvers();
    this.left = left.promise;
    const leave = () => {
      this.#hasLeft = true;
      this.input.end();
      left.resolve();
    };
    stream.on('data', (bytes: Buffer) => {
      this.#inputBytes += bytes.length;
      if (!this.#closedByLab) this.input.push(bytes);
    });
    stream.on('end', leave);
    stream.on('error', leave);
    stream.on('close', () => {
      this.#isClosed = true;
      leave();
    });
    if (raw !== stream) raw.on('error', leave).on('close', leave);
    // A TLS side that has been lied to does not pass on the end of its client.
    if (tap !== undefined) raw.on('end', () => this.destroy());
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  get isClosedByLab(): boolean {
    return this.#closedByLab;
  }

  get inputBytes(): number {
    return this.#inputBytes;
  }

  /** Sends the parts in one go; resolves to whether the kernel took all of them. */
  write(parts: readonly Buffer[]): Promise<boolean> {
    const stream = this.#stream;
    if (this.#isClosed || this.#closedByLab || !stream.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = () => resolve(false);
      stream.once('close', settle);
      stream.cork();
      for (const part of parts.slice(0, -1)) stream.write(part);
      stream.write(parts.at(-1) ?? Buffer.alloc(0), (error) => {
        stream.off('close', settle);
        resolve(error === undefined || error === null);
      });
      stream.uncork();
    });
  }

  /** Sends bytes below TLS, as anybody on the way could; without TLS just sends them. */
  writeBelow(bytes: Buffer): Promise<boolean> {
    if (this.#raw === this.#stream) return this.write([bytes]);
    return new Promise((resolve) => this.#raw.write(bytes, (error) => resolve(error === undefined || error === null)));
  }

  /** Lets the TLS side believe that the client has sent these bytes, and waits until it has said what it thinks of them. */
  async deceive(bytes: Buffer): Promise<void> {
    const tap = this.#tap;
    if (tap === undefined) return;
    const answered = new Promise<void>((resolve) => tap.once('sent', resolve));
    tap.push(bytes);
    await Promise.race([answered, this.left]);
  }

  /** Waits, or until the client leaves; resolves to whether the client is still there. */
  async pause(forMs: number): Promise<boolean> {
    await pauseUntil(forMs, this.left);
    return !this.#hasLeft;
  }

  /** Gives the client time to take what was sent, before a reset. */
  drain(forMs: number): Promise<void> {
    return drainSocket(this.#raw, forMs, this.left);
  }

  /** Stops taking the client's bytes, so that its sends back up. */
  stopReading(): void {
    this.#stream.pause();
  }

  resumeReading(): void {
    this.#stream.resume();
  }

  /** Calls back when the socket is gone for good. */
  onClosed(callback: () => void): void {
    if (this.#raw.destroyed) callback();
    else this.#raw.once('close', callback);
  }

  close(how: EndedHow): void {
    this.#closedByLab = true;
    if (this.#isClosed) return;
    if (how === 'rst') this.#reset();
    else if (how === 'bare-fin') this.#endRaw();
    else this.#stream.end();
    this.input.end();
  }

  /** Gives up the socket at once, for the end of the lab. */
  destroy(): void {
    this.#closedByLab = true;
    this.#stream.destroy();
    this.#raw.destroy();
  }

  /** The TLS side does not know that its socket has ended, so it would stay for ever. */
  #endRaw(): void {
    this.#raw.end();
    void this.left.then(() => this.destroy());
  }

  #reset(): void {
    try {
      this.#raw.resetAndDestroy();
    } catch {
      this.#raw.destroy();
    }
    if (this.#raw !== this.#stream) this.#stream.destroy();
  }
}

/** Node 20 has no Promise.withResolvers. */
export function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
