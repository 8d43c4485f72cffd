import type { DownloadEvent, DownloadResult, HostWait, Progress, StreamResult } from '../download/index.ts';
import type { ArchiveFormat, ExtractProgress } from '../extract/index.ts';
import type { ExtractSummary } from './get-extract-summary.ts';
import type { GetFlags } from './get-flags.ts';
import type { Job } from './get-settings.ts';
import type { Interruption } from './interruption.ts';
import { JsonReporter } from './json-reporter.ts';
import { isLiveTerminal, levelOf } from './levels.ts';
import { LiveLine } from './live-line.ts';
import type { Reporter } from './reporter.ts';
import { TextReporter } from './text-reporter.ts';

/** `--json` is data beside the messages; only with `-o -` it takes their place, since stdout is the file. */
export function createReporter(flags: GetFlags, jobs: readonly Job[]): Reporter {
  if (flags.json !== true) return createTextReporter(flags);
  if (jobs[0]?.target === undefined) return new JsonReporter(process.stderr);
  return new BothReporters(new JsonReporter(process.stdout), createTextReporter(flags));
}

function createTextReporter(flags: GetFlags): Reporter {
  const level = levelOf(flags);
  return new TextReporter(process.stderr, level, isLiveTerminal(level) ? new LiveLine(process.stderr) : undefined);
}

class BothReporters implements Reporter {
  readonly #each: readonly Reporter[];

  constructor(...each: readonly Reporter[]) {
    this.#each = each;
  }

  start(job: Job): void {
    for (const one of this.#each) one.start(job);
  }
  event(event: DownloadEvent): void {
    for (const one of this.#each) one.event(event);
  }
  progress(progress: Progress): void {
    for (const one of this.#each) one.progress(progress);
  }
  done(result: DownloadResult): void {
    for (const one of this.#each) one.done(result);
  }
  doneStream(result: StreamResult): void {
    for (const one of this.#each) one.doneStream(result);
  }
  unpacking(format: ArchiveFormat, start: number): void {
    for (const one of this.#each) one.unpacking(format, start);
  }
  unpacked(progress: ExtractProgress): void {
    for (const one of this.#each) one.unpacked(progress);
  }
  doneExtract(summary: ExtractSummary): void {
    for (const one of this.#each) one.doneExtract(summary);
  }
  failed(error: unknown, exit: number): void {
    for (const one of this.#each) one.failed(error, exit);
  }
  interrupted(interruption: Interruption, exit: number): void {
    for (const one of this.#each) one.interrupted(interruption, exit);
  }
  queued(host: string, wait: HostWait): void {
    for (const one of this.#each) one.queued(host, wait);
  }
  close(): void {
    for (const one of this.#each) one.close();
  }
}
