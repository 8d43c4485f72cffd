/** Header compression (RFC 7541): the whole of it for reading, the plainest part of it for writing. */
import { decodeHuffman } from './huffman.ts';

export type Field = readonly [name: string, value: string];

/** RFC 7541, Appendix A; index 1 is the first. */
const staticTable: readonly Field[] = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split('\n')
  .map((line): Field => {
    const [name = '', ...value] = line.split(' ');
    return [name, value.join(' ')];
  });

/** The size that we let a client use; we do not announce another. */
const maxTableBytes = 4096;

/** RFC 7541 4.1: what an entry costs beside its letters. */
const entryBytes = 32;

/** A header block that cannot be read ends the connection. */
export class HpackError extends Error {}

/** Header fields as literals that no table keeps, without Huffman: the same bytes whatever was sent before. */
export function encodeFields(fields: readonly Field[]): Buffer {
  const parts = fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]);
  return Buffer.concat(parts);
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

function integer(value: number, prefixBits: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** Reads the header blocks of one connection, in the order in which they come. */
export class HpackDecoder {
  /** Newest first. */
  readonly #dynamicTable: Field[] = [];
  #sizeBytes = 0;
  #limitBytes = maxTableBytes;

  /** @throws HpackError where the block is broken. */
  decode(block: Buffer): readonly Field[] {
    const fields: Field[] = [];
    const cursor = { block, at: 0 };
    while (cursor.at < block.length) {
      const first = block[cursor.at]!;
      if ((first & 0x80) !== 0) fields.push(this.#entry(readInteger(cursor, 7)));
      else if ((first & 0xc0) === 0x40) fields.push(this.#keep(this.#literal(cursor, 6)));
      else if ((first & 0xe0) === 0x20) this.#resize(readInteger(cursor, 5));
      else fields.push(this.#literal(cursor, 4));
    }
    return fields;
  }

  #literal(cursor: Cursor, prefixBits: number): Field {
    const index = readInteger(cursor, prefixBits);
    const name = index === 0 ? readText(cursor) : this.#entry(index)[0];
    return [name, readText(cursor)];
  }

  #entry(index: number): Field {
    const field = staticTable[index - 1] ?? this.#dynamicTable[index - 1 - staticTable.length];
    if (field === undefined) throw new HpackError(`no entry ${index}`);
    return field;
  }

  #keep(field: Field): Field {
    this.#dynamicTable.unshift(field);
    this.#sizeBytes += costBytes(field);
    this.#evict();
    return field;
  }

  #resize(limitBytes: number): void {
    if (limitBytes > maxTableBytes) throw new HpackError(`a table of ${limitBytes} bytes`);
    this.#limitBytes = limitBytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#sizeBytes > this.#limitBytes) this.#sizeBytes -= costBytes(this.#dynamicTable.pop()!);
  }
}

interface Cursor {
  readonly block: Buffer;
  at: number;
}

function costBytes([name, value]: Field): number {
  return name.length + value.length + entryBytes;
}

const longestIntegerBytes = 5;

function readInteger(cursor: Cursor, prefixBits: number): number {
  const most = 2 ** prefixBits - 1;
  let value = nextByte(cursor) & most;
  if (value < most) return value;
  for (let count = 0; count < longestIntegerBytes; count += 1) {
    const byte = nextByte(cursor);
    value += (byte & 0x7f) * 128 ** count;
    if (byte < 128) return value;
  }
  throw new HpackError('an integer without an end');
}

function readText(cursor: Cursor): string {
  const isCoded = ((cursor.block[cursor.at] ?? 0) & 0x80) !== 0;
  const sizeBytes = readInteger(cursor, 7);
  const end = cursor.at + sizeBytes;
  if (end > cursor.block.length) throw new HpackError('a string behind the end of its block');
  const bytes = cursor.block.subarray(cursor.at, end);
  cursor.at = end;
  const text = isCoded ? decodeHuffman(bytes) : bytes;
  if (text === undefined) throw new HpackError('a broken Huffman code');
  return text.toString('latin1');
}

function nextByte(cursor: Cursor): number {
  const byte = cursor.block[cursor.at];
  if (byte === undefined) throw new HpackError('a block without its end');
  cursor.at += 1;
  return byte;
}
