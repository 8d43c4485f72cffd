/**
 * A zstd file is frames in a row (RFC 8878, 3.1). They are told apart here, since the decoders differ in what they do
 * between two: Node.js 22 and 24 stop after the first without a word, and the one in JavaScript takes any window size.
 */
import { formatBytes } from '../core/index.ts';
import { ArchiveError } from './archive-error.ts';

const MAGIC = 0xfd2fb528;
/** Sixteen numbers, for frames with something else than content. */
const SKIPPED_MAGIC = 0x184d2a50;
/** What `zstd` itself takes without being asked for more: the memory that a decoder needs. */
const MAX_WINDOW_BYTES = 134_217_728;

const BLOCK_HEADER_BYTES = 3;
const RUN_LENGTH_BLOCK = 1;
const CHECKSUM_BYTES = 4;

/** Each frame with content, to be read to its end before the next. */
export async function* zstdFrames(source: AsyncIterable<Buffer>): AsyncGenerator<AsyncIterable<Buffer>> {
  const reader = new ByteReader(source);
  while (!(await reader.isAtEnd())) {
    const magic = await reader.take(4);
    const number = magic.readUInt32LE();
    if (number >>> 4 === SKIPPED_MAGIC >>> 4) {
      for await (const _ of reader.pieces((await reader.take(4)).readUInt32LE()));
    } else if (number === MAGIC) {
      yield frame(reader, magic);
    } else {
      throw new ArchiveError({ trouble: 'corrupt', what: `no zstd frame begins with ${magic.toString('hex')}` });
    }
  }
}

async function* frame(reader: ByteReader, magic: Buffer): AsyncGenerator<Buffer> {
  const descriptor = await reader.take(1);
  const flags = descriptor[0]!;
  const isOneSegment = (flags & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = [isOneSegment ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const rest = await reader.take((isOneSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
  const windowBytes = isOneSegment ? contentBytes(rest.subarray(dictionaryBytes)) : windowOf(rest[0]!);
  if (windowBytes > MAX_WINDOW_BYTES) {
    const what = `its window of ${formatBytes(windowBytes)} is more than ${formatBytes(MAX_WINDOW_BYTES)}`;
    throw new ArchiveError({ trouble: 'unsupported', what });
  }
  yield Buffer.concat([magic, descriptor, rest]);
  yield* blocks(reader);
  if ((flags & 4) !== 0) yield await reader.take(CHECKSUM_BYTES);
}

async function* blocks(reader: ByteReader): AsyncGenerator<Buffer> {
  while (true) {
    const header = await reader.take(BLOCK_HEADER_BYTES);
    const bits = header.readUIntLE(0, BLOCK_HEADER_BYTES);
    yield header;
    yield* reader.pieces(((bits >> 1) & 3) === RUN_LENGTH_BLOCK ? 1 : bits >> 3);
    if ((bits & 1) === 1) return;
  }
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

/** In one segment the content is the window. */
function contentBytes(field: Buffer): number {
  if (field.length === 8) return Number(field.readBigUInt64LE());
  // Two bytes count from 256 on: one byte has the rest.
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0);
}

/** Exact numbers of bytes out of pieces of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return true;
      this.#rest = value;
    }
    return false;
  }

  /** Copies: for the few bytes of headers. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const piece of this.pieces(count)) parts.push(piece);
    return Buffer.concat(parts);
  }

  async *pieces(count: number): AsyncGenerator<Buffer> {
    let left = count;
    while (left > 0) {
      if (await this.isAtEnd()) throw new ArchiveError({ trouble: 'truncated', what: 'unexpected end of file' });
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}
