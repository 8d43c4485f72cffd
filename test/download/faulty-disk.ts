/**
 * A disk in memory that fails as real ones do: it fills up with a short write first, fails to sync or to rename, and
 * loses at a power cut what was not synced: any of the writes to a file, and the newest changes of names.
 */
import { dirname } from 'node:path';
import type { Disk, DiskFile } from '../../src/download/disk.ts';

export type DiskFault =
  | { readonly kind: 'full'; readonly afterBytes: number }
  | { readonly kind: 'write-error'; readonly atStep: number; readonly code: string }
  | { readonly kind: 'sync-error'; readonly nth: number }
  | { readonly kind: 'rename-error'; readonly code: string }
  | { readonly kind: 'short-writes'; readonly everyNth: number }
  | { readonly kind: 'power-cut'; readonly atStep: number };

/** A change of a file that may be lost as long as it is not synced. */
type Change = { readonly atByte: number; readonly bytes: Bytes } | { readonly size: number };

type Bytes = Buffer<ArrayBuffer>;

interface Inode {
  now: Bytes;
  durable: Bytes;
  changes: Change[];
}

/** Each of them whole or not at all: a rename is one. */
type NameChange = readonly { readonly path: string; readonly inode: Inode | undefined }[];

export class FaultyDisk implements Disk {
  #faults: readonly DiskFault[];
  readonly #random: () => number;
  #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  /** Not yet durable, in their order. */
  #nameChanges: NameChange[] = [];
  readonly #folders = new Set<string>();
  #steps = 0;
  #writes = 0;
  #syncs = 0;
  #writtenBytes = 0;
  isCut = false;

  constructor(faults: readonly DiskFault[], random: () => number) {
    this.#faults = faults;
    this.#random = random;
  }

  /** The same disk from now on with other faults, counted anew. */
  withFaults(faults: readonly DiskFault[]): this {
    this.#faults = faults;
    this.#steps = 0;
    this.#writes = 0;
    this.#syncs = 0;
    this.#writtenBytes = 0;
    return this;
  }

  /** What is under a name, as a program sees it now. */
  contentOf(path: string): Buffer | undefined {
    return this.#names.get(path)?.now;
  }

