/** Downloads that cannot be lost: into a folder beside the target, proven, and then renamed into place. */
export { type Checksum, describeChecksumForms, parseChecksum } from './checksum.ts';
export { clientOptionsForDownload, GET_ATTEMPTS } from './client-defaults.ts';
export { type DownloadOptions, type DownloadResult, download, downloadTo, type StreamResult } from './download.ts';
export type { DownloadEvent, DownloadListener, Progress, ProgressListener } from './events.ts';
export { checkHeader } from './header-rules.ts';
export { LocalError } from './local-error.ts';
