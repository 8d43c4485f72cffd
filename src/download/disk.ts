/**
 * The steps on a disk that a download rests on, as few and as small as they can be: tests put a disk in their place that
 * writes short, fills up, fails to sync, or loses what was not synced.
 */
import { constants, writeFile } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readFile, rename, rmdir, stat, unlink } from 'node:fs/promises';

export interface DiskFile {
  /** For a thread that reads the same file; undefined where there is none. */
  readonly fd: number | undefined;
  /** @returns how many bytes were written, which may be fewer than were given */
  write(chunks: readonly Uint8Array[], atByte: number): Promise<number>;
  /** @returns how many bytes were read; 0 at the end */
  read(into: Buffer, atByte: number): Promise<number>;
  size(): Promise<number>;
  truncate(bytes: number): Promise<void>;
  /** The data, and what is needed to find it. */
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** For reading and writing; created where it is not there. */
  open(path: string, mode: number): Promise<DiskFile>;
  /** Undefined where there is none. */
  kindOf(path: string): Promise<'file' | 'folder' | 'link' | 'other' | undefined>;
  /** What a link leads to. */
  kindBehind(path: string): Promise<'file' | 'folder' | 'other' | undefined>;
  createFolder(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes created, renamed and removed names in it durable, as far as the platform can. */
  syncFolder(path: string): Promise<void>;
  /** The lock needs no more than this; `createExclusively` fails with EEXIST. */
  readText(path: string): Promise<string>;
  createExclusively(path: string, text: string): Promise<void>;
  /** A new file, with all its bytes durable when it settles. */
  writeWhole(path: string, chunks: readonly Uint8Array[]): Promise<void>;
  link(from: string, to: string): Promise<void>;
  /** Writes the same text again, so that others see that it is still meant. */
  touch(path: string, text: string): Promise<void>;
  /** By the clock of the file system. */
  modifiedAtMs(path: string): Promise<number>;
}

/** Many small buffers are cheaper copied than handed over one by one. */
const MAX_VECTORS = 64;

class RealFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  get fd(): number {
    return this.#handle.fd;
  }

  async write(chunks: readonly Uint8Array[], atByte: number): Promise<number> {
    const [first] = chunks;
    if (first === undefined) return 0;
    if (chunks.length === 1) return (await this.#handle.write(first, 0, first.length, atByte)).bytesWritten;
    const vectors = chunks.length > MAX_VECTORS ? [Buffer.concat(chunks)] : [...chunks];
    return (await this.#handle.writev(vectors, atByte)).bytesWritten;
  }

  async read(into: Buffer, atByte: number): Promise<number> {
    return (await this.#handle.read(into, 0, into.length, atByte)).bytesRead;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

interface Kinds {
  isFile(): boolean;
  isDirectory(): boolean;
}

const kindIn = (found: Kinds) => (found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other');

export const realDisk: Disk = {
  open: async (path, mode) => new RealFile(await open(path, constants.O_RDWR | constants.O_CREAT, mode)),
  kindOf: async (path) => {
    const found = await lstat(path).catch(unlessAbsent);
    return found === undefined ? undefined : found.isSymbolicLink() ? 'link' : kindIn(found);
  },
  kindBehind: async (path) => {
    const found = await stat(path).catch(() => undefined);
    return found === undefined ? undefined : kindIn(found);
  },
  createFolder: async (path) => {
    await mkdir(path);
  },
  removeFolder: rmdir,
  remove: unlink,
  rename,
  syncFolder,
  readText: (path) => readFile(path, 'utf8'),
  createExclusively: async (path, text) => {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  },
  writeWhole,
  link,
  touch: async (path, text) => {
    const handle = await open(path, 'r+');
    try {
      await handle.write(text, 0);
    } finally {
      await handle.close();
    }
  },
  modifiedAtMs: async (path) => (await stat(path)).mtimeMs,
};

/** By callbacks: a FileHandle costs as much as the steps on the disk, and many small files are made of these. */
function writeWhole(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  return new Promise((resolve, reject) => {
    // Writes on until everything is written, syncs, and closes whatever happens.
    writeFile(path, bytes, { flag: 'wx', mode: 0o666, flush: true }, (error) => (error ? reject(error) : resolve()));
  });
}

function unlessAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}

/** By folder: the sync that runs, and the one that everybody who comes meanwhile waits for. */
const folderSyncs = new Map<string, { readonly running: Promise<void>; next?: Promise<void> }>();

/** A rename is durable when its folder is. One sync serves all renames before its beginning. */
function syncFolder(path: string): Promise<void> {
  const known = folderSyncs.get(path);
  if (known !== undefined) {
    known.next ??= known.running.then(() => startFolderSync(path));
    return known.next;
  }
  return startFolderSync(path);
}

function startFolderSync(path: string): Promise<void> {
  const running = syncFolderNow(path);
  const own: { readonly running: Promise<void>; next?: Promise<void> } = { running };
  folderSyncs.set(path, own);
  void running.then(() => {
    if (own.next === undefined) folderSyncs.delete(path);
  });
  return running;
}

/** Windows cannot, and does not need it. */
async function syncFolderNow(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } catch {
    // Some file systems refuse to sync a folder; the data itself is synced already.
  } finally {
    await handle?.close().catch(() => {});
  }
}
