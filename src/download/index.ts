/** Downloads that cannot be lost: into a folder beside the target, proven, and then renamed into place. */
export { findTwice, mistakeIn } from './batch-entries.ts';
export type { BatchEntry, BatchEvent, BatchOptions, BatchOutcome, BatchResult } from './batch-options.ts';
export {
  type Checksum,
  type ChecksumSource,
  describeChecksumForms,
  parseChecksum,
  parseChecksumSource,
} from './checksum.ts';
export { clientOptionsForBatch, clientOptionsForDownload, GET_ATTEMPTS } from './client-defaults.ts';
export { MAX_CONNECTIONS } from './door.ts';
export { download, downloadTo, downloadToBuffer } from './download.ts';
export { DEFAULT_JOBS, downloadAll } from './download-all.ts';
export type { BufferResult, DownloadOptions, DownloadResult, FetchOptions, StreamResult } from './download-options.ts';
export type { DownloadEvent, DownloadListener, Progress, ProgressListener } from './events.ts';
export { checkHeader } from './header-rules.ts';
export type { HostWait } from './host-gate.ts';
export { type AcquireOptions, createHostLimits, type HostLimits, type HostLimitsOptions } from './host-limits.ts';
export type { ConnectionLease, ConnectionLimits, ConnectionOutcome } from './limits.ts';
export { LocalError } from './local-error.ts';
export { isGone, ownMark, type ProcessMark } from './process-mark.ts';
export { defaultStateFolder } from './state-folder.ts';
