import type { Extract, Header } from 'tar-stream';
import { isReknitError } from '../core/index.ts';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveFormat } from './archive-format.ts';
import { HEAD_BYTES, isTarHeader } from './archive-format.ts';
import type { ArchiveSource } from './archive-source.ts';
import { decompressed } from './decoders.ts';
import { decodeName } from './entry-path.ts';
import type { Tally } from './tally.ts';
import type { TreeWriter } from './tree-writer.ts';

/** Of zeros, at the end: a tar without it was cut between two entries. */
const END_MARK_BYTES = 512;

/** Entries go to the disk as their bytes arrive. */
export async function unpackTar(
  source: ArchiveSource,
  format: Exclude<ArchiveFormat, 'zip'>,
  tree: TreeWriter,
  tally: Tally,
): Promise<void> {
  const { extract } = await import('tar-stream');
  // As bytes, so that what is not UTF-8 can be told from what is; headers from before POSIX are tars, too.
  const options = { filenameEncoding: 'latin1', allowUnknownFormat: true };
  const parser = extract(options as Parameters<typeof extract>[0]);
  const plain = new PlainTar(plainBytes(source, format), format, tally);
  const closed = closing(parser);
  let isStopped = false;
  let failure: { readonly error: unknown } | undefined;
  const feeding = feed(plain, parser, () => isStopped).catch((error: unknown) => {
    failure ??= { error };
    parser.destroy(error instanceof Error ? error : new Error('the source failed', { cause: error }));
  });
  try {
    for await (const entry of parser) await take(entry as unknown as TarEntry, tree);
    await feeding;
    if (failure !== undefined) throw failure.error;
    plain.checkEnd();
  } catch (error) {
    parser.destroy();
    const own = await closed;
    throw failure?.error ?? (isReknitError(error) ? error : parserTrouble(own ?? error, tally));
  } finally {
    isStopped = true;
    parser.destroy();
  }
}

/** The parser's own error, once it is closed: the entry at hand is told nothing but that the stream was destroyed. */
function closing(parser: Extract): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let own: Error | undefined;
    parser.on('error', (error) => {
      own = error;
    });
    parser.on('close', () => resolve(own));
  });
}

function plainBytes(source: ArchiveSource, format: Exclude<ArchiveFormat, 'zip'>): AsyncIterable<Buffer> {
  if (format === 'tar') return source;
  return decompressed(source, format === 'tar.gz' ? 'gzip' : 'zstd');
}

/** What the parser is given: counted, seen to be a tar, and watched for its end. */
class PlainTar implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterable<Buffer>;
  readonly #format: string;
  readonly #tally: Tally;
  #bytes = 0;
  #zerosAtEnd = 0;

  constructor(chunks: AsyncIterable<Buffer>, format: string, tally: Tally) {
    this.#chunks = chunks;
    this.#format = format;
    this.#tally = tally;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    let head = Buffer.alloc(0);
    for await (const chunk of this.#chunks) {
      this.#tally.addPlain(chunk.length);
      this.#bytes += chunk.length;
      this.#watchEnd(chunk);
      if (head.length < HEAD_BYTES) {
        head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
        if (head.length === HEAD_BYTES) this.#checkHead(head);
      }
      yield chunk;
    }
  }

  #checkHead(head: Buffer): void {
    if (isTarHeader(head) || head.every((byte) => byte === 0)) return;
    throw new ArchiveError({ trouble: 'unsupported', what: `there is no tar in this ${this.#format} file` });
  }

  #watchEnd(chunk: Buffer): void {
    let at = chunk.length;
    while (at > 0 && chunk[at - 1] === 0) at -= 1;
    this.#zerosAtEnd = at === 0 ? this.#zerosAtEnd + chunk.length : chunk.length - at;
  }

  checkEnd(): void {
    if (this.#bytes > 0 && this.#zerosAtEnd >= END_MARK_BYTES) return;
    throw new ArchiveError({
      trouble: 'truncated',
      what: `it ends without its end mark${after(this.#tally)}`,
      atByte: this.#tally.atByte,
    });
  }
}

async function feed(plain: PlainTar, parser: Extract, isStopped: () => boolean): Promise<void> {
  for await (const chunk of plain) {
    if (isStopped() || parser.destroyed) return;
    if (!parser.write(chunk)) await untilWritable(parser);
  }
  parser.end(undefined);
}

function untilWritable(parser: Extract): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      parser.off('drain', done);
      parser.off('close', done);
      resolve();
    };
    parser.on('drain', done);
    parser.on('close', done);
  });
}

interface TarEntry extends AsyncIterable<Buffer> {
  readonly header: Omit<Header, 'pax' | 'type'> & {
    readonly type: string | null;
    readonly pax: Readonly<Record<string, string>> | null;
  };
  resume(): void;
}

const refusedTypes: Readonly<Record<string, string>> = {
  'character-device': 'it is a device file',
  'block-device': 'it is a device file',
  fifo: 'it is a fifo',
};

async function take(entry: TarEntry, tree: TreeWriter): Promise<void> {
  const { header } = entry;
  const name = header.pax?.path ?? decodeField(header.name);
  const mode = Number.isInteger(header.mode) ? header.mode : undefined;
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      checkSparse(name, header.pax);
      return tree.file(name, { mode, modifiedAt: header.mtime, bytes: header.size }, entry);
    case 'directory':
      entry.resume();
      return tree.folder(name, mode);
    case 'symlink':
    case 'link': {
      entry.resume();
      // Some unpackers would take the content for the next header.
      if (header.size > 0) tree.refuse(name, 'it is a link with content');
      const to = header.pax?.linkpath ?? decodeField(header.linkname ?? '');
      return header.type === 'symlink' ? tree.symlink(name, to) : tree.hardlink(name, to);
    }
    default:
      return tree.refuse(
        name,
        refusedTypes[header.type ?? ''] ?? 'it is of a kind that is not known, as sparse files are',
      );
  }
}

function checkSparse(name: string, pax: TarEntry['header']['pax']): void {
  if (pax === null || !Object.keys(pax).some((key) => key.startsWith('GNU.sparse'))) return;
  throw new ArchiveError({ trouble: 'unsupported', what: 'it is a sparse file', entry: name });
}

/** The replacement character stands for what is not UTF-8, and is refused by name. */
function decodeField(latin1: string): string {
  return decodeName(Buffer.from(latin1, 'latin1')) ?? `${latin1.replaceAll(/[^ -~]/g, '\uFFFD')}\uFFFD`;
}

function parserTrouble(error: unknown, tally: Tally): ArchiveError {
  const { message } = error as Error;
  const isCut = /unexpected end/i.test(message);
  return new ArchiveError({
    trouble: isCut ? 'truncated' : 'corrupt',
    what: isCut ? `it ends in the middle${after(tally)}` : `${message}${after(tally)}`,
    atByte: tally.atByte,
    cause: error,
  });
}

function after({ entry }: Tally): string {
  return entry === undefined ? '' : `; the last entry is ${JSON.stringify(entry)}`;
}
