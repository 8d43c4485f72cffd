/** Lines of a log, written together soon after: a write for each would cost more than the rest of a small request. */
import pino from 'pino';
import type { Clock, Timer } from '../runtime/index.ts';

const MAX_WAIT_MS = 100;
const MAX_CHARACTERS = 65_536;

/** Bytes are handed to the platform's threads as they are; a text would be copied by its slowest path, on ours. */
type ByteDestination = Omit<ReturnType<typeof pino.destination>, 'write'> & { write(bytes: Buffer): boolean };

export class LineBatch {
  readonly #destination: ByteDestination;
  readonly #clock: Clock;
  #lines: string[] = [];
  #characters = 0;
  #timer: Timer | undefined;

  /** @param place a descriptor */
  constructor(place: number, clock: Clock) {
    const settings = { dest: place, sync: false, mkdir: false, contentMode: 'buffer' };
    this.#destination = pino.destination(settings) as unknown as ByteDestination;
    // A log that can no longer be written (its reader has gone, its disk is full) is no reason to serve nobody.
    this.#destination.on('error', () => {});
    this.#clock = clock;
  }

  /** What pino calls for each line. */
  write(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters >= MAX_CHARACTERS) this.#flush();
    else this.#timer ??= this.#clock.after(MAX_WAIT_MS, this.#flush, 'idle');
  }

  readonly #flush = (): void => {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#characters = 0;
    this.#destination.write(bytes);
  };

  /** Everything is written when it returns. */
  close(mode: 'end' | 'keep-open'): void {
    this.#flush();
    this.#destination.flushSync();
    if (mode === 'end') this.#destination.end();
  }
}
