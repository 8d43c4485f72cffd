/** One line on a terminal that is written again and again: bytes, rate, time left, attempt, and what it waits for. */
import type { WriteStream } from 'node:tty';
import { formatBytes, formatDuration, groupDigits } from '../core/index.ts';
import type { Progress } from '../download/index.ts';
import { systemRuntime, type Timer } from '../runtime/index.ts';
import { fitTo } from './bars.ts';
import { LineBlock } from './line-block.ts';
import { RateMeter } from './rate-meter.ts';

const REDRAW_MS = 100;

export interface Waiting {
  readonly untilMs: number | undefined;
  readonly why: string;
}

export interface Unpacked {
  readonly entries: number;
  readonly bytes: number;
}

export interface LineState {
  readonly name: string;
  readonly progress: Progress;
  readonly bytesPerSecond: number | undefined;
  readonly unpacked?: Unpacked | undefined;
  readonly waiting: { readonly leftMs: number | undefined; readonly why: string } | undefined;
}

/** `big.iso  12.3 MiB of 64.0 MiB  19 %  8.1 MiB/s  6.4 s left  attempt 3` */
export function describeLine({ name, progress, bytesPerSecond, unpacked, waiting }: LineState): string {
  const { bytes, totalBytes, attemptNumber } = progress;
  const parts = [name, formatBytes(bytes) + (totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`)];
  if (totalBytes !== undefined && totalBytes > 0) parts.push(`${Math.floor((bytes / totalBytes) * 100)} %`);
  if (unpacked !== undefined)
    parts.push(`unpacked ${groupDigits(unpacked.entries)} entries, ${formatBytes(unpacked.bytes)}`);
  if (waiting !== undefined) {
    const left = waiting.leftMs === undefined ? '' : ` ${formatDuration(waiting.leftMs)}`;
    parts.push(`waiting${left}: ${waiting.why}; attempt ${attemptNumber}`);
    return parts.join('  ');
  }
  if (bytesPerSecond !== undefined) {
    parts.push(`${formatBytes(Math.round(bytesPerSecond))}/s`);
    if (totalBytes !== undefined && bytesPerSecond > 0) {
      parts.push(`${formatDuration(((totalBytes - bytes) / bytesPerSecond) * 1_000)} left`);
    }
  }
  if (attemptNumber > 1) parts.push(`attempt ${attemptNumber}`);
  return parts.join('  ');
}

export class LiveLine {
  readonly #block: LineBlock;
  #name = '';
  #progress: Progress = { bytes: 0, totalBytes: undefined, receivedBytes: 0, attemptNumber: 1 };
  #meter = new RateMeter();
  #waiting: Waiting | undefined;
  #unpacked: Unpacked | undefined;
  #timer: Timer | undefined;

  constructor(out: WriteStream) {
    this.#block = new LineBlock(out);
  }

  start(name: string): void {
    this.#name = name;
    this.#progress = { bytes: 0, totalBytes: undefined, receivedBytes: 0, attemptNumber: 1 };
    this.#meter = new RateMeter();
    this.#waiting = undefined;
    this.#unpacked = undefined;
    this.#draw();
  }

  update(progress: Progress): void {
    this.#progress = progress;
    this.#waiting = undefined;
    this.#meter.add(systemRuntime.clock.nowMs(), progress.bytes);
  }

  unpacked(unpacked: Unpacked | undefined): void {
    this.#unpacked = unpacked;
  }

  wait(delayMs: number | undefined, why: string): void {
    this.#waiting = { untilMs: delayMs && systemRuntime.clock.nowMs() + delayMs, why };
  }

  attempt(attemptNumber: number): void {
    this.#progress = { ...this.#progress, attemptNumber };
    this.#waiting = undefined;
  }

  /** A lasting line above the live one. */
  print(text: string): void {
    this.#block.print(text);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#block.clear();
  }

  #draw(): void {
    const nowMs = systemRuntime.clock.nowMs();
    const { untilMs, why = '' } = this.#waiting ?? {};
    const leftMs = untilMs === undefined ? undefined : Math.max(0, untilMs - nowMs);
    const text = describeLine({
      name: this.#name,
      progress: this.#progress,
      bytesPerSecond: this.#meter.bytesPerSecond(nowMs),
      unpacked: this.#unpacked,
      waiting: this.#waiting && { why, leftMs },
    });
    // A line that wraps cannot be written again.
    this.#block.draw([fitTo(text, Math.max(20, this.#block.size.columns - 1))]);
    this.#timer = systemRuntime.clock.after(REDRAW_MS, () => this.#draw(), 'idle');
  }
}
