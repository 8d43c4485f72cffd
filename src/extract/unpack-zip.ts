import zlib from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { isReknitError } from '../core/index.ts';
import { ArchiveError, type ArchiveTrouble } from './archive-error.ts';
import type { Tally } from './tally.ts';
import type { TreeWriter } from './tree-writer.ts';

type Yauzl = typeof import('yauzl');

/** Names in UTF-8 (APPNOTE 4.4.4, bit 11). */
const UTF8_FLAG = 0x800;
const MADE_ON_UNIX: ReadonlySet<number> = new Set([3, 19]);
const KIND = 0o170000;
const kinds = { folder: 0o040000, file: 0o100000, symlink: 0o120000 } as const;
const MAX_LINK_BYTES = 4_096;

/** From a file: a zip's directory is at its end, and alone says what it holds. */
export async function unpackZip(
  path: string,
  tree: TreeWriter,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  const yauzl = (await import('yauzl')).default;
  const zip = await inZip(tally, undefined, () => yauzl.openPromise(path, { decodeStrings: false, autoClose: false }));
  try {
    const entries = zip.eachEntry();
    while (true) {
      signal?.throwIfAborted();
      const { done, value: entry } = await inZip(tally, undefined, () => entries.next());
      if (done === true) return;
      await take(zip, entry, nameOf(yauzl, entry), tree, tally, signal);
    }
  } finally {
    zip.close();
  }
}

/** Whatever the flag says, names are UTF-8 or refused: what else they are nobody wrote down. */
function nameOf({ getFileNameLowLevel }: Yauzl, entry: Entry): string {
  return getFileNameLowLevel(entry.generalPurposeBitFlag | UTF8_FLAG, entry.fileNameRaw, entry.extraFields, true);
}

async function take(
  zip: ZipFile,
  entry: Entry,
  name: string,
  tree: TreeWriter,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  const unixMode = MADE_ON_UNIX.has(entry.versionMadeBy >> 8) ? entry.externalFileAttributes >>> 16 : 0;
  const mode = unixMode === 0 ? undefined : unixMode;
  const kind = unixMode & KIND;
  if (name.endsWith('/') || kind === kinds.folder) return tree.folder(name, mode);
  if (kind !== 0 && kind !== kinds.file && kind !== kinds.symlink) tree.refuse(name, 'it is a device file or a fifo');
  if (entry.isEncrypted()) throw troubleIn('unsupported', name, entry, 'it is encrypted');
  if (!entry.canDecodeFileData()) {
    throw troubleIn(
      'unsupported',
      name,
      entry,
      `it is compressed by method ${entry.compressionMethod}, not by deflate`,
    );
  }
  const content = contentOf(zip, entry, name, tally, signal);
  if (kind === kinds.symlink) return tree.symlink(name, await readLink(content, entry, name));
  return tree.file(
    name,
    { mode, modifiedAt: entry.getLastModDate({ timezone: 'UTC' }), bytes: entry.uncompressedSize },
    content,
  );
}

async function* contentOf(
  zip: ZipFile,
  entry: Entry,
  name: string,
  tally: Tally,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const stream = await inZip(tally, name, () => zip.openReadStreamPromise(entry));
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let crc = 0;
  try {
    while (true) {
      signal?.throwIfAborted();
      const { done, value } = await inZip(tally, name, () => chunks.next());
      if (done === true) break;
      crc = zlib.crc32(value, crc);
      tally.addPlain(value.length);
      yield value;
    }
  } finally {
    stream.destroy();
  }
  if (crc !== entry.crc32) throw troubleIn('corrupt', name, entry, 'its checksum is wrong');
}

async function readLink(content: AsyncIterable<Buffer>, entry: Entry, name: string): Promise<string> {
  if (entry.uncompressedSize > MAX_LINK_BYTES)
    throw troubleIn('limit', name, entry, 'the link leads to too long a name');
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function troubleIn(
  trouble: ArchiveTrouble,
  entry: string,
  { relativeOffsetOfLocalHeader }: Entry,
  what: string,
): ArchiveError {
  return new ArchiveError({ trouble, what, entry, atByte: relativeOffsetOfLocalHeader });
}

/** Runs one step of the library; what it says against the file is the archive's fault. */
async function inZip<T>(tally: Tally, entry: string | undefined, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (isReknitError(error)) throw error;
    const { message } = error as Error;
    // Without its end a zip has no directory.
    const trouble = /end of central directory record signature not found/i.test(message) ? 'truncated' : 'corrupt';
    throw new ArchiveError({ trouble, what: message, entry: entry ?? tally.entry, cause: error });
  }
}
