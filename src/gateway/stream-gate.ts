/**
 * Between an upstream's stream of events and the client: holds the answer back until the model has said something, drops it
 * if it fails before, and knows whether its end is one.
 */
import { defaultTransientStatuses, type Failure, statusVerdict } from '../core/index.ts';
import type { StreamSettings } from './config.ts';
import { EventSplitter } from './event-splitter.ts';
import { type EventMeaning, lastWord, type ModelApi, StreamMeaning, type ToldError } from './model-api.ts';

export interface GateListener {
  /** From here on the client sees this answer and no other. */
  onCommit(): void;
  /** False: the client wants no more for now. */
  onEvents(bytes: Buffer): boolean;
  onWhole(): void;
  /** The stream tells of an error by itself. `event`: as it came. */
  onTold(failure: Failure, told: ToldError, event: Buffer): void;
  onBroken(failure: Failure): void;
}

/** An answer that is whole and whose last word does not come, waits so long for what may follow (usage). */
const LINGER_MS = 3_000;

export class StreamGate {
  readonly #settings: StreamSettings;
  readonly #listener: GateListener;
  readonly #splitter = new EventSplitter();
  readonly #meaning: StreamMeaning;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isWhole = false;
  #hasLastWord = false;
  isCommitted = false;
  isOver = false;
  lastByteAtMs: number;
  lastOutputAtMs: number;

  constructor(api: ModelApi, settings: StreamSettings, nowMs: number, listener: GateListener) {
    this.#meaning = new StreamMeaning(api);
    this.#settings = settings;
    this.#listener = listener;
    this.lastByteAtMs = nowMs;
    this.lastOutputAtMs = nowMs;
  }

  take(chunk: Buffer, nowMs: number): boolean {
    this.lastByteAtMs = nowMs;
    const ready: Buffer[] = [];
    for (const event of this.#splitter.push(chunk)) {
      if (this.isOver) return true;
      this.#read(event, ready, nowMs);
    }
    if (!this.isOver && this.#splitter.pendingBytes > this.#settings.atomicBytes) this.#break(oversizedEvent);
    return this.#handOn(ready);
  }

  #read(event: Buffer, ready: Buffer[], nowMs: number): void {
    const meaning = this.#meaning.read(event);
    if (meaning.error !== undefined) {
      this.#handOn(ready.splice(0));
      this.#tell(meaning.error, event);
      return;
    }
    // Before the commit it goes elsewhere; behind it, what it held may be gone for good.
    if (meaning.isDamaged && !(this.isCommitted && this.#settings.damagedEvents === 'pass')) {
      this.#handOn(ready.splice(0));
      this.#break(damagedEvent);
      return;
    }
    if (meaning.isOutput || meaning.isWhole) this.lastOutputAtMs = nowMs;
    this.#isWhole ||= meaning.isWhole;
    this.#hasLastWord ||= meaning.isLast;
    this.#keepOrPass(event, meaning, ready);
    if (!meaning.isLast) return;
    this.#handOn(ready.splice(0));
    this.end();
  }

  #keepOrPass(event: Buffer, meaning: EventMeaning, ready: Buffer[]): void {
    if (this.isCommitted) {
      ready.push(event);
      return;
    }
    this.#held.push(event);
    this.#heldBytes += event.length;
    const { mode, preambleBytes, preambleEvents, atomicBytes } = this.#settings;
    const isFull =
      mode === 'atomic'
        ? this.#heldBytes > atomicBytes
        : this.#held.length > preambleEvents || this.#heldBytes > preambleBytes;
    if (isFull || (mode === 'error' && (meaning.isOutput || meaning.isWhole))) this.#commit(ready);
  }

  #commit(ready: Buffer[]): void {
    this.isCommitted = true;
    this.#listener.onCommit();
    ready.push(...this.#held);
    this.#held = [];
  }

  #handOn(ready: readonly Buffer[]): boolean {
    if (ready.length === 0) return true;
    return this.#listener.onEvents(ready.length === 1 ? ready[0]! : Buffer.concat(ready));
  }

  /** The upstream's stream has ended, and its framing was right. */
  end(): void {
    if (this.isOver) return;
    if (!this.#isWhole) {
      this.#break(withoutLastWord);
      return;
    }
    const ready: Buffer[] = [];
    if (!this.isCommitted) this.#commit(ready);
    if (!this.#hasLastWord) ready.push(Buffer.from(lastWord(this.#meaning.api)));
    this.#handOn(ready);
    this.isOver = true;
    this.#listener.onWhole();
  }

  /** The upstream's stream broke off. What was whole before is whole. */
  broke(failure: Failure): void {
    if (this.isOver) return;
    if (this.#isWhole) this.end();
    else this.#break(failure);
  }

  check(nowMs: number): void {
    if (this.isOver) return;
    const { idleMs, progressMs } = this.#settings;
    if (this.#isWhole && nowMs - this.lastByteAtMs >= LINGER_MS) this.end();
    else if (nowMs - this.lastByteAtMs >= idleMs) this.#break(silence(`no byte for ${idleMs} ms`));
    else if (progressMs !== undefined && nowMs - this.lastOutputAtMs >= progressMs)
      this.#break(silence(`no model output for ${progressMs} ms`));
  }

  #tell(told: ToldError, event: Buffer): void {
    this.isOver = true;
    const failure = statusVerdict(told.status, {
      transientStatuses: defaultTransientStatuses,
      pushbackMs: undefined,
      trustRefusals: !this.isCommitted,
    })!;
    this.#listener.onTold(failure, told, event);
  }

  #break(failure: Failure): void {
    this.isOver = true;
    this.#listener.onBroken(failure);
  }
}

const inBody = { phase: 'body', transient: true, mayHaveRun: true } as const;

const withoutLastWord: Failure = Object.freeze({
  ...inBody,
  origin: 'http',
  kind: 'truncated',
  what: 'the stream ended without its last word',
});

const damagedEvent: Failure = Object.freeze({
  ...inBody,
  origin: 'decoder',
  kind: 'decoding',
  what: 'an event that is damaged JSON',
});

const oversizedEvent: Failure = Object.freeze({
  ...inBody,
  origin: 'http',
  kind: 'too-long',
  what: 'an event larger than the buffer for answers',
});

export function silence(what: string): Failure {
  return { ...inBody, origin: 'clock', kind: 'stall', what };
}