  /** The disk as it is found when the power is back: of what was not synced, some is there and some is not. */
  afterPowerCut(): FaultyDisk {
    const next = new FaultyDisk([], this.#random);
    for (const folder of this.#folders) next.#folders.add(folder);
    const names = new Map(this.#durableNames);
    const kept = Math.floor(this.#random() * (this.#nameChanges.length + 1));
    for (const { path, inode } of this.#nameChanges.slice(0, kept).flat()) setOrDelete(names, path, inode);
    for (const [path, inode] of names) {
      // Whoever held a lock is gone, and another boot would tell.
      if (path.endsWith('/lock')) continue;
      const content = this.#survivorOf(inode);
      next.#durableNames.set(path, { now: content, durable: Buffer.from(content), changes: [] });
    }
    next.#names = new Map(next.#durableNames);
    return next;
  }

  /** The same, after the process was killed: nothing that reached the kernel is lost. */
  afterKill(): FaultyDisk {
    const next = new FaultyDisk([], this.#random);
    for (const folder of this.#folders) next.#folders.add(folder);
    for (const [path, { now }] of this.#names) {
      if (!path.endsWith('/lock')) next.#durableNames.set(path, { now, durable: Buffer.from(now), changes: [] });
    }
    next.#names = new Map(next.#durableNames);
    return next;
  }

  #survivorOf({ durable, changes }: Inode): Bytes {
    let content = Buffer.from(durable);
    for (const change of changes) if (this.#random() < 0.5) content = applied(content, change);
    return content;
  }

  #step(): void {
    if (this.isCut) throw fault('EIO', 'the power is off');
    this.#steps += 1;
    if (this.#faults.some((one) => one.kind === 'power-cut' && one.atStep === this.#steps)) {
      this.isCut = true;
      throw fault('EIO', 'the power is off');
    }
  }

  async open(path: string): Promise<DiskFile> {
    this.#step();
    if (!this.#folders.has(dirname(path)) && dirname(path) !== '/d') throw fault('ENOENT', 'no such folder');
    let inode = this.#names.get(path);
    if (inode === undefined) {
      inode = { now: Buffer.alloc(0), durable: Buffer.alloc(0), changes: [] };
      this.#setName([{ path, inode }]);
    }
    return this.#fileOf(inode);
  }

  #fileOf(inode: Inode): DiskFile {
    return {
      fd: undefined,
      write: async (chunks, atByte) => this.#write(inode, Buffer.concat(chunks), atByte),
      read: async (into, atByte) => inode.now.copy(into, 0, atByte, atByte + into.length),
      size: async () => inode.now.length,
      truncate: async (size) => {
        this.#step();
        this.#change(inode, { size });
      },
      datasync: async () => this.#sync(inode),
      sync: async () => this.#sync(inode),
      close: async () => {},
    };
  }

  #write(inode: Inode, bytes: Buffer, atByte: number): number {
    this.#step();
    this.#writes += 1;
    let count = bytes.length;
    for (const one of this.#faults) {
      if (one.kind === 'write-error' && one.atStep <= this.#writes) throw fault(one.code, 'the write failed');
      if (one.kind === 'short-writes' && this.#writes % one.everyNth === 0) count = Math.max(1, Math.floor(count / 3));
      if (one.kind === 'full') count = Math.min(count, Math.max(0, one.afterBytes - this.#writtenBytes));
    }
    if (count === 0) throw fault('ENOSPC', 'no space');
    this.#writtenBytes += count;
    this.#change(inode, { atByte, bytes: Buffer.from(bytes.subarray(0, count)) });
    return count;
  }

  #change(inode: Inode, change: Change): void {
    inode.now = applied(inode.now, change);
    inode.changes.push(change);
  }

  #sync(inode: Inode): void {
    this.#step();
    this.#syncs += 1;
    if (this.#faults.some((one) => one.kind === 'sync-error' && one.nth <= this.#syncs)) {
      throw fault('EIO', 'the sync failed');
    }
    inode.durable = Buffer.from(inode.now);
    inode.changes = [];
  }

  #setName(change: NameChange): void {
    for (const { path, inode } of change) setOrDelete(this.#names, path, inode);
    this.#nameChanges.push(change);
  }

  async kindOf(path: string): Promise<'file' | 'folder' | undefined> {
    return this.#folders.has(path) ? 'folder' : this.#names.has(path) ? 'file' : undefined;
  }

  kindBehind(path: string): Promise<'file' | 'folder' | undefined> {
    return this.kindOf(path);
  }

  async createFolder(path: string): Promise<void> {
    this.#step();
    if (this.#folders.has(path)) throw fault('EEXIST', 'it exists');
    this.#folders.add(path);
  }

  async removeFolder(path: string): Promise<void> {
    this.#step();
    if ([...this.#names.keys()].some((one) => dirname(one) === path)) throw fault('ENOTEMPTY', 'it is not empty');
    this.#folders.delete(path);
  }

  async remove(path: string): Promise<void> {
    this.#step();
    if (!this.#names.has(path)) throw fault('ENOENT', 'no such file');
    this.#setName([{ path, inode: undefined }]);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const failure = this.#faults.find((one) => one.kind === 'rename-error');
    if (failure !== undefined && !to.includes('.reknit/')) throw fault(failure.code, 'the rename failed');
    const inode = this.#names.get(from);
    if (inode === undefined) throw fault('ENOENT', 'no such file');
    this.#setName([
      { path: from, inode: undefined },
      { path: to, inode },
    ]);
  }

  async syncFolder(path: string): Promise<void> {
    this.#step();
    // A journalling file system writes what came before, too.
    const last = this.#nameChanges.findLastIndex((change) => change.some((one) => dirname(one.path) === path));
    const synced = this.#nameChanges.slice(0, last + 1);
    for (const { path: name, inode } of synced.flat()) setOrDelete(this.#durableNames, name, inode);
    this.#nameChanges = this.#nameChanges.slice(last + 1);
  }

  async readText(path: string): Promise<string> {
    const inode = this.#names.get(path);
    if (inode === undefined) throw fault('ENOENT', 'no such file');
    return inode.now.toString('utf8');
  }

  async createExclusively(path: string, text: string): Promise<void> {
    this.#step();
    if (this.#names.has(path)) throw fault('EEXIST', 'it exists');
    const content = Buffer.from(text);
    this.#setName([{ path, inode: { now: content, durable: content, changes: [] } }]);
  }

  async writeWhole(path: string, chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#names.has(path)) throw fault('EEXIST', 'it exists');
    const file = await this.open(path);
    const bytes = Buffer.concat(chunks);
    for (let at = 0; at < bytes.length; ) at += await file.write([bytes.subarray(at)], at);
    await file.sync();
  }

  async touch(): Promise<void> {}

  async modifiedAtMs(): Promise<number> {
    return 0;
  }

  async link(from: string, to: string): Promise<void> {
    this.#step();
    const inode = this.#names.get(from);
    if (inode === undefined) throw fault('ENOENT', 'no such file');
    if (this.#names.has(to)) throw fault('EEXIST', 'it exists');
    this.#setName([{ path: to, inode }]);
  }
}

/** Changes what it is given where it can. */
function applied(content: Bytes, change: Change): Bytes {
  if ('size' in change) {
    return change.size <= content.length ? content.subarray(0, change.size) : grown(content, change.size);
  }
  const { atByte, bytes } = change;
  const next = atByte + bytes.length <= content.length ? content : grown(content, atByte + bytes.length);
  bytes.copy(next, atByte);
  return next;
}

/** Memory that was taken here, and that one file has for itself. */
const rooms = new WeakSet<ArrayBuffer>();

/** With room for more: a file that is only appended to is not copied at every write. */
function grown(content: Bytes, size: number): Bytes {
  if (rooms.has(content.buffer) && content.buffer.byteLength >= size) {
    const next = Buffer.from(content.buffer, 0, size);
    next.fill(0, content.length);
    return next;
  }
  const room = new ArrayBuffer(Math.max(size, 2 * content.length));
  rooms.add(room);
  const next = Buffer.from(room, 0, size);
  content.copy(next);
  return next;
}

function setOrDelete(names: Map<string, Inode>, path: string, inode: Inode | undefined): void {
  if (inode === undefined) names.delete(path);
  else names.set(path, inode);
}

function fault(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
