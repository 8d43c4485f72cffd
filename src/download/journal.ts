/**
 * The journal of a half-done download: which of its bytes are durable, and what they are of. It claims only what was
 * synced before. Lines are appended, each with its own checksum: whatever dies in between, the last whole line counts.
 */
import { createHash } from 'node:crypto';
import type { Representation } from '../core/index.ts';
import type { Checksum } from './checksum.ts';
import type { Disk, DiskFile } from './disk.ts';
import { errnoOf } from './local-error.ts';
import type { ByteRange, ByteRanges } from './ranges.ts';

/** What identifies the bytes. */
export interface Pin {
  /** SHA-256 of the URL that they were asked for under; the URL itself may hold a credential. */
  readonly urlSha256: string;
  readonly representation: Representation;
  /** The server's own word about the whole. */
  readonly serverDigest: Checksum | undefined;
}

export interface Journal extends Pin {
  /** What is on the disk. */
  readonly durable: ByteRanges;
}

const VERSION = 2;
const SUM_CHARACTERS = 16;

/** What all claims behind it are about. */
export function formatPin({ urlSha256, representation, serverDigest }: Pin): string {
  return line({ version: VERSION, urlSha256, representation, serverDigest });
}

export function formatClaim(durable: ByteRanges): string {
  return line({ durable: durable.map(({ from, to }) => [from, to]) });
}

function line(record: object): string {
  const text = JSON.stringify(record);
  return `${sumOf(text)} ${text}\n`;
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, SUM_CHARACTERS);
}

export interface ReadJournal {
  /** Undefined where no whole line claims anything: it is then as if there were none. */
  readonly journal: Journal | undefined;
  /** Where the last whole line ends; what is behind it was torn. */
  readonly bytes: number;
}

export function parseJournal(text: string): ReadJournal {
  let pin: Pin | undefined;
  let durable: ByteRanges | undefined;
  let bytes = 0;
  for (const one of wholeLines(text)) {
    const record = parseLine(one);
    const nextPin = record === undefined ? undefined : readPin(record);
    const claim = record === undefined ? undefined : readClaim(record);
    if (nextPin === undefined && claim === undefined) break;
    // A new pin is about the same bytes, joined by something weaker: what was claimed stays.
    pin = nextPin ?? pin;
    durable = claim ?? durable;
    bytes += Buffer.byteLength(one) + 1;
  }
  const journal = pin === undefined || durable === undefined ? undefined : { ...pin, durable };
  return { journal, bytes };
}

function wholeLines(text: string): readonly string[] {
  return text.split('\n').slice(0, -1);
}

function parseLine(text: string): Readonly<Record<string, unknown>> | undefined {
  const json = text.slice(SUM_CHARACTERS + 1);
  if (text[SUM_CHARACTERS] !== ' ' || sumOf(json) !== text.slice(0, SUM_CHARACTERS)) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function readPin(record: Readonly<Record<string, unknown>>): Pin | undefined {
  const { version, urlSha256, representation, serverDigest } = record;
  if (version !== VERSION || typeof urlSha256 !== 'string' || !isRepresentation(representation)) return undefined;
  if (serverDigest !== undefined && !isChecksum(serverDigest)) return undefined;
  return { urlSha256, representation: { ...absent, ...representation }, serverDigest };
}

/** JSON leaves out what is undefined. */
const absent = {
  endByte: undefined,
  totalBytes: undefined,
  validator: undefined,
  etag: undefined,
  lastModified: undefined,
};

function readClaim({ durable }: Readonly<Record<string, unknown>>): ByteRanges | undefined {
  if (!Array.isArray(durable)) return undefined;
  const ranges: ByteRange[] = [];
  for (const pair of durable as readonly unknown[]) {
    const [from, to] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    if (!isCount(from) || !isCount(to) || to <= from || from <= (ranges.at(-1)?.to ?? -1)) return undefined;
    ranges.push({ from, to });
  }
  return ranges;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRepresentation(value: unknown): value is Representation {
  if (typeof value !== 'object' || value === null) return false;
  const { startByte, endByte, totalBytes, validator, etag, lastModified, contentType, codings } =
    value as Partial<Representation>;
  return (
    startByte === 0 &&
    [endByte, totalBytes].every((count) => count === undefined || isCount(count)) &&
    [validator, etag, lastModified].every((text) => text === undefined || typeof text === 'string') &&
    typeof contentType === 'string' &&
    typeof codings === 'string'
  );
}

function isChecksum(value: unknown): value is Checksum {
  const { algorithm, hex } = (value ?? {}) as Partial<Checksum>;
  return (
    typeof algorithm === 'string' && ['sha512', 'sha256', 'sha1', 'md5'].includes(algorithm) && typeof hex === 'string'
  );
}

/** The file of it. */
export class JournalFile {
  readonly #disk: Disk;
  readonly #path: string;
  #file: DiskFile | undefined;
  #bytes = 0;
  #pinLine: string | undefined;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** What an earlier run left; what it tore is cut off, so that the next line stands behind a whole one. */
  async load(): Promise<Journal | undefined> {
    const text = await this.#disk.readText(this.#path).catch(unlessAbsent);
    if (text === undefined) return undefined;
    const { journal, bytes } = parseJournal(text);
    if (journal === undefined) return undefined;
    this.#file = await this.#disk.open(this.#path, 0o600);
    await this.#file.truncate(bytes);
    this.#bytes = bytes;
    this.#pinLine = formatPin(journal);
    return journal;
  }

  /** Everything in it has to be durable already. */
  async claim(journal: Journal): Promise<void> {
    if (this.#file === undefined) {
      this.#file = await this.#disk.open(this.#path, 0o600);
      await this.#file.truncate(0);
    }
    const pinLine = formatPin(journal);
    const text = Buffer.from((pinLine === this.#pinLine ? '' : pinLine) + formatClaim(journal.durable));
    let done = 0;
    while (done < text.length) {
      done += await written(this.#file, text.subarray(done), this.#bytes + done);
    }
    // Only now: a line that was cut short by a full disk is written over by the next one.
    this.#bytes += done;
    this.#pinLine = pinLine;
  }

  async sync(): Promise<void> {
    await this.#file?.datasync();
  }

  /** The claim goes before the bytes do: those of another version must never stand under it. */
  async remove(): Promise<void> {
    await this.close();
    await this.#disk.remove(this.#path).catch(unlessAbsent);
    this.#bytes = 0;
    this.#pinLine = undefined;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }
}

async function written(file: DiskFile, bytes: Uint8Array, atByte: number): Promise<number> {
  const count = await file.write([bytes], atByte);
  if (count === 0) throw Object.assign(new Error('nothing could be written'), { code: 'ENOSPC' });
  return count;
}

function unlessAbsent(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined;
  throw error;
}
