/** `FILE.reknit/`: the bytes so far, a journal of those that are durable, and a lock. The target appears only by rename. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Representation } from '../core/index.ts';
import { systemRuntime, type Timer } from '../runtime/index.ts';
import { digestBlocks } from './block-digests.ts';
import type { DigestAlgorithm } from './checksum.ts';
import type { ByteWriter, Destination, Held } from './destination.ts';
import type { Disk, DiskFile } from './disk.ts';
import { JournalFile, type Pin } from './journal.ts';
import { errnoOf, localError, onDisk } from './local-error.ts';
import { checkTarget, moveIntoPlace } from './move-into-place.ts';
import { type PartSink, PartWriter } from './part-writer.ts';
import { followPrefix, type PrefixDigest } from './prefix-digest.ts';
import { type ByteRanges, endOf, gapsOf, prefixOf, sizeOf, withRange } from './ranges.ts';
import { TargetLock } from './target-lock.ts';

/** New bytes after which they are made durable. */
const CHECKPOINT_BYTES = 1_048_576;
/** With more than this not yet durable, connections wait for the disk: what a kill can cost stays below 4 MiB. */
const MAX_UNDURABLE_BYTES = 3 * 1_048_576;
/** On a slow line the clock makes bytes durable. */
const CHECKPOINT_MS = 1_000;
/** The journal itself is synced at most so often: without it a line is lost by a power cut, and never by a kill. */
const JOURNAL_SYNC_MS = 1_000;

export interface PartFileOptions {
  readonly disk: Disk;
  readonly target: string;
  readonly algorithms: readonly DigestAlgorithm[];
}

/** A destination that becomes the target. */
export interface PartStore extends Destination {
  readonly folder: string;
  readonly representation: Representation | undefined;
  readonly durableBytes: number;
  /** Everything is there. @returns where it stands until it gets its name */
  prepare(): Promise<string>;
  /** @throws LocalError if the target cannot be written, or exists and `force` is false */
  commit(options: { readonly force: boolean }): Promise<void>;
  /** It came to nothing: what was written stays for the next run, as far as the disk allows. */
  keep(): Promise<void>;
}

export class PartFile implements PartStore, PartSink {
  readonly folder: string;
  readonly mayBeginAgain = true;
  readonly takesSegments = true;
  readonly #options: PartFileOptions;
  readonly #disk: Disk;
  readonly #lock: TargetLock;
  readonly #journal: JournalFile;
  readonly #writers = new Set<PartWriter>();
  #file: DiskFile | undefined;
  #pin: Pin | undefined;
  #written: ByteRanges = [];
  #durable: ByteRanges = [];
  #durableBytes = 0;
  /** Bytes brought, written and synced in this run, those that were written twice included. */
  #acceptedBytes = 0;
  #writtenBytes = 0;
  #syncedBytes = 0;
  #digest: PrefixDigest | undefined;
  #checkpoint: Promise<void> | undefined;
  #timer: Timer | undefined;
  #journalSyncedAtMs = Number.NEGATIVE_INFINITY;
  /** The folder's name and those in it outlive a power cut. */
  #areNamesDurable = false;
  #error: unknown;

  private constructor(options: PartFileOptions, lock: TargetLock) {
    this.#options = options;
    this.#disk = options.disk;
    this.#lock = lock;
    this.folder = folderOf(options.target);
    this.#journal = new JournalFile(options.disk, join(this.folder, 'journal'));
  }

