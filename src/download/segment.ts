import type { ConnectionLease } from './limits.ts';
import type { ByteRange } from './ranges.ts';
import type { Taken } from './segment-plan.ts';

const YOUNG_MS = 1_000;
/** Weight of the newest look at the rate. */
const NEWEST_RATIO = 0.3;

/** A part of the file in the hands of one connection. */
export class Segment {
  fromByte: number;
  startedAtMs: number;
  readonly stop = new AbortController();
  /** Behind the last byte that it is to bring; moves when the part is split. */
  endByte: number;
  /** Behind the last byte that its answer brings. */
  wireEndByte: number;
  atByte: number;
  lease: ConnectionLease | undefined;
  lastByteAtMs: number;
  /** The client waits before its next attempt. */
  waitsUntilMs = 0;
  /** It waits for us: for the disk, or for `limitRate`. */
  isHeldBack = false;
  /** Where its last attempt failed. */
  failedAtByte: number;
  /** Its part was asked for. */
  isAsked = false;
  /** Let go of: what becomes of it is of no interest any more. */
  isDropped = false;
  #bytesPerSecond = 0;
  #lookedAtByte: number;

  constructor({ from, to }: ByteRange, nowMs: number) {
    this.fromByte = from;
    this.atByte = from;
    this.failedAtByte = from;
    this.#lookedAtByte = from;
    this.endByte = to;
    this.wireEndByte = to;
    this.startedAtMs = nowMs;
    this.lastByteAtMs = nowMs;
  }

  /** Another part, for one that has not asked for its own. */
  moveTo({ from, to }: ByteRange, nowMs: number): void {
    this.fromByte = from;
    this.atByte = from;
    this.failedAtByte = from;
    this.#lookedAtByte = from;
    this.endByte = to;
    this.wireEndByte = to;
    this.startedAtMs = nowMs;
  }

  /** From now on its part is what its answer brings: it may have been split while it waited. */
  ask(): void {
    this.isAsked = true;
    this.wireEndByte = this.endByte;
  }

  get hasBytes(): boolean {
    return this.atByte > this.fromByte;
  }

  look(elapsedMs: number): void {
    const rate = ((this.atByte - this.#lookedAtByte) / elapsedMs) * 1_000;
    this.#lookedAtByte = this.atByte;
    const next = this.#bytesPerSecond + (rate - this.#bytesPerSecond) * NEWEST_RATIO;
    // What is left of an average after a silence is no rate.
    this.#bytesPerSecond = this.#bytesPerSecond === 0 ? rate : next < 1 ? 0 : next;
  }

  taken(nowMs: number): Taken {
    return {
      atByte: this.atByte,
      endByte: this.endByte,
      bytesPerSecond: this.isSilent(nowMs) ? 0 : this.#bytesPerSecond,
      isYoung: nowMs - this.startedAtMs < YOUNG_MS,
    };
  }

  isSilent(nowMs: number): boolean {
    const limitMs = this.hasBytes ? SILENT_MS : SILENT_AT_FIRST_MS;
    return !this.isHeldBack && nowMs - this.lastByteAtMs > limitMs;
  }

  isFlowing(nowMs: number): boolean {
    return this.hasBytes && !this.isSilent(nowMs) && this.waitsUntilMs <= nowMs;
  }

  drop(): void {
    this.isDropped = true;
    this.stop.abort(new Error('another connection has this part'));
  }
}

/** While others bring bytes: then it is this connection, and not the line. */
const SILENT_MS = 3_000;
/** Servers may think before they answer. */
const SILENT_AT_FIRST_MS = 10_000;
