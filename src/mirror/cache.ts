/**
 * Answers on the disk. A body is a file named by its digest, an entry a small file that names a body; both appear by a
 * rename, after their bytes are durable. Whatever is cut short by a kill or a full disk is either absent, or does not agree
 * with its digest, and is then taken for absent. Several processes may share the folder: nothing is locked.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../runtime/index.ts';
import { type CacheRecord, readRecord, writeRecord } from './cache-record.ts';
import { evict, usedBytesOf } from './eviction.ts';
import { type KeptContent, openKept, type Verified } from './kept-content.ts';
import { makeOwnFolder, sweepLeftovers } from './leftovers.ts';
import type { SpoolFile } from './spool.ts';

/** How exactly the last use of an entry is known. */
const TOUCH_MS = 60_000;
/** What nearly every entry fits into. */
const ENTRY_BYTES = 16_384;
/** A full cache is emptied to this share, so that it is not full again at once. */
const KEPT_RATIO = 0.9;

export interface CacheSettings {
  readonly folder: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** The disk fails: told, and lived without. */
  readonly onTrouble: (doing: string, error: unknown) => void;
}

/** A body to be kept: its file, which becomes the cache's, or its bytes. */
export type BodyToKeep = { readonly file: SpoolFile } | { readonly bytes: Buffer };

export class Cache {
  readonly #settings: CacheSettings;
  readonly #root: string;
  readonly #newFolder: string;
  readonly #verified: Verified = new Map();
  readonly #running = new Set<Promise<void>>();
  /** Undefined until it has been counted. */
  #usedBytes: number | undefined;
  #addedBytes = 0;
  #evicting: Promise<void> | undefined;
  /** Signs the links of indexes: those of an earlier process stay right. */
  readonly linkKey: Buffer;

  private constructor(settings: CacheSettings, root: string, newFolder: string, linkKey: Buffer) {
    this.#settings = settings;
    this.#root = root;
    this.#newFolder = newFolder;
    this.linkKey = linkKey;
    this.#evicting = this.#count();
  }