  /**
   * Takes the target's lock, and what an earlier run left there.
   *
   * @throws LocalError if another process has it, or the folder cannot be written
   */
  static async open(options: PartFileOptions): Promise<PartFile> {
    const { disk, target } = options;
    const folder = folderOf(target);
    const part = await onDisk('write', folder, async () => {
      await disk.createFolder(folder).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
      });
      try {
        const lock = await TargetLock.take(disk, join(folder, 'lock'), target);
        // Of a process that died just before its last step; one that lives finds our lock instead.
        await disk.remove(wholePathOf(target)).catch(() => {});
        return new PartFile(options, lock);
      } catch (error) {
        // Only where it is empty.
        await disk.removeFolder(folder).catch(() => {});
        throw error;
      }
    });
    try {
      await part.#load();
      return part;
    } catch (error) {
      await part.close();
      throw localError('read', folder, error);
    }
  }

  get held(): Held | undefined {
    const pin = this.#pin;
    if (pin === undefined || this.#written.length === 0) return undefined;
    const bytes = prefixOf(this.#written);
    const next = this.#written.find(({ from }) => from > bytes);
    return { bytes, untilByte: next?.from, pin };
  }

  get gotBytes(): number {
    return sizeOf(this.#written) + this.#acceptedBytes - this.#writtenBytes;
  }

  get #undurableBytes(): number {
    return this.#acceptedBytes - this.#syncedBytes;
  }

  get representation(): Representation | undefined {
    return this.#pin?.representation;
  }

  get durableBytes(): number {
    return this.#durableBytes;
  }

  gaps(totalBytes: number): ByteRanges {
    return gapsOf(this.#written, totalBytes);
  }

  async digests(): Promise<ReadonlyMap<DigestAlgorithm, string>> {
    return onDisk('read', this.#dataPath, () => this.#digest!.finish(prefixOf(this.#written)));
  }

  async blockDigests(signal: AbortSignal | undefined): Promise<readonly string[]> {
    return onDisk('read', this.#dataPath, () => digestBlocks(this.#file!, prefixOf(this.#written), signal));
  }

  async #load(): Promise<void> {
    const journal = await this.#journal.load();
    this.#file = await this.#disk.open(this.#dataPath, 0o666);
    const size = await this.#file.size();
    const isUsable = journal !== undefined && journal.durable.length > 0 && endOf(journal.durable) <= size;
    if (!isUsable) {
      await this.#journal.close();
      return;
    }
    const { urlSha256, representation, serverDigest } = journal;
    this.#pin = { urlSha256, representation, serverDigest };
    this.#written = journal.durable;
    this.#durable = journal.durable;
    this.#durableBytes = sizeOf(journal.durable);
    this.#follow(this.#pin);
  }

  /** The digests begin at byte 0, with what an earlier run left: beside the download, not before it. */
  #follow({ representation, serverDigest }: Pin): void {
    const promised = serverDigest === undefined ? [] : [serverDigest.algorithm];
    const algorithms = [...this.#options.algorithms, ...promised];
    this.#digest = followPrefix(this.#file!, algorithms, representation.totalBytes);
    this.#digest.advance(prefixOf(this.#written));
  }

  async begin(pin: Pin): Promise<void> {
    await this.discard();
    this.#pin = pin;
    this.#follow(pin);
  }

  forgetValidator(): void {
    if (this.#pin === undefined) return;
    this.#pin = { ...this.#pin, representation: { ...this.#pin.representation, validator: undefined } };
  }

  async discard(): Promise<void> {
    await this.#quiet();
    await this.#digest?.stop();
    this.#digest = undefined;
    await onDisk('write', this.folder, async () => {
      // The claim goes first: bytes of another version must never stand under the old one's validator.
      await this.#journal.remove();
      this.#areNamesDurable = false;
      this.#journalSyncedAtMs = Number.NEGATIVE_INFINITY;
      if (this.#durableBytes > 0) await this.#disk.syncFolder(this.folder);
      await this.#file!.truncate(0);
    });
    this.#pin = undefined;
    this.#written = [];
    this.#durable = [];
    this.#durableBytes = 0;
    this.#acceptedBytes = 0;
    this.#writtenBytes = 0;
    this.#syncedBytes = 0;
  }

  /** The file gets its size at once; space is taken as bytes come. */
  async reserve(totalBytes: number): Promise<void> {
    await onDisk('write', this.#dataPath, async () => {
      if ((await this.#file!.size()) < totalBytes) await this.#file!.truncate(totalBytes);
    });
  }

  // Writing.

  writerAt(atByte: number): ByteWriter {
    const writer = new PartWriter(this, atByte);
    this.#writers.add(writer);
    return writer;
  }

  onClosed(writer: PartWriter): void {
    this.#writers.delete(writer);
  }

  accept(chunk: Buffer, atByte: number): Promise<void> | undefined {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.#digest?.take(chunk, atByte);
    this.#acceptedBytes += chunk.length;
    this.#timer ??= systemRuntime.clock.after(CHECKPOINT_MS, () => this.#onTimer(), 'idle');
    if (this.#undurableBytes < MAX_UNDURABLE_BYTES) return undefined;
    this.#startCheckpoint();
    return this.#untilRoom();
  }

  async #untilRoom(): Promise<void> {
    await this.#checkpoint;
    if (this.#error !== undefined) throw this.#error;
  }

  async writeAll(chunks: readonly Buffer[], atByte: number): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    try {
      let rest = chunks;
      let at = atByte;
      while (rest.length > 0) {
        // On a full disk the first write is short and only the next one fails.
        const count = await this.#file!.write(rest, at);
        if (count === 0) throw Object.assign(new Error('nothing could be written'), { code: 'ENOSPC' });
        this.#written = withRange(this.#written, { from: at, to: at + count });
        this.#writtenBytes += count;
        at += count;
        rest = without(rest, count);
      }
    } catch (error) {
      this.#error ??= localError('write', this.#dataPath, error);
      throw this.#error;
    }
    this.#digest?.advance(prefixOf(this.#written));
    if (this.#undurableBytes >= CHECKPOINT_BYTES) this.#startCheckpoint();
  }

  // Durability.

  #onTimer(): void {
    this.#timer = undefined;
    if (this.#undurableBytes > 0) this.#startCheckpoint();
  }

  /** Beside the writes: the line does not wait for the disk, unless it gets too far ahead. */
  #startCheckpoint(): void {
    this.#checkpoint ??= this.#checkpointNow().then(
      () => {
        this.#checkpoint = undefined;
      },
      (error: unknown) => {
        this.#checkpoint = undefined;
        this.#error ??= error;
      },
    );
  }

  async #checkpointNow(): Promise<void> {
    await Promise.all([...this.#writers].map((writer) => writer.flush()));
    await this.#makeDurable();
  }

  async #makeDurable(): Promise<void> {
    const [durable, pin, writtenBytes] = [this.#written, this.#pin, this.#writtenBytes];
    if (pin === undefined || writtenBytes === this.#syncedBytes) return;
    await onDisk('write', this.#dataPath, () => this.#file!.datasync());
    if (durable !== this.#durable) await onDisk('write', this.folder, () => this.#claim(durable, pin));
    this.#durable = durable;
    this.#durableBytes = sizeOf(durable);
    this.#syncedBytes = writtenBytes;
  }

  async #claim(durable: ByteRanges, pin: Pin): Promise<void> {
    await this.#journal.claim({ ...pin, durable });
    const nowMs = systemRuntime.clock.nowMs();
    if (nowMs - this.#journalSyncedAtMs < JOURNAL_SYNC_MS) return;
    this.#journalSyncedAtMs = nowMs;
    await this.#journal.sync();
    if (this.#areNamesDurable) return;
    this.#areNamesDurable = true;
    await this.#disk.syncFolder(this.folder);
    await this.#disk.syncFolder(dirname(this.folder));
  }

  /** No write and no checkpoint is under way. */
  async #quiet(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await Promise.allSettled([...this.#writers].map((writer) => writer.end()));
    while (this.#checkpoint !== undefined) await this.#checkpoint;
  }

  // Ends.

  /** A full disk has no room for a longer claim; and the folder goes if there is nothing. */
  async keep(): Promise<void> {
    await this.#quiet();
    // A full disk has no room for a longer claim: the last one stands.
    if (this.#file !== undefined) await this.#makeDurable().catch(() => {});
    await this.#journal.sync().catch(() => {});
    await this.close();
  }

  async close(): Promise<void> {
    await this.#quiet();
    await this.#digest?.stop();
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
    await this.#journal.close();
    if (this.#durableBytes === 0) await this.#disk.remove(this.#dataPath).catch(() => {});
    await this.#lock.release();
    // Only where it is empty: a journal or another file in it is somebody's.
    await this.#disk.removeFolder(this.folder).catch(() => {});
  }

  async prepare(): Promise<string> {
    return this.#dataPath;
  }

  async commit(options: { readonly force: boolean }): Promise<void> {
    const { target } = this.#options;
    await this.#quiet();
    await checkTarget(this.#disk, target, options);
    await this.#digest?.stop();
    await onDisk('write', this.#dataPath, () => this.#file!.sync());
    // What cannot be moved is kept, and then all of it; a claim that finds no room is none.
    await this.#makeDurable().catch(() => {});
    await this.#file!.close().catch(() => {});
    this.#file = undefined;
    await this.#lock.check();
    await moveIntoPlace(this.#disk, this.#dataPath, target, options);
    await this.#journal.remove().catch(() => {});
    this.#durableBytes = 0;
    await this.close();
  }

  get #dataPath(): string {
    return join(this.folder, 'data');
  }
}

/**
 * Removes what an earlier run left of a target that is whole by now.
 *
 * @throws LocalError if another process is downloading to it
 */
export async function removePart(options: PartFileOptions): Promise<void> {
  const part = await PartFile.open(options);
  try {
    await part.discard();
  } finally {
    await part.close();
  }
}

function without(chunks: readonly Buffer[], bytes: number): readonly Buffer[] {
  let toDrop = bytes;
  const rest: Buffer[] = [];
  for (const chunk of chunks) {
    const dropped = Math.min(toDrop, chunk.length);
    toDrop -= dropped;
    if (dropped < chunk.length) rest.push(chunk.subarray(dropped));
  }
  return rest;
}

/** What file systems commonly allow. */
const MAX_NAME_BYTES = 255;
const SUFFIX = '.reknit';
const WHOLE_SUFFIX = '.whole';

/** Where a small file stands whole before it gets its name (`small-part.ts`): beside the folder that it does not need. */
export function wholePathOf(target: string): string {
  return folderOf(target) + WHOLE_SUFFIX;
}

/** A name that leaves no room for the suffix is shortened, and a digest of it keeps two of them apart. */
export function folderOf(target: string): string {
  const name = basename(target);
  const longest = SUFFIX.length + WHOLE_SUFFIX.length;
  if (Buffer.byteLength(name) + longest <= MAX_NAME_BYTES) return join(dirname(target), name + SUFFIX);
  const mark = createHash('sha256').update(name).digest('hex').slice(0, 16);
  let short = '';
  for (const character of name) {
    if (Buffer.byteLength(short + character) > MAX_NAME_BYTES - longest - mark.length - 1) break;
    short += character;
  }
  return join(dirname(target), `${short}-${mark}${SUFFIX}`);
}
