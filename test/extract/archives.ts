/** Archives made byte by byte, as no packer would make them, and a look at what became of them. */
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';

const BLOCK_BYTES = 512;

export interface TarEntry {
  /** As text in UTF-8, or as the bytes that the header shall have. */
  readonly name: string | Buffer;
  /** The header's type, one character. @default '0', a file */
  readonly type?: string;
  readonly content?: Buffer | string;
  readonly linkname?: string;
  readonly mode?: number;
  /** What the header says, whatever the content is. */
  readonly claimedBytes?: number;
  readonly magic?: 'ustar' | 'gnu' | 'v7';
}

/** A tar of these entries with its end mark. */
export function tarOf(...entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(2 * BLOCK_BYTES)]);
}

export function tarEntry(entry: TarEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const padding = Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES);
  return Buffer.concat([tarHeader(entry, entry.claimedBytes ?? content.length), content, padding]);
}

function tarHeader(
  { name, type = '0', linkname = '', mode = 0o644, magic = 'ustar' }: TarEntry,
  bytes: number,
): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  Buffer.from(name).copy(header, 0, 0, 100);
  header.write(octal(mode, 7), 100, 'latin1');
  header.write(octal(0, 7), 108, 'latin1');
  header.write(octal(0, 7), 116, 'latin1');
  header.write(octal(bytes, 11), 124, 'latin1');
  header.write(octal(1_700_000_000, 11), 136, 'latin1');
  header.write(type, 156, 'latin1');
  header.write(linkname, 157, 'utf8');
  if (magic !== 'v7') header.write(magic === 'gnu' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1');
  return withChecksum(header);
}

export function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** A pax header for the entry behind it. */
export function pax(records: Readonly<Record<string, string | Buffer>>): TarEntry {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
    let bytes = rest.length;
    while (String(bytes).length + rest.length !== bytes) bytes = String(bytes).length + rest.length;
    return Buffer.concat([Buffer.from(String(bytes)), rest]);
  });
  return { name: 'PaxHeader/x', type: 'x', content: Buffer.concat(lines) };
}

export interface ZipEntry {
  readonly name: string | Buffer;
  readonly content?: Buffer | string;
  /** The upper half of the external attributes, as Unix has it. */
  readonly unixMode?: number;
  readonly crc32?: number;
  readonly flags?: number;
  readonly method?: number;
  /** What is said of the content's length, whatever it is. */
  readonly claimedBytes?: number;
}

/** A zip of these entries, deflated. */
export function zipOf(...entries: readonly ZipEntry[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const { local, central } = zipEntry(entry, at);
    bodies.push(local);
    directory.push(central);
    at += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, listing, end]);
}

function zipEntry(entry: ZipEntry, at: number): { readonly local: Buffer; readonly central: Buffer } {
  const { flags = 0x800, method = 8, unixMode = 0o100644 } = entry;
  const name = Buffer.from(entry.name);
  const content = Buffer.from(entry.content ?? '');
  const packed = method === 8 ? zlib.deflateRawSync(content) : content;
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(flags, 2);
  facts.writeUInt16LE(method, 4);
  facts.writeUInt16LE(0x21, 8);
  facts.writeUInt32LE(entry.crc32 ?? zlib.crc32(content), 10);
  facts.writeUInt32LE(packed.length, 14);
  facts.writeUInt32LE(entry.claimedBytes ?? content.length, 18);
  facts.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, name, packed]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE((unixMode << 16) >>> 0, 6);
  rest.writeUInt32LE(at, 10);
  const madeBy = Buffer.from([20, 3]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), madeBy, facts, rest, name]);
  return { local, central };
}

export interface Folder extends AsyncDisposable {
  readonly path: string;
  file(name: string): string;
}

export async function createFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'reknit-extract-'));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** Every path below a folder with what it is: `file:MODE:SHA256`, `folder`, `link:TARGET`. */
export async function look(folder: string): Promise<Readonly<Record<string, string>>> {
  const seen: Record<string, string> = {};
  for (const name of await namesBelow(folder)) seen[name] = await describe(join(folder, name));
  return seen;
}

/** `readdir` with `recursive` walks through links, round and round. */
async function namesBelow(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    names.push(entry.name);
    if (!entry.isDirectory()) continue;
    for (const name of await namesBelow(join(folder, entry.name))) names.push(`${entry.name}/${name}`);
  }
  return names.sort();
}

async function describe(path: string): Promise<string> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) return `link:${await readlink(path)}`;
  if (stats.isDirectory()) return 'folder';
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return `file:${(stats.mode & 0o7777).toString(8)}:${digest}`;
}

export async function* inPieces(bytes: Buffer, pieceBytes = 1_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
