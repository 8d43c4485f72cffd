import type { ReknitEvent } from '../http/index.ts';

/** What a download tells beside its requests' events. */
export type DownloadEvent =
  | ReknitEvent
  /** An earlier run left bytes that may be continued. */
  | { readonly type: 'found'; readonly url: string; readonly keptBytes: number }
  /** What was there is thrown away, and the file begins anew. */
  | { readonly type: 'restart'; readonly url: string; readonly because: string; readonly lostBytes: number }
  /** It failed, and this is on the disk for the next run; `canContinue` is false where nothing could prove it. */
  | {
      readonly type: 'kept';
      readonly url: string;
      readonly keptBytes: number;
      readonly totalBytes?: number;
      readonly folder: string;
      readonly canContinue: boolean;
    }
  /** More or fewer connections bring the file now. */
  | { readonly type: 'connections'; readonly url: string; readonly count: number }
  /** Another address of the file is tried now. */
  | { readonly type: 'mirror'; readonly url: string; readonly because: string }
  /** Something that a person should know about a download that went well. */
  | { readonly type: 'note'; readonly url: string; readonly text: string };

export type DownloadListener = (event: DownloadEvent) => void;

export interface Progress {
  /** Of the file, earlier runs included. */
  readonly bytes: number;
  readonly totalBytes: number | undefined;
  /** On the wire, in this run. */
  readonly receivedBytes: number;
  /** 1-based. */
  readonly attemptNumber: number;
  /** That bring the file now; absent for one. */
  readonly connections?: number;
}

export type ProgressListener = (progress: Progress) => void;
