/** For people: a live line on a terminal, plain lines of trouble elsewhere, and a summary that says what it cost. */
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { type Failure, formatBytes, formatDuration, groupDigits, type Integrity } from '../core/index.ts';
import type { DownloadEvent, DownloadResult, HostWait, Progress, StreamResult } from '../download/index.ts';
import type { ArchiveFormat, ExtractProgress } from '../extract/index.ts';
import { describeEvent } from '../http/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { causesOf, firstLineOf } from './error-lines.ts';
import type { ExtractSummary } from './get-extract-summary.ts';
import type { Job } from './get-settings.ts';
import type { Interruption } from './interruption.ts';
import type { LiveLine } from './live-line.ts';
import type { Reporter } from './reporter.ts';
import { whyQueued, whyWaiting } from './wait-words.ts';

export type Level = 'quiet' | 'normal' | 'verbose';

const proofOf: Readonly<Record<Integrity, string>> = {
  digest: 'proven by its digest',
  length: 'proven by its length',
  framing: 'proven by its framing',
  unverifiable: 'NOT PROVEN: the server gave neither a length nor a digest that shows a cut (use --checksum)',
};

type Kept = DownloadEvent & { readonly type: 'kept' };

export class TextReporter implements Reporter {
  readonly #err: Writable;
  readonly #level: Level;
  readonly #live: LiveLine | undefined;
  #failure: Failure | undefined;
  #kept: Kept | undefined;
  #pending: string | undefined;

  constructor(err: Writable, level: Level, live: LiveLine | undefined) {
    this.#err = err;
    this.#level = level;
    this.#live = live;
  }

  start({ target, note }: Job): void {
    this.#failure = undefined;
    this.#kept = undefined;
    this.#live?.start(target === undefined ? '-' : basename(target));
    if (note !== undefined) this.#say(note);
  }

  event(event: DownloadEvent): void {
    this.#remember(event);
    // The end is told once, by the summary or the error.
    if (event.type === 'give-up' || event.type === 'end' || event.type === 'kept') return;
    const text = this.#describe(event);
    if (event.type === 'wait' && this.#pending !== undefined && text !== undefined) {
      this.#pending = `${this.#pending}; ${text}`;
      this.#flush();
      return;
    }
    this.#flush();
    // What is decided after a failure belongs into the same line.
    if (event.type === 'failure') this.#pending = text;
    else if (text !== undefined) this.#say(text);
  }

