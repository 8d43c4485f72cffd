import type { DownloadOptions, DownloadResult } from './download-options.ts';
import type { DownloadEvent, Progress } from './events.ts';
import type { HostWait } from './host-gate.ts';

/** One file of a batch. */
export interface BatchEntry {
  readonly url: string | URL;
  /** Where the file will be, from the batch's `folder` on. Folders in between are created. */
  readonly to: string;
  readonly checksum?: string | undefined;
  /** Bytes: a file of another length is wrong, and a small one need not wait for large ones. */
  readonly size?: number | undefined;
  /** Beside those of the batch, and instead of those with the same name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly mirrors?: readonly (string | URL)[] | undefined;
}

type ForAll = Omit<DownloadOptions, 'to' | 'checksum' | 'mirrors' | 'onEvent' | 'onProgress'>;

/** How a batch goes; what is no option of its own holds for each of its downloads, `timeouts.deadlineMs` included. */
export interface BatchOptions extends ForAll {
  /** @default the current folder */
  readonly folder?: string | undefined;
  /** Files at the same time. Large ones leave a quarter of the places to small ones. @default 8 */
  readonly jobs?: number | undefined;
  /** What a download tells, as it happens; `index` is that of the entry. */
  readonly onEvent?: ((event: BatchEvent, index: number) => void) | undefined;
  readonly onProgress?: ((progress: Progress, index: number) => void) | undefined;
  /** A file has come to its end, good or bad. */
  readonly onOutcome?: ((outcome: BatchOutcome) => void) | undefined;
}

export type BatchEvent =
  | DownloadEvent
  | { readonly type: 'start'; readonly url: string; readonly path: string }
  /** There is no connection for it yet, and why. */
  | { readonly type: 'queued'; readonly url: string; readonly host: string; readonly wait: HostWait }
  /** It is large, and waits until small ones have had their turn; what came of it is kept. */
  | { readonly type: 'postponed'; readonly url: string; readonly totalBytes: number };

interface About {
  readonly index: number;
  readonly entry: BatchEntry;
  /** Absolute. */
  readonly path: string;
}

/** What became of one file; each has its own fate. */
export type BatchOutcome = About &
  (
    | { readonly kind: 'done'; readonly result: DownloadResult }
    /** It is there already: its checksum is right, or an earlier run proved it and neither it nor the server's has changed. */
    | { readonly kind: 'skipped'; readonly because: 'checksum' | 'earlier-run'; readonly bytes: number }
    | { readonly kind: 'failed'; readonly error: unknown }
  );

export interface BatchResult {
  /** In the order of the entries. */
  readonly outcomes: readonly BatchOutcome[];
  /** Downloaded in this run. */
  readonly bytes: number;
  readonly durationMs: number;
}
