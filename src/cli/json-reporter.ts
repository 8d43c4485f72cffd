/**
 * `--json`: one object per line, a stable schema. Every line has `event` and `url` (without credentials); numbers are raw,
 * durations ms. A line may gain fields, and new events may appear; nothing is renamed or taken away within a major version.
 *
 * | event | fields |
 * |---|---|
 * | `start` | `path` (`-` for stdout) |
 * | `found` | `keptBytes`: left by an earlier run |
 * | `attempt` | `attempt` (1-based), `fromByte` where it continues |
 * | `response` | `attempt`, `status` |
 * | `failure` | `attempt`, `kind`, `what`, `phase`, `origin`, `transient`, `atByte`; `totalBytes`, `code`, `status` where known |
 * | `wait` | `attempt` (the failed one), `delayMs`, `because`, `next`: `retry` or `resume` |
 * | `healed` | `attempt`, `atByte`, `how`: `range`, `overlap`, `reread` |
 * | `restart` | `because`, `lostBytes` |
 * | `connections` | `count`: that bring the file from now on |
 * | `mirror` | `mirror`: the address that is asked now, `because` |
 * | `progress` | `bytes`, `totalBytes` where known, `receivedBytes`, `attempt`; at most once a second |
 * | `note` | `text` |
 * | `kept` | `keptBytes`, `totalBytes` where known, `folder`, `canContinue` |
 * | `unpack` | `format`, `start` (1-based): an unpacker begins |
 * | `unpacked` | `entries`, `unpackedBytes`; at most once a second |
 * | `done` | `path`, `bytes`, `sha256`, `integrity`, `attempts`, `hops`, `refetchedBytes`, `resumedBytes`, `waitedMs`, `durationMs`, `notes`; after --extract also `format`, `entries`, `unpackedBytes`, `unpackerStarts` |
 * | `error` | `message`, `exit`; `code`, `reason`, `attempts` where known |
 * | `queued` | `host`, `because`: `full` (all connections to it are in use) or `pushback` (it asked for a pause, `delayMs`) |
 * | `postponed` | `totalBytes`: large files have their own lane; what came is kept. Only in batches |
 * | `skipped` | `bytes`, `because`: `checksum` or `earlier-run`. Only in batches |
 * | `summary` | `jobs`, `done`, `skipped`, `failed`, `bytes`, `durationMs`, `exit`; the end of a batch, without `url` |
 *
 * In a batch (several URLs, or a list) every line but `summary` has `path` beside `url`.
 */
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { redactUrl } from '../core/index.ts';
import type { DownloadEvent, DownloadResult, HostWait, Progress, StreamResult } from '../download/index.ts';
import type { ArchiveFormat, ExtractProgress } from '../extract/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { firstLineOf } from './error-lines.ts';
import type { ExtractSummary } from './get-extract-summary.ts';
import type { Job } from './get-settings.ts';
import type { Interruption } from './interruption.ts';
import type { Reporter } from './reporter.ts';

export const PROGRESS_EVERY_MS = 1_000;

export type Fields = Readonly<Record<string, unknown>>;

export class JsonReporter implements Reporter {
  readonly #out: Writable;
  #url = '';
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #unpackedToldAtMs = Number.NEGATIVE_INFINITY;

  constructor(out: Writable) {
    this.#out = out;
  }

  start({ url, target, note }: Job): void {
    this.#url = redactUrl(url);
    this.#toldAtMs = Number.NEGATIVE_INFINITY;
    this.#write('start', { path: target === undefined ? '-' : resolve(target) });
    if (note !== undefined) this.#write('note', { text: note });
  }

  event(event: DownloadEvent): void {
    const fields = fieldsOf(event);
    if (fields !== undefined) this.#write(event.type, fields);
  }

