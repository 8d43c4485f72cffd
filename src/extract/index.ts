/** Archives that arrive whole or not at all, and never outside of their folder. */
export { ArchiveError, type ArchiveTrouble } from './archive-error.ts';
export type { ArchiveFormat } from './archive-format.ts';
export type { ArchiveInput, ArchiveProducer } from './archive-source.ts';
export { type ExtractOptions, type ExtractProgress, type ExtractResult, extract } from './extract.ts';
export type { ExtractLimits } from './limits.ts';
export type { ExtractedEntry } from './tree-writer.ts';
export { type CommitOptions as ExtractTargetOptions, checkTarget as checkExtractTarget } from './work-folder.ts';
