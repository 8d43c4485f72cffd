/** `--json` of a batch: the lines of one download (`json-reporter.ts`), each with the `url` and `path` that it is about. */
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { redactUrl } from '../core/index.ts';
import type { BatchEvent, BatchOutcome, BatchResult, Progress } from '../download/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import type { BatchReporter } from './batch-reporter.ts';
import type { Job } from './get-settings.ts';
import type { Interruption } from './interruption.ts';
import { errorFields, type Fields, fieldsOf, PROGRESS_EVERY_MS, queuedFields, resultFields } from './json-reporter.ts';

export class BatchJsonReporter implements BatchReporter {
  readonly #out: Writable;
  #about: readonly Fields[] = [];
  readonly #toldAtMs = new Map<number, number>();

  constructor(out: Writable) {
    this.#out = out;
  }

  begin(jobs: readonly Job[]): void {
    this.#about = jobs.map(({ url, target }) => ({ url: redactUrl(url), path: resolve(target ?? '-') }));
    for (const [index, { note }] of jobs.entries()) if (note !== undefined) this.#write('note', index, { text: note });
  }

  event(event: BatchEvent, index: number): void {
    const fields = fieldsOfAny(event);
    if (fields !== undefined) this.#write(event.type, index, fields);
  }

  progress({ bytes, totalBytes, receivedBytes, attemptNumber }: Progress, index: number): void {
    const nowMs = systemRuntime.clock.nowMs();
    if (nowMs - (this.#toldAtMs.get(index) ?? Number.NEGATIVE_INFINITY) < PROGRESS_EVERY_MS) return;
    this.#toldAtMs.set(index, nowMs);
    this.#write('progress', index, { bytes, totalBytes, receivedBytes, attempt: attemptNumber });
  }

  outcome(outcome: BatchOutcome, exit: number): void {
    this.#toldAtMs.delete(outcome.index);
    const [event, fields] = endOf(outcome, exit);
    this.#write(event, outcome.index, fields);
  }

  note(text: string): void {
    this.#line({ event: 'note', text });
  }

  interrupted({ message, exitCode }: Interruption): void {
    this.#line({ event: 'error', message, exit: exitCode });
  }

  summary({ outcomes, bytes, durationMs }: BatchResult, _codes: readonly number[], exit: number): void {
    const count = (kind: string) => outcomes.filter((one) => one.kind === kind).length;
    const counts = { jobs: outcomes.length, done: count('done'), skipped: count('skipped'), failed: count('failed') };
    this.#line({ event: 'summary', ...counts, bytes, durationMs: Math.round(durationMs), exit });
  }

  close(): void {}

  #write(event: string, index: number, fields: Fields): void {
    this.#line({ event, ...this.#about[index], ...fields });
  }

  #line(fields: Fields): void {
    this.#out.write(`${JSON.stringify(fields)}\n`);
  }
}

function fieldsOfAny(event: BatchEvent): Fields | undefined {
  switch (event.type) {
    case 'start':
      return {};
    case 'postponed':
      return { totalBytes: event.totalBytes };
    case 'queued':
      return queuedFields(event.host, event.wait);
    default:
      return fieldsOf(event);
  }
}

function endOf(outcome: BatchOutcome, exit: number): readonly [event: string, fields: Fields] {
  switch (outcome.kind) {
    case 'done':
      return ['done', { ...resultFields(outcome.result), resumedBytes: outcome.result.resumedBytes }];
    case 'skipped':
      return ['skipped', { bytes: outcome.bytes, because: outcome.because }];
    case 'failed':
      return ['error', errorFields(outcome.error, exit)];
  }
}
