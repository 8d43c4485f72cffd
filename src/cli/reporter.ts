import type { DownloadEvent, DownloadResult, HostWait, Progress, StreamResult } from '../download/index.ts';
import type { ArchiveFormat, ExtractProgress } from '../extract/index.ts';
import type { ExtractSummary } from './get-extract-summary.ts';
import type { Job } from './get-settings.ts';
import type { Interruption } from './interruption.ts';

/** Tells what happens, to a person or to a program. */
export interface Reporter {
  start(job: Job): void;
  event(event: DownloadEvent): void;
  progress(progress: Progress): void;
  done(result: DownloadResult): void;
  doneStream(result: StreamResult): void;
  /** An unpacker begins, for the n-th time (1-based). */
  unpacking(format: ArchiveFormat, start: number): void;
  unpacked(progress: ExtractProgress): void;
  doneExtract(summary: ExtractSummary): void;
  failed(error: unknown, exit: number): void;
  interrupted(interruption: Interruption, exit: number): void;
  /** There is no connection yet. */
  queued(host: string, wait: HostWait): void;
  close(): void;
}
