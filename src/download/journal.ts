/** The journal of a half-done download: what its durable bytes are of. It claims only what was fsynced before. */
import { open, readFile, rename, unlink } from 'node:fs/promises';
import type { Representation } from '../core/index.ts';
import type { Checksum } from './checksum.ts';
import { errnoOf } from './local-error.ts';

/** What identifies the bytes. */
export interface Pin {
  readonly representation: Representation;
  /** The server's own word about the whole. */
  readonly serverDigest: Checksum | undefined;
}

export interface Journal extends Pin {
  /** SHA-256 of the URL; the URL itself may hold a credential. */
  readonly urlSha256: string;
  /** Bytes from 0 on that are on the disk. */
  readonly durableBytes: number;
}

const VERSION = 1;

export function formatJournal(journal: Journal): string {
  const { urlSha256, durableBytes, representation, serverDigest } = journal;
  const record = { version: VERSION, urlSha256, durableBytes, representation, serverDigest };
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** Undefined for anything that is not a whole journal of this version: it is then as if there were none. */
export function parseJournal(text: string): Journal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const record = value as Partial<Journal> & { readonly version?: unknown };
  if (typeof record !== 'object' || record === null || record.version !== VERSION) return undefined;
  const { urlSha256, durableBytes, representation, serverDigest } = record;
  if (typeof urlSha256 !== 'string' || !isCount(durableBytes) || !isRepresentation(representation)) return undefined;
  if (serverDigest !== undefined && !isChecksum(serverDigest)) return undefined;
  return { urlSha256, durableBytes, representation: { ...absent, ...representation }, serverDigest };
}

/** JSON leaves out what is undefined. */
const absent = {
  endByte: undefined,
  totalBytes: undefined,
  validator: undefined,
  etag: undefined,
  lastModified: undefined,
};

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

export async function readJournal(path: string): Promise<Journal | undefined> {
  try {
    return parseJournal(await readFile(path, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, whatever dies in between. */
export async function writeJournal(path: string, journal: Journal): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(formatJournal(journal));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}

export async function removeJournal(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}
