import type { StreamResult } from '../download/index.ts';
import type { ExtractResult } from '../extract/index.ts';

/** What `--extract` came to; the numbers are over all beginnings. */
export interface ExtractSummary extends StreamResult {
  readonly unpacked: ExtractResult;
  readonly resumedBytes: number;
  /** How often an unpacker was begun: once, unless the content changed or was wrong. */
  readonly unpackerStarts: number;
}
