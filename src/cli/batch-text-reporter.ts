/** Many files for people: bars on a terminal, a line every few seconds elsewhere, failures at once, and a table at the end. */
import { basename, relative } from 'node:path';
import type { Writable } from 'node:stream';
import { type Failure, formatBytes, formatDuration } from '../core/index.ts';
import type { BatchEvent, BatchOutcome, BatchResult, DownloadEvent, Progress } from '../download/index.ts';
import { describeEvent } from '../http/index.ts';
import { systemRuntime, type Timer } from '../runtime/index.ts';
import { describeWhole, type FileBar } from './bars.ts';
import type { BatchReporter } from './batch-reporter.ts';
import type { BatchScreen } from './batch-screen.ts';
import { describeOutcomes } from './batch-table.ts';
import { causesOf, firstLineOf } from './error-lines.ts';
import type { Job } from './get-settings.ts';
import type { Interruption } from './interruption.ts';
import { RateMeter } from './rate-meter.ts';
import type { Level } from './text-reporter.ts';
import { whyQueued, whyWaiting } from './wait-words.ts';

/** In the log of a machine. */
const LINE_EVERY_MS = 5_000;

/** Shorter waits come and go too fast to be read. */
const MIN_SHOWN_WAIT_MS = 1_000;

interface Running {
  readonly name: string;
  readonly meter: RateMeter;
  progress: Progress | undefined;
  failure: Failure | undefined;
  attemptNumber: number;
  waiting: { readonly untilMs: number | undefined; readonly why: string } | undefined;
}

export class BatchTextReporter implements BatchReporter {
  readonly #err: Writable;
  readonly #level: Level;
  readonly #screen: BatchScreen | undefined;
  readonly #running = new Map<number, Running>();
  readonly #meter = new RateMeter();
  #jobs: readonly Job[] = [];
  #counts = { done: 0, skipped: 0, failed: 0 };
  #endedBytes = 0;
  #kept = { files: 0, bytes: 0 };
  #timer: Timer | undefined;
  #lastLine = '';

  constructor(err: Writable, level: Level, screen: BatchScreen | undefined) {
    this.#err = err;
    this.#level = level;
    this.#screen = screen;
  }

  begin(jobs: readonly Job[]): void {
    this.#jobs = jobs;
    const unnamed = jobs.filter(({ note }) => note !== undefined);
    for (const { note } of unnamed.slice(0, 3)) this.#say(note!);
    if (unnamed.length > 3) this.#say(`… and ${unnamed.length - 3} more without a usable name`);
    this.#screen?.start(() => this.#look());
    if (this.#screen === undefined && this.#level !== 'quiet') this.#armLine();
  }

  event(event: BatchEvent, index: number): void {
    if (event.type === 'start') {
      const name = basename(event.path);
      const fresh = { progress: undefined, failure: undefined, attemptNumber: 1, waiting: undefined };
      this.#running.set(index, { name, meter: new RateMeter(), ...fresh });
      return;
    }
    if (event.type === 'postponed') {
      this.#running.delete(index);
      return;
    }
    const running = this.#running.get(index);
    if (running !== undefined) this.#remember(running, event);
    if (event.type === 'kept') this.#kept = { files: this.#kept.files + 1, bytes: this.#kept.bytes + event.keptBytes };
    if (event.type === 'note' || event.type === 'restart') this.#say(`${this.#nameOf(index)}: ${describe(event)}`);
    else if (this.#level === 'verbose') this.#sayVerbose(event, index);
  }

  #remember(running: Running, event: BatchEvent): void {
    const nowMs = systemRuntime.clock.nowMs();
    switch (event.type) {
      case 'failure':
        running.failure = event.failure;
        return;
      case 'attempt':
        running.attemptNumber = event.attemptNumber;
        running.waiting = undefined;
        return;
      case 'wait':
        if (event.delayMs < MIN_SHOWN_WAIT_MS) return;
        running.waiting = { untilMs: nowMs + event.delayMs, why: whyWaiting(running.failure, event) };
        return;
      case 'queued': {
        const { wait, host } = event;
        const leftMs = wait.kind === 'pushback' ? wait.untilMs - systemRuntime.clock.wallMs() : undefined;
        running.waiting = { untilMs: leftMs && nowMs + leftMs, why: whyQueued(host, wait) };
        return;
      }
      default:
    }
  }

  #sayVerbose(event: BatchEvent, index: number): void {
    const text =
      event.type === 'queued'
        ? `waiting: ${whyQueued(event.host, event.wait)}`
        : 'method' in event
          ? describeEvent(event)?.replace(/ · \S+ \S+$/, '')
          : undefined;
    if (text !== undefined) this.#say(`${this.#nameOf(index)}: ${text}`);
  }

