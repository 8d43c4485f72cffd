/** Lines of a log, written together soon after: a write for each would cost more than the rest of a small request. */
import pino from 'pino';
import type { Clock, Timer } from '../runtime/index.ts';

const MAX_WAIT_MS = 100;
const MAX_CHARACTERS = 65_536;

export class LineBatch {
  readonly #destination: ReturnType<typeof pino.destination>;
  readonly #clock: Clock;
  #lines: string[] = [];
  #characters = 0;
  #timer: Timer | undefined;

  /** @param place a descriptor */
  constructor(place: number, clock: Clock) {
    this.#destination = pino.destination({ dest: place, sync: false, mkdir: false });
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
    const text = this.#lines.join('');
    this.#lines = [];
    this.#characters = 0;
    this.#destination.write(text);
  };

  /** Everything is written when it returns. */
  close(mode: 'end' | 'keep-open'): void {
    this.#flush();
    this.#destination.flushSync();
    if (mode === 'end') this.#destination.end();
  }
}
