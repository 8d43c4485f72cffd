import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A socket as TLS sees it, with a place where bytes can be slipped in; says `sent` behind each write. */
export class Tap extends Duplex {
  readonly #raw: Socket;

  constructor(raw: Socket) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    raw.on('data', (bytes: Buffer) => this.push(bytes));
    raw.on('end', () => this.push(null));
    raw.on('error', (error) => this.destroy(error));
    raw.on('close', () => this.destroy());
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#raw.write(bytes, (error) => {
      this.emit('sent');
      done(error);
    });
  }

  override _final(done: () => void): void {
    this.#raw.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#raw.destroy();
    done(error);
  }
}
