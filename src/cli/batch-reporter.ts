import type { BatchEvent, BatchOutcome, BatchResult, Progress } from '../download/index.ts';
import type { Job } from './get-settings.ts';
import type { Interruption } from './interruption.ts';

/** Tells what becomes of many files, to a person or to a program; `index` is the job's. */
export interface BatchReporter {
  begin(jobs: readonly Job[]): void;
  event(event: BatchEvent, index: number): void;
  progress(progress: Progress, index: number): void;
  outcome(outcome: BatchOutcome, exit: number): void;
  /** Something that is about no file. */
  note(text: string): void;
  interrupted(interruption: Interruption): void;
  summary(result: BatchResult, codes: readonly number[], exit: number): void;
  close(): void;
}