  #remember(event: DownloadEvent): void {
    if (event.type === 'failure') this.#failure = event.failure;
    if (event.type === 'kept') this.#kept = event;
    if (event.type === 'attempt') this.#live?.attempt(event.attemptNumber);
    if (event.type === 'wait' && event.delayMs > 0) this.#live?.wait(event.delayMs, whyWaiting(this.#failure, event));
  }

  #flush(): void {
    const text = this.#pending;
    this.#pending = undefined;
    if (text !== undefined) this.#say(text);
  }

  progress(progress: Progress): void {
    this.#live?.update(progress);
  }

  done(result: DownloadResult): void {
    const { path, resumedBytes } = result;
    const earlier = resumedBytes === 0 ? '' : `, ${formatBytes(resumedBytes)} kept from an earlier run`;
    this.#summarize(`saved ${path}`, result, earlier);
  }

  doneStream(result: StreamResult): void {
    this.#summarize('written to stdout', result, '');
  }

  unpacking(_format: ArchiveFormat, _start: number): void {
    this.#live?.unpacked(undefined);
  }

  unpacked({ entries, bytes }: ExtractProgress): void {
    this.#live?.unpacked({ entries, bytes });
  }

  doneExtract(summary: ExtractSummary): void {
    const { path, entries, bytes } = summary.unpacked;
    const earlier = summary.resumedBytes === 0 ? '' : `, ${formatBytes(summary.resumedBytes)} kept from an earlier run`;
    const what = `${groupDigits(entries)} ${entries === 1 ? 'entry' : 'entries'}, ${formatBytes(bytes)}`;
    this.#summarize(`unpacked ${what} into ${path}`, summary, earlier);
  }

  #summarize(what: string, result: StreamResult, earlier: string): void {
    this.#flush();
    const { bytes, durationMs, attempts, refetchedBytes, integrity, sha256, waitedMs } = result;
    const waited = waitedMs >= 1_000 ? ` (${formatDuration(waitedMs)} of it waiting)` : '';
    const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
    const cost = `${tries}, ${formatBytes(refetchedBytes)} fetched twice${earlier}`;
    this.#say(`${what}: ${groupDigits(bytes)} bytes in ${formatDuration(durationMs)}${waited}, ${cost}`);
    this.#say(`${proofOf[integrity]}; sha256 ${sha256}`);
  }

  failed(error: unknown, _exit: number): void {
    // The error says what the last failure was.
    if (this.#level === 'verbose') this.#flush();
    this.#pending = undefined;
    this.#complain(`${firstLineOf(error)}${this.#describeKept()}`);
    if (this.#level === 'verbose') for (const line of causesOf(error)) this.#complain(`  ${line}`);
  }

  interrupted(interruption: Interruption, _exit: number): void {
    this.#flush();
    this.#complain(`${interruption.message}${this.#describeKept()}`);
  }

  queued(host: string, wait: HostWait): void {
    const why = whyQueued(host, wait);
    const leftMs = wait.kind === 'pushback' ? wait.untilMs - systemRuntime.clock.wallMs() : undefined;
    this.#live?.wait(leftMs, why);
    if (this.#live === undefined)
      this.#say(`waiting${leftMs === undefined ? '' : ` ${formatDuration(leftMs)}`}: ${why}`);
  }

  close(): void {
    this.#live?.stop();
  }

  #describeKept(): string {
    if (this.#kept === undefined) return '';
    const { keptBytes, totalBytes, folder, canContinue } = this.#kept;
    const of = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`;
    if (!canContinue)
      return `; ${formatBytes(keptBytes)}${of} are in ${folder}, and can be continued only with --checksum`;
    return `; ${formatBytes(keptBytes)}${of} are kept in ${folder}: run the same command again to continue`;
  }

  #describe(event: DownloadEvent): string | undefined {
    switch (event.type) {
      case 'found':
        return `found ${formatBytes(event.keptBytes)} of an earlier run`;
      case 'restart':
        return `starting again from byte 0, since ${event.because} (${formatBytes(event.lostBytes)} thrown away)`;
      case 'note':
        return event.text;
      case 'mirror':
        return `trying ${event.url}, since ${event.because}`;
      case 'connections':
        return this.#level === 'verbose' ? `${event.count} connections` : undefined;
      case 'attempt':
      case 'response':
        return this.#level === 'verbose' ? describeStep(event) : undefined;
      case 'failure':
      case 'wait':
      case 'healed':
        // On a terminal the live line tells it while it lasts.
        return this.#live !== undefined && this.#level !== 'verbose' ? undefined : withoutUrl(event);
      case 'kept':
      case 'give-up':
      case 'end':
        return undefined;
    }
  }

  #say(text: string): void {
    if (this.#level !== 'quiet') this.#complain(text);
  }

  #complain(text: string): void {
    const line = `reknit: ${text}`;
    if (this.#live === undefined) this.#err.write(`${line}\n`);
    else this.#live.print(line);
  }
}

function describeStep(event: DownloadEvent & { readonly type: 'attempt' | 'response' }): string {
  if (event.type === 'response') return `attempt ${event.attemptNumber}: answered HTTP ${event.status}`;
  const from = event.fromByte === undefined ? '' : ` from byte ${groupDigits(event.fromByte)}`;
  return `attempt ${event.attemptNumber}: asking${from}`;
}

/** One download needs its URL once, not in every line. */
function withoutUrl(event: Parameters<typeof describeEvent>[0]): string | undefined {
  const end = ` · ${event.method} ${event.url}`;
  const text = describeEvent(event);
  return text?.endsWith(end) === true ? text.slice(0, -end.length) : text;
}