  progress(progress: Progress, index: number): void {
    const running = this.#running.get(index);
    if (running === undefined) return;
    running.progress = progress;
    running.waiting = undefined;
    running.meter.add(systemRuntime.clock.nowMs(), progress.bytes);
  }

  outcome(outcome: BatchOutcome, _exit: number): void {
    this.#running.delete(outcome.index);
    this.#counts = { ...this.#counts, [outcome.kind]: this.#counts[outcome.kind] + 1 };
    if (outcome.kind === 'done') this.#endedBytes += outcome.result.bytes;
    if (outcome.kind !== 'failed') return;
    this.#complain(`${this.#nameOf(outcome.index)}: ${firstLineOf(outcome.error)}`);
    if (this.#level === 'verbose') for (const line of causesOf(outcome.error)) this.#complain(`  ${line}`);
  }

  note(text: string): void {
    this.#say(text);
  }

  interrupted({ message }: Interruption): void {
    const { files, bytes } = this.#kept;
    const kept = files === 0 ? '' : `, ${formatBytes(bytes)} of ${files} more are kept`;
    this.#complain(
      `${message}; ${this.#counts.done + this.#counts.skipped} of ${this.#jobs.length} files are there${kept}: run the same command again to continue`,
    );
  }

  summary(result: BatchResult, codes: readonly number[], _exit: number): void {
    this.#stop();
    const { outcomes, bytes, durationMs } = result;
    for (const line of describeOutcomes(outcomes, codes, this.#level)) this.#say(line);
    const { done, skipped, failed } = this.#counts;
    const also = [failed === 0 ? '' : `, ${failed} failed`, skipped === 0 ? '' : `, ${skipped} skipped as proven`];
    const cost = `${formatBytes(bytes)} in ${formatDuration(durationMs)}`;
    this.#say(`${done} of ${outcomes.length} downloads done${also.join('')}; ${cost}`);
  }

  close(): void {
    this.#stop();
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#screen?.stop();
  }

  // What is shown.

  #look(): ReturnType<Parameters<BatchScreen['start']>[0]> {
    const nowMs = systemRuntime.clock.nowMs();
    const files = [...this.#running.values()].map((one) => barOf(one, nowMs));
    const bytes = this.#endedBytes + files.reduce((sum, one) => sum + one.bytes, 0);
    this.#meter.add(nowMs, bytes);
    const whole = {
      files: this.#jobs.length,
      ...this.#counts,
      bytes,
      bytesPerSecond: this.#meter.bytesPerSecond(nowMs),
    };
    return { files, whole };
  }

  #armLine(): void {
    this.#timer = systemRuntime.clock.after(
      LINE_EVERY_MS,
      () => {
        this.#sayWhere();
        this.#armLine();
      },
      'idle',
    );
  }

  /** Nothing where nothing has happened. */
  #sayWhere(): void {
    const { files, whole } = this.#look();
    const waiting = files.filter(({ waiting: one }) => one !== undefined);
    const [first] = waiting;
    const left = first?.waiting?.leftMs === undefined ? '' : ` ${formatDuration(first.waiting.leftMs)}`;
    const why = first === undefined ? '' : `; ${waiting.length} waiting${left}: ${first.waiting!.why}`;
    const line = `${describeWhole(whole)}${why}`;
    if (line !== this.#lastLine) this.#say(line);
    this.#lastLine = line;
  }

  #nameOf(index: number): string {
    return relative('.', this.#jobs[index]?.target ?? '') || (this.#jobs[index]?.target ?? '');
  }

  #say(text: string): void {
    if (this.#level !== 'quiet') this.#complain(text);
  }

  #complain(text: string): void {
    const line = `reknit: ${text}`;
    if (this.#screen === undefined) this.#err.write(`${line}\n`);
    else this.#screen.print(line);
  }
}

function barOf({ name, progress, meter, attemptNumber, waiting }: Running, nowMs: number): FileBar {
  const leftMs = waiting?.untilMs === undefined ? undefined : Math.max(0, waiting.untilMs - nowMs);
  return {
    name,
    bytes: progress?.bytes ?? 0,
    totalBytes: progress?.totalBytes,
    bytesPerSecond: meter.bytesPerSecond(nowMs),
    attemptNumber,
    waiting: waiting && { why: waiting.why, leftMs },
  };
}

function describe(event: DownloadEvent & { readonly type: 'note' | 'restart' }): string {
  if (event.type === 'note') return event.text;
  return `starting again from byte 0, since ${event.because} (${formatBytes(event.lostBytes)} thrown away)`;
}
