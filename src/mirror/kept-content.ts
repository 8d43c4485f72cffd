/** A kept body as clients read it: proven against its digest before the first byte of it is told. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { CacheRecord } from './cache-record.ts';
import type { Content, ContentState, Hold, Provenance } from './content.ts';
import type { Head } from './head.ts';

/** A shorter one is read whole, and its digest looked at each time. */
const WHOLE_BYTES = 1_048_576;
const READ_BYTES = 1_048_576;

/** Files that this process has read whole and found right, by their digest: inode, time and size of each. */
export type Verified = Map<string, string>;

/** Undefined where what is there is not what the record says. @throws where there is nothing */
export async function openKept(
  path: string,
  record: CacheRecord,
  verified: Verified,
): Promise<KeptContent | undefined> {
  const handle = await open(path, 'r');
  const source = await (record.bytes <= WHOLE_BYTES
    ? readProven(handle, record)
    : proveFile(handle, record, verified)
  ).catch((error: unknown) => {
    void handle.close().catch(() => {});
    throw error;
  });
  if (source !== handle) void handle.close().catch(() => {});
  return source && new KeptContent(record, source);
}

/** Nothing is awaited that the bytes do not need: each step on the disk is a way to another thread and back. */
async function readProven(handle: FileHandle, { bytes, sha256 }: CacheRecord): Promise<Buffer | undefined> {
  // One byte more than there should be.
  const buffer = Buffer.allocUnsafe(bytes + 1);
  let length = 0;
  while (length < bytes) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return undefined;
    length += bytesRead;
  }
  const body = buffer.subarray(0, bytes);
  return length === bytes && createHash('sha256').update(body).digest('hex') === sha256 ? body : undefined;
}

async function proveFile(
  handle: FileHandle,
  { bytes, sha256 }: CacheRecord,
  verified: Verified,
): Promise<FileHandle | undefined> {
  const { ino, mtimeMs, size } = await handle.stat();
  const mark = `${ino} ${mtimeMs} ${size}`;
  const isRight = size === bytes && (verified.get(sha256) === mark || (await digestOf(handle)) === sha256);
  if (isRight) verified.set(sha256, mark);
  else verified.delete(sha256);
  return isRight ? handle : undefined;
}

async function digestOf(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

export class KeptContent implements Content {
  readonly #source: Buffer | FileHandle;
  readonly state: ContentState = 'whole';
  readonly error = undefined;
  from: Provenance = 'hit';
  readonly releasedBytes: number;
  readonly lengthBytes: number;
  #holds = 0;
  #tellHead!: (head: Head) => void;
  readonly head: Promise<Head>;

  constructor({ bytes }: CacheRecord, source: Buffer | FileHandle) {
    this.#source = source;
    this.releasedBytes = bytes;
    this.lengthBytes = bytes;
    this.head = new Promise((resolve) => {
      this.#tellHead = resolve;
    });
  }

  /** What clients are told of it. */
  as(head: Head, from: Provenance): this {
    this.from = from;
    this.#tellHead(head);
    return this;
  }

  read(at: number, maxBytes: number): Buffer | Promise<Buffer> {
    const source = this.#source;
    if (Buffer.isBuffer(source)) return source.subarray(at, at + maxBytes);
    return readAt(source, at, maxBytes);
  }

  news(): Promise<void> {
    return Promise.resolve();
  }

  hold(): Hold {
    this.#holds += 1;
    let isReleased = false;
    return {
      at: 0,
      isMisled: false,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#holds -= 1;
        if (this.#holds === 0) this.close();
      },
    };
  }

  close(): void {
    if (!Buffer.isBuffer(this.#source)) void this.#source.close().catch(() => {});
  }
}

async function readAt(handle: FileHandle, at: number, maxBytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(maxBytes, READ_BYTES));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
  if (bytesRead === 0) throw new Error('a kept body has become shorter');
  return buffer.subarray(0, bytesRead);
}
