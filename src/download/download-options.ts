import type { Integrity, Ledger } from '../core/index.ts';
import type { Client, ClientOptions } from '../http/index.ts';
import type { DownloadListener, ProgressListener } from './events.ts';
import type { ConnectionLimits } from './limits.ts';

/** What every download takes: a client's options (ten attempts by default), and its own. */
export interface FetchOptions extends Omit<ClientOptions, 'onEvent'> {
  /**
   * What the content must be: `sha256:HEX`, `sha512:`, `sha1:`, `md5:`, SRI, or the path or URL of a list such as
   * `SHA256SUMS` with an entry of the file's name. @default the server's word, if it gives one
   */
  readonly checksum?: string | undefined;
  /** Fail where neither a digest nor a length proves the end. @default false */
  readonly requireProof?: boolean;
  /** Other addresses of the same file. Bytes of two are joined only where a digest proves the whole. */
  readonly mirrors?: readonly (string | URL)[];
  /** Bytes per second, over all connections. @default no limit */
  readonly limitRate?: number | undefined;
  /** Bounds connections from above; asked before each one. */
  readonly limits?: ConnectionLimits | undefined;
  /** Remembers how mirrors did, for the next run. @default nothing is remembered */
  readonly stateFolder?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An abort rejects with the signal's own reason; what was downloaded stays, and the next call continues it. */
  readonly signal?: AbortSignal | undefined;
  /** Whose connections to use; of the client's options here only `retry.maxAttempts` and `timeouts.deadlineMs` still count. */
  readonly client?: Client | undefined;
  readonly onEvent?: DownloadListener | undefined;
  /** Called for every piece of the body. */
  readonly onProgress?: ProgressListener | undefined;
}

/** How a download to a file goes. */
export interface DownloadOptions extends FetchOptions {
  /** Where the file will be. Its folder must exist. */
  readonly to: string;
  /** Replace what is there. @default false */
  readonly force?: boolean;
  /** Connections to begin with, at once. @default 1, and more while they bring more */
  readonly initialConnections?: number | undefined;
  /** Connections at most; 1 never asks for parts. @default 8 */
  readonly maxConnections?: number | undefined;
}

export interface StreamResult {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** How the end is known: by a digest, by its length, by its framing, or not at all. */
  readonly integrity: Integrity;
  readonly attempts: number;
  readonly hops: number;
  /** At the same time, at most. */
  readonly connections: number;
  /** Received more than once. */
  readonly refetchedBytes: number;
  readonly waitedMs: number;
  readonly durationMs: number;
  /** What a person should know, though it went well. */
  readonly notes: readonly string[];
  readonly ledger: Ledger;
}

export interface BufferResult extends StreamResult {
  readonly body: Buffer;
}

export interface DownloadResult extends StreamResult {
  /** Absolute. */
  readonly path: string;
  /** Of an earlier run, and not fetched again. */
  readonly resumedBytes: number;
}