  /** @throws what the file system says where the folder cannot be used */
  static async open(settings: CacheSettings): Promise<Cache> {
    const root = join(settings.folder, 'v1');
    for (const name of ['entries', 'bodies', 'new']) await mkdir(join(root, name), { recursive: true, mode: 0o700 });
    await writeFile(join(settings.folder, 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n');
    await sweepLeftovers(join(root, 'new'), settings.clock.wallMs());
    const newFolder = await makeOwnFolder(join(root, 'new'));
    const key = await readKey(join(root, 'link-key'), newFolder);
    return new Cache(settings, root, newFolder, key);
  }

  get folder(): string {
    return this.#settings.folder;
  }

  /** For a body that comes, and may become the cache's. */
  async openFile(): Promise<SpoolFile> {
    const path = join(this.#newFolder, randomBytes(12).toString('hex'));
    return { handle: await open(path, 'wx+', 0o600), path };
  }

  #entryPath(key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.#root, 'entries', name.slice(0, 2), name);
  }

  #bodyPath(sha256: string): string {
    return join(this.#root, 'bodies', sha256.slice(0, 2), sha256);
  }

  async find(key: string): Promise<CacheRecord | undefined> {
    const path = this.#entryPath(key);
    try {
      const record = readRecord(await readEntry(path), key);
      if (record === undefined) await unlink(path);
      return record;
    } catch {
      return undefined;
    }
  }

  /** The body, proven against its digest; undefined where it is not there or damaged, and then both are removed. */
  async openBody(record: CacheRecord): Promise<KeptContent | undefined> {
    const path = this.#bodyPath(record.sha256);
    try {
      const kept = await openKept(path, record, this.#verified);
      if (kept === undefined) {
        await unlink(path).catch(() => {});
        await unlink(this.#entryPath(record.key)).catch(() => {});
        return undefined;
      }
      this.inBackground(this.#touch(record.key).catch(() => {}));
      return kept;
    } catch {
      return undefined;
    }
  }

  async #touch(key: string): Promise<void> {
    const path = this.#entryPath(key);
    const nowMs = this.#settings.clock.wallMs();
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs > TOUCH_MS) await utimes(path, nowMs / 1_000, nowMs / 1_000);
  }

  /** Keeps it, in the background; what cannot be kept is told as trouble and not kept. */
  store(record: CacheRecord, body: BodyToKeep | undefined): Promise<void> {
    const storing = this.#store(record, body).catch((error: unknown) =>
      this.#settings.onTrouble('keep an answer', error),
    );
    return this.inBackground(storing);
  }

  /** The end of the cache waits for it. @param work which never rejects */
  inBackground(work: Promise<void>): Promise<void> {
    this.#running.add(work);
    return work.then(() => void this.#running.delete(work));
  }

  async #store(record: CacheRecord, body: BodyToKeep | undefined): Promise<void> {
    if (record.bytes > this.#settings.maxBytes) return;
    if (body !== undefined) await this.#storeBody(this.#bodyPath(record.sha256), body);
    const path = this.#entryPath(record.key);
    await this.#writeDurably(path, Buffer.from(writeRecord(record)));
    this.#addedBytes += record.bytes;
    const used = (this.#usedBytes ?? 0) + this.#addedBytes;
    if (this.#usedBytes !== undefined && used > this.#settings.maxBytes) this.#evicting ??= this.#evict();
  }

  async #storeBody(path: string, body: BodyToKeep): Promise<void> {
    if ('bytes' in body) {
      await this.#writeDurably(path, body.bytes);
      return;
    }
    const { handle, path: from } = body.file;
    await handle.sync();
    await this.#moveInto(from!, path);
  }

  async #writeDurably(path: string, bytes: Buffer): Promise<void> {
    const { handle, path: from } = await this.openFile();
    try {
      await handle.writeFile(bytes);
      await handle.sync();
      await this.#moveInto(from!, path);
    } catch (error) {
      await unlink(from!).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
  }

  async #moveInto(from: string, to: string): Promise<void> {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await rename(from, to);
    await syncFolder(dirname(to));
  }

  async #count(): Promise<void> {
    try {
      this.#usedBytes = await usedBytesOf(this.#root);
    } catch (error) {
      this.#settings.onTrouble('count what is kept', error);
    }
    this.#evicting = undefined;
    if ((this.#usedBytes ?? 0) > this.#settings.maxBytes) this.#evicting = this.#evict();
  }

  async #evict(): Promise<void> {
    try {
      this.#addedBytes = 0;
      this.#usedBytes = await evict(this.#root, this.#settings.maxBytes, this.#settings.maxBytes * KEPT_RATIO);
    } catch (error) {
      this.#settings.onTrouble('remove old answers', error);
    }
    this.#evicting = undefined;
  }

  get usedBytes(): number | undefined {
    return this.#usedBytes === undefined ? undefined : this.#usedBytes + this.#addedBytes;
  }

  /** What is being kept still is. */
  async settle(): Promise<void> {
    while (this.#running.size > 0 || this.#evicting !== undefined) {
      await Promise.all([...this.#running]);
      await this.#evicting;
    }
  }

  async close(): Promise<void> {
    await this.settle();
    await rm(this.#newFolder, { recursive: true, force: true });
  }
}

/** In two steps on the disk where `readFile` takes five: each is a way to another thread and back. */
async function readEntry(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(ENTRY_BYTES), 0, ENTRY_BYTES, 0);
    return bytesRead < ENTRY_BYTES ? buffer.toString('utf8', 0, bytesRead) : await readFile(path, 'utf8');
  } finally {
    void handle.close().catch(() => {});
  }
}

async function readKey(path: string, newFolder: string): Promise<Buffer> {
  const read = async () => {
    const key = await readFile(path).catch(() => Buffer.alloc(0));
    return key.length === 32 ? key : undefined;
  };
  const known = await read();
  if (known !== undefined) return known;
  const from = join(newFolder, 'link-key');
  await writeFile(from, randomBytes(32), { mode: 0o600 });
  await rename(from, path);
  // Of two processes that begin at once the last one's stays.
  return (await read()) ?? randomBytes(32);
}

async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } catch {
    // Not every platform can; the names may be lost then, and nothing else.
  } finally {
    await handle?.close();
  }
}