  progress({ bytes, totalBytes, receivedBytes, attemptNumber }: Progress): void {
    const nowMs = systemRuntime.clock.nowMs();
    if (nowMs - this.#toldAtMs < PROGRESS_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#write('progress', { bytes, totalBytes, receivedBytes, attempt: attemptNumber });
  }

  done(result: DownloadResult): void {
    const { path, resumedBytes } = result;
    this.#write('done', { path, ...resultFields(result), resumedBytes });
  }

  doneStream(result: StreamResult): void {
    this.#write('done', { path: '-', ...resultFields(result), resumedBytes: 0 });
  }

  unpacking(format: ArchiveFormat, start: number): void {
    this.#write('unpack', { format, start });
  }

  unpacked({ entries, bytes: unpackedBytes }: ExtractProgress): void {
    const nowMs = systemRuntime.clock.nowMs();
    if (nowMs - this.#unpackedToldAtMs < PROGRESS_EVERY_MS) return;
    this.#unpackedToldAtMs = nowMs;
    this.#write('unpacked', { entries, unpackedBytes });
  }

  doneExtract(summary: ExtractSummary): void {
    const { unpacked, resumedBytes, unpackerStarts } = summary;
    const { path, format, entries, bytes: unpackedBytes } = unpacked;
    this.#write('done', {
      path,
      ...resultFields(summary),
      resumedBytes,
      format,
      entries,
      unpackedBytes,
      unpackerStarts,
    });
  }

  failed(error: unknown, exit: number): void {
    this.#write('error', errorFields(error, exit));
  }

  interrupted(interruption: Interruption, exit: number): void {
    this.#write('error', { message: interruption.message, exit });
  }

  queued(host: string, wait: HostWait): void {
    this.#write('queued', queuedFields(host, wait));
  }

  close(): void {}

  #write(event: string, fields: Fields): void {
    this.#out.write(`${JSON.stringify({ event, url: this.#url, ...fields })}\n`);
  }
}

export function errorFields(error: unknown, exit: number): Fields {
  const { code, reason, ledger } = error as { code?: string; reason?: string; ledger?: { attemptCount: number } };
  return { message: firstLineOf(error), exit, code, reason, attempts: ledger?.attemptCount };
}

export function queuedFields(host: string, wait: HostWait): Fields {
  const left = wait.kind === 'pushback' ? { delayMs: Math.round(wait.untilMs - systemRuntime.clock.wallMs()) } : {};
  return { host, because: wait.kind, ...left };
}

export function resultFields(result: StreamResult): Fields {
  const { bytes, sha256, integrity, attempts, hops, refetchedBytes, waitedMs, durationMs, notes } = result;
  const rounded = { waitedMs: Math.round(waitedMs), durationMs: Math.round(durationMs) };
  return { bytes, sha256, integrity, attempts, hops, refetchedBytes, ...rounded, notes };
}

/** Undefined for what `done` and `error` say better. */
export function fieldsOf(event: DownloadEvent): Fields | undefined {
  switch (event.type) {
    case 'attempt':
      return { attempt: event.attemptNumber, fromByte: event.fromByte };
    case 'response':
      return { attempt: event.attemptNumber, status: event.status };
    case 'failure': {
      const { kind, what, phase, origin, transient, code, status } = event.failure;
      const place = { atByte: event.atByte, totalBytes: event.totalBytes };
      return { attempt: event.attemptNumber, kind, what, phase, origin, transient, ...place, code, status };
    }
    case 'wait': {
      const because = 'because' in event.decision ? event.decision.because : undefined;
      const delayMs = Math.round(event.delayMs);
      return { attempt: event.attemptNumber, delayMs, because, next: event.decision.kind };
    }
    case 'healed':
      return { attempt: event.attemptNumber, atByte: event.atByte, how: event.how };
    case 'found':
      return { keptBytes: event.keptBytes };
    case 'restart':
      return { because: event.because, lostBytes: event.lostBytes };
    case 'kept': {
      const { keptBytes, totalBytes, folder, canContinue } = event;
      return { keptBytes, totalBytes, folder, canContinue };
    }
    case 'note':
      return { text: event.text };
    case 'connections':
      return { count: event.count };
    case 'mirror':
      return { mirror: event.url, because: event.because };
    case 'give-up':
    case 'end':
      return undefined;
  }
}
