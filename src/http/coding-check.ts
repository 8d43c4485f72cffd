/**
 * Whether a content-coding really ends where its body ends. `fetch` decodes leniently and takes a gzip body that was cut
 * inside right framing for a whole one (undici #2123); so the end is held back until a strict decoder has seen it, too.
 */
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

const decoders: Readonly<Record<string, (first: number) => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  // Some servers send raw deflate under this name, others zlib's wrapping; its first byte tells.
  deflate: (first) => ((first & 0x0f) === 0x08 ? createInflate() : createInflateRaw()),
  br: () => createBrotliDecompress(),
};

export function isCheckable(codings: string): boolean {
  return decoders[codings] !== undefined;
}

export class CodingCheck {
  readonly #create: (first: number) => Transform;
  #decoder: Transform | undefined;
  #error: Error | undefined;
  #onSettled: (() => void) | undefined;

  constructor(codings: string) {
    this.#create = decoders[codings]!;
  }

  /** False asks for a pause: the decoder is behind; `onRoom` is called when it has caught up. */
  feed(chunk: Buffer, onRoom: () => void): boolean {
    this.#decoder ??= this.#start(chunk[0] ?? 0);
    if (this.#error !== undefined) return true;
    // A copy: the consumer may change or transfer what it is given before the decoder's thread has read it.
    const hasRoom = this.#decoder.write(Buffer.from(chunk));
    if (!hasRoom) this.#decoder.once('drain', onRoom);
    return hasRoom;
  }

  #start(first: number): Transform {
    const decoder = this.#create(first);
    decoder.on('data', () => {});
    decoder.on('error', (error) => {
      this.#error = error;
      decoder.emit('drain');
      this.#onSettled?.();
    });
    decoder.on('end', () => this.#onSettled?.());
    return decoder;
  }

  /** Calls back with the decoder's complaint, or with nothing when the coding ended where it should. */
  finish(done: (error: Error | undefined) => void): void {
    const settle = () => {
      this.#onSettled = undefined;
      done(this.#error);
    };
    if (this.#decoder === undefined || this.#error !== undefined) {
      settle();
      return;
    }
    this.#onSettled = settle;
    this.#decoder.end();
  }

  stop(): void {
    this.#onSettled = undefined;
    this.#decoder?.destroy();
  }
}
