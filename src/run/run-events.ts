import type { Phase } from '../core/index.ts';

/** What a failed attempt's exit code and last output say. */
export interface Judgement {
  /**
   * `transient`: another attempt may succeed. `permanent`: it was refused, and would be again. `local`: this machine or
   * the command itself. `unknown`: nothing told; never repeated on a guess.
   */
  readonly verdict: 'transient' | 'permanent' | 'local' | 'unknown';
  /** The row that said so: of `docs/run.md` or `docs/explain.md`. */
  readonly row: string | undefined;
  /** A short phrase: `connection reset (ECONNRESET)`. */
  readonly what: string;
  readonly means: string;
  readonly phase: Phase | undefined;
  /** The output line that shows it, shortened, without credentials. */
  readonly evidence: string | undefined;
  /** The one thing to try next, as `explain` says it. */
  readonly next: string | undefined;
}

/** How an attempt ended. */
export interface Ended {
  /** The command's own; 128 + n where signal n ended it. */
  readonly exitCode: number;
  readonly signal: string | undefined;
}

/** Why no other attempt was made. */
export type RunReason =
  | 'succeeded'
  /** It was refused, and would be again. */
  | 'permanent'
  /** This machine, or the command itself. */
  | 'local'
  /** Nothing in the exit code and the output is known. */
  | 'unknown'
  /** The command changes something elsewhere and may have done so. */
  | 'may-have-run'
  /** The command has read from standard input what cannot be given to it again. */
  | 'input-consumed'
  /** A part of the data went to whoever reads our stdout; a repeat would mix two. */
  | 'output-passed-on'
  /** The same damage at the same place, twice. */
  | 'deterministic'
  | 'attempts-exhausted'
  | 'deadline'
  /** A signal that this process was sent, or Ctrl-C in the terminal of the command. */
  | 'interrupted'
  /** There is no such command, or it may not be run. */
  | 'not-started';

export interface RunResult {
  /** The command's own; 128 + n for a signal, 127 and 126 for a command that is not there or may not be run. */
  readonly exitCode: number;
  readonly attempts: number;
  readonly reason: RunReason;
  /** Of the last attempt, where it failed. */
  readonly judgement: Judgement | undefined;
  /** From the start to the end, waits included. */
  readonly durationMs: number;
  readonly waitedMs: number;
}

export type RunEvent =
  | { readonly type: 'attempt'; readonly attemptNumber: number; readonly pid: number | undefined }
  | {
      readonly type: 'failure';
      readonly attemptNumber: number;
      readonly ended: Ended;
      readonly judgement: Judgement;
      readonly durationMs: number;
    }
  /** What a failed attempt had left was removed, since this run had made it; `isContent` where the folder itself stays. */
  | { readonly type: 'cleaned'; readonly attemptNumber: number; readonly path: string; readonly isContent: boolean }
  /** Before the next attempt. */
  | { readonly type: 'wait'; readonly attemptNumber: number; readonly delayMs: number; readonly maxAttempts: number }
  | { readonly type: 'note'; readonly text: string }
  /** A mirror stands in front of these, and the command was told by these variables or words. */
  | {
      readonly type: 'via';
      readonly name: string;
      readonly url: string;
      readonly upstreams: readonly string[];
      readonly set: readonly string[];
    }
  /** What the command asked of it, and how often an upstream was asked again. */
  | {
      readonly type: 'via-end';
      readonly name: string;
      readonly requests: number;
      readonly bytes: number;
      readonly repeats: number;
    }
  | { readonly type: 'end'; readonly result: RunResult };
