/** What clients read: an answer that comes, or one that is kept. */
import type { Head } from './head.ts';

export type ContentState = 'open' | 'whole' | 'failed';

/** How it came to the client who asked, for the header `x-reknit-cache`. */
export type Provenance = 'miss' | 'joined' | 'hit' | 'revalidated' | 'stale';

/** One client's hold on it; what nobody holds any more is not fetched on. */
export interface Hold {
  /** How far it has read. */
  at: number;
  /** What it has read turned out to be wrong: it must not see an end. */
  readonly isMisled: boolean;
  release(): void;
}

export interface Content {
  /** Settles when it may be told to clients; rejects where there is no answer at all. */
  readonly head: Promise<Head>;
  readonly from: Provenance;
  readonly state: ContentState;
  /** What it failed with. */
  readonly error: unknown;
  /** So many bytes may be sent: the end of what is to be proven is held back until it is. */
  readonly releasedBytes: number;
  /** All of it, once that is known. */
  readonly lengthBytes: number | undefined;
  read(at: number, maxBytes: number): Buffer | Promise<Buffer>;
  /** Settles when more may be sent, or it has ended. */
  news(): Promise<void>;
  hold(): Hold;
}
