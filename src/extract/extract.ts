import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ConfigError, show } from '../core/index.ts';
import { tell } from '../runtime/index.ts';
import { ArchiveError } from './archive-error.ts';
import { type ArchiveFormat, detectFormat, HEAD_BYTES } from './archive-format.ts';
import { type ArchiveInput, ArchiveSource } from './archive-source.ts';
import { type ExtractLimits, type Limits, resolveLimits } from './limits.ts';
import { onDisk } from './local-trouble.ts';
import { Tally } from './tally.ts';
import { type ExtractedEntry, TreeWriter } from './tree-writer.ts';
import { unpackTar } from './unpack-tar.ts';
import { unpackZip } from './unpack-zip.ts';
import { checkTarget, WorkFolder } from './work-folder.ts';

export interface ExtractProgress {
  /** Begun, the one at hand included. */
  readonly entries: number;
  /** Content of files, unpacked. */
  readonly bytes: number;
  /** Of the archive, read. */
  readonly archiveBytes: number;
}

export interface ExtractOptions {
  /** The folder that will hold the result. It must not exist, and the folder above it must. */
  readonly into: string;
  /** Replace the folder that is there; it stays until the new one is whole. @default false */
  readonly force?: boolean | undefined;
  readonly limits?: ExtractLimits | undefined;
  /** The archive's file name or media type, for the few whose first bytes do not say what they are. */
  readonly hint?: string | undefined;
  /** An abort rejects with the signal's own reason; nothing is left. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What happens to the rest of the source when the archive is corrupt: it is left, or read to its end, so that a source
   * that knows the right digest can say that the bytes, and not the archive, are wrong. @default 'stop'
   */
  readonly afterTrouble?: 'stop' | 'prove-source' | undefined;
  /** The kind of archive is known, and unpacking begins. */
  readonly onStart?: ((format: ArchiveFormat) => void) | undefined;
  /** An entry is there, in the temporary folder. */
  readonly onEntry?: ((entry: ExtractedEntry) => void) | undefined;
  /** Called for every piece of content. */
  readonly onProgress?: ((progress: ExtractProgress) => void) | undefined;
}

export interface ExtractResult {
  /** Absolute. */
  readonly path: string;
  readonly format: ArchiveFormat;
  /** Files, folders and links of the archive. */
  readonly entries: number;
  /** Content of files. */
  readonly bytes: number;
  /** Of the archive itself. */
  readonly archiveBytes: number;
  /** What a person should know, though it went well: names that differ in case alone. */
  readonly notes: readonly string[];
}

/**
 * Unpacks a tar, tar.gz, tar.zst or zip into a folder that appears whole or not at all: into `DIR.reknit-XXXXXX/` beside
 * it, and by one rename to its name once the source has ended well. A tar is unpacked while it arrives; a zip, whose
 * directory is at its end, is kept in the temporary folder first.
 *
 * Nothing is written outside of the folder: names that lead out, links that do, devices, fifos, duplicates and names that
 * are not UTF-8 are refused, and so is what unpacks to more than `limits`. Owners and set-user-id bits are not restored.
 *
 * @param source a path, the bytes in order, or a function that writes them and resolves when they are proven
 * @throws ArchiveError if the archive is corrupt, truncated, unsafe, too large, or of no known kind
 * @throws ReknitError (`ERR_REKNIT_LOCAL`) if the folder exists (without `force`), or the disk fails
 * @throws ConfigError for a wrong option, before anything is read or written
 * @throws what the source threw, unchanged: a failure of the network is never told as the archive's
 * @example
 * ```ts
 * import { downloadTo } from 'reknit/download';
 * import { extract } from 'reknit/extract';
 * const url = 'https://example.com/data.tar.gz';
 * const { entries } = await extract((output, signal) => downloadTo(output, url, { signal }), { into: 'data' });
 * console.log(entries);
 * ```
 */
export async function extract(source: ArchiveInput, options: ExtractOptions): Promise<ExtractResult> {
  const { signal, force = false, hint = typeof source === 'string' ? source : '' } = options;
  const target = resolve(checkPath(options.into));
  const limits = resolveLimits(options.limits);
  await checkTarget(target, { force });
  signal?.throwIfAborted();
  const work = await WorkFolder.create(target);
  const input = new ArchiveSource(source, signal);
  try {
    const format = await findFormat(input, hint);
    tell(options.onStart, format);
    const result = await unpack({ source, input, format, work, limits, options });
    await input.drain();
    signal?.throwIfAborted();
    await work.commit({ force });
    return { path: target, format, archiveBytes: input.bytes, ...result };
  } catch (error) {
    await proveSource(input, error, options);
    throw input.failure === undefined ? error : input.failure.error;
  } finally {
    await input.close();
    await work.remove();
  }
}

async function findFormat(input: ArchiveSource, hint: string): Promise<ArchiveFormat> {
  const verdict = detectFormat(await input.peek(HEAD_BYTES), hint);
  if (verdict.kind === 'known') return verdict.format;
  throw new ArchiveError({ trouble: 'unsupported', what: verdict.what });
}

interface Unpacking {
  readonly source: ArchiveInput;
  readonly input: ArchiveSource;
  readonly format: ArchiveFormat;
  readonly work: WorkFolder;
  readonly limits: Limits;
  readonly options: ExtractOptions;
}

async function unpack(unpacking: Unpacking): Promise<Pick<ExtractResult, 'entries' | 'bytes' | 'notes'>> {
  const { input, format, work, limits, options } = unpacking;
  const tally = new Tally(limits, () => input.bytes);
  const tree = await TreeWriter.create({
    root: work.tree,
    limits,
    tally,
    onEntry: (entry) => tell(options.onEntry, entry),
    onBytes: () => {
      const { entries, bytes } = tally;
      tell(options.onProgress, { entries, bytes, archiveBytes: input.bytes });
    },
  });
  try {
    if (format === 'zip') await unpackWholeZip(unpacking, tree, tally);
    else await unpackTar(input, format, tree, tally);
    await tree.finish();
  } finally {
    await tree.settle();
  }
  return { entries: tally.entries, bytes: tally.bytes, notes: tree.notes };
}

async function unpackWholeZip(
  { source, input, work, options }: Unpacking,
  tree: TreeWriter,
  tally: Tally,
): Promise<void> {
  const path = typeof source === 'string' ? source : work.archive;
  await (path === source ? input.drain() : spool(input, path));
  await unpackZip(path, tree, tally, options.signal);
}

async function spool(input: ArchiveSource, path: string): Promise<void> {
  await onDisk('write', path, () => pipeline(input, createWriteStream(path, { flags: 'wx', mode: 0o600 }))).catch(
    (error: unknown) => {
      throw input.failure === undefined ? error : input.failure.error;
    },
  );
}

/** Whether the archive or its transport is at fault only the source can say, at its end. */
async function proveSource(input: ArchiveSource, error: unknown, { afterTrouble }: ExtractOptions): Promise<void> {
  if (afterTrouble !== 'prove-source' || !(error instanceof ArchiveError)) return;
  if (error.trouble === 'unsafe' || error.trouble === 'limit') return;
  // Its failure is remembered by the source, and told first.
  await input.drain().catch(() => {});
}

function checkPath(into: unknown): string {
  if (typeof into === 'string' && into !== '' && !into.includes('\0')) return into;
  throw new ConfigError(`Cannot extract as \`into\` must be a path: received ${show(into)}`);
}
