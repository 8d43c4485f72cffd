import type { Integrity, Ledger } from '../core/index.ts';
import type { Client } from '../http/index.ts';
import type { Checksum } from './checksum.ts';
import type { DownloadListener, ProgressListener } from './events.ts';
import type { ConnectionLimits, Pace } from './limits.ts';
import type { HostMemory } from './sources.ts';

/** One download, its options resolved. */
export interface TransferJob {
  readonly url: string;
  /** Other addresses of the same file. */
  readonly mirrors: readonly string[];
  readonly hostMemory: ReadonlyMap<string, HostMemory>;
  /** Absolute; undefined for streams and buffers. */
  readonly target: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly checksum: Checksum | undefined;
  /** An end that nothing proves is a failure. */
  readonly requiresProof: boolean;
  readonly connections: { readonly first: number; readonly max: number };
  readonly limits: ConnectionLimits;
  readonly pace: Pace | undefined;
  readonly client: Client;
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number | undefined;
  /** How often everything may be thrown away and begun anew. */
  readonly maxRestarts: number;
  readonly onEvent: DownloadListener | undefined;
  readonly onProgress: ProgressListener | undefined;
  /** An address came to nothing. */
  readonly onSource?: ((url: string, what: 'failed') => void) | undefined;
}

export interface TransferOutcome {
  readonly integrity: Integrity;
  /** Hex. */
  readonly sha256: string;
  readonly ledger: Ledger;
  readonly notes: readonly string[];
  /** The most at the same time. */
  readonly connections: number;
  /** The address that brought the end of it. */
  readonly source: string;
}
