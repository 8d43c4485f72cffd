import type { Socket } from 'node:net';
import { pauseUntil } from '../drain.ts';

/** What may be on the way at the same time. */
const maxOnTheWayBytes = 16 * 1024 * 1024;

/** The bytes of a socket, each so much later than it came; throws the socket's error behind the last of them. */
export async function* delayed(source: Socket, delayMs: number, left: Promise<void>): AsyncGenerator<Buffer> {
  if (delayMs === 0) {
    yield* source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    return;
  }
  const line = new DelayLine(source);
  for (;;) {
    const next = await line.next();
    if (next === undefined) break;
    await pauseUntil(next.cameAtMs + delayMs - performance.now(), left);
    line.taken(next.bytes.length);
    yield next.bytes;
  }
  if (source.errored !== null) throw source.errored;
}

interface OnTheWay {
  readonly bytes: Buffer;
  readonly cameAtMs: number;
}

class DelayLine {
  readonly #source: Socket;
  readonly #queue: OnTheWay[] = [];
  #bytes = 0;
  #isEnded = false;
  #wake: () => void = () => {};

  constructor(source: Socket) {
    this.#source = source;
    source.on('data', (bytes: Buffer) => {
      this.#queue.push({ bytes, cameAtMs: performance.now() });
      this.#bytes += bytes.length;
      if (this.#bytes > maxOnTheWayBytes) source.pause();
      this.#wake();
    });
    const end = () => {
      this.#isEnded = true;
      this.#wake();
    };
    source.on('end', end).on('close', end);
  }

  async next(): Promise<OnTheWay | undefined> {
    while (this.#queue.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#queue.shift();
  }

  taken(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes <= maxOnTheWayBytes) this.#source.resume();
  }
}
