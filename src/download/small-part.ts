/**
 * A small file of a batch: in memory until it is whole, and then on the disk in as few steps as keep every promise.
 * Whatever outgrows this, comes to nothing, or meets what an earlier run or another process has there, goes the way of
 * every download. Of two thousand small files most of the time went into folders, locks and journals that nobody needs:
 * what a kill costs is less than the first claim of a journal would be about.
 */
import type { Representation } from '../core/index.ts';
import type { DigestAlgorithm } from './checksum.ts';
import type { ByteWriter, Held } from './destination.ts';
import type { Pin } from './journal.ts';
import { errnoOf, LocalError, localError, onDisk } from './local-error.ts';
import { moveIntoPlace } from './move-into-place.ts';
import { folderOf, PartFile, type PartFileOptions, type PartStore, wholePathOf } from './part-file.ts';
import { type ByteRanges, gapsOf } from './ranges.ts';
import { RunningDigests } from './running-digests.ts';

/** A larger file is worth its folder, its lock and its journal. */
export const SMALL_BYTES = 262_144;

/** For one of many files. */
export async function openSmallPart(options: PartFileOptions): Promise<PartStore> {
  const { disk, target } = options;
  const folder = folderOf(target);
  const kind = await onDisk('look at', folder, () => disk.kindOf(folder));
  return kind === undefined ? new SmallPart(options) : PartFile.open(options);
}

/** For one of many, of which nothing is there. */
export function beginSmallPart(options: PartFileOptions): PartStore {
  return new SmallPart(options);
}

class SmallPart implements PartStore, ByteWriter {
  readonly mayBeginAgain = true;
  readonly folder: string;
  readonly #options: PartFileOptions;
  #digests: RunningDigests;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #pin: Pin | undefined;
  /** Where it stands whole, and not yet under its name. */
  #wholePath: string | undefined;
  /** Once it is a download as every other. */
  #inner: PartFile | undefined;
  #innerWriter: ByteWriter | undefined;

  constructor(options: PartFileOptions) {
    this.#options = options;
    this.folder = folderOf(options.target);
    this.#digests = new RunningDigests(options.algorithms);
  }

  get takesSegments(): boolean {
    return this.#inner !== undefined;
  }

  get held(): Held | undefined {
    if (this.#inner !== undefined) return this.#inner.held;
    return this.#pin === undefined || this.#bytes === 0 ? undefined : { bytes: this.#bytes, pin: this.#pin };
  }

  get gotBytes(): number {
    return this.#inner?.gotBytes ?? this.#bytes;
  }

  get durableBytes(): number {
    return this.#inner?.durableBytes ?? 0;
  }

  get representation(): Representation | undefined {
    return this.#inner === undefined ? this.#pin?.representation : this.#inner.representation;
  }

  gaps(totalBytes: number): ByteRanges {
    if (this.#inner !== undefined) return this.#inner.gaps(totalBytes);
    return gapsOf(this.#bytes === 0 ? [] : [{ from: 0, to: this.#bytes }], totalBytes);
  }

  async begin(pin: Pin): Promise<void> {
    await this.discard();
    const { totalBytes } = pin.representation;
    if (this.#inner === undefined && totalBytes !== undefined && totalBytes > SMALL_BYTES) await this.#settle();
    if (this.#inner !== undefined) return this.#inner.begin(pin);
    const { serverDigest } = pin;
    this.#digests = new RunningDigests([
      ...this.#options.algorithms,
      ...(serverDigest ? [serverDigest.algorithm] : []),
    ]);
    this.#pin = pin;
  }

  forgetValidator(): void {
    this.#inner?.forgetValidator();
    if (this.#pin === undefined) return;
    this.#pin = { ...this.#pin, representation: { ...this.#pin.representation, validator: undefined } };
  }

  async discard(): Promise<void> {
    if (this.#inner !== undefined) return this.#inner.discard();
    this.#chunks = [];
    this.#bytes = 0;
    this.#pin = undefined;
    this.#digests = new RunningDigests(this.#options.algorithms);
  }

  async reserve(totalBytes: number): Promise<void> {
    await this.#inner?.reserve(totalBytes);
  }

  async digests(): Promise<ReadonlyMap<DigestAlgorithm, string>> {
    return this.#inner === undefined ? this.#digests.hexes() : this.#inner.digests();
  }

  // Writing: one connection at a time, as long as it is in memory.

  writerAt(atByte: number): ByteWriter {
    return this.#inner === undefined ? this : this.#inner.writerAt(atByte);
  }

  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#innerWriter !== undefined) return this.#innerWriter.write(chunk);
    this.#digests.update(chunk);
    // A small chunk may be a view of a large buffer.
    this.#chunks.push(chunk.length * 2 < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk);
    this.#bytes += chunk.length;
    return this.#bytes > SMALL_BYTES ? this.#settle() : undefined;
  }

  async end(): Promise<void> {
    const writer = this.#innerWriter;
    this.#innerWriter = undefined;
    await writer?.end();
  }

  /** From memory into a part file. */
  async #settle(): Promise<void> {
    await this.#removeWhole();
    const inner = await PartFile.open(this.#options);
    this.#inner = inner;
    if (this.#pin === undefined) return;
    await inner.begin(this.#pin);
    const writer = inner.writerAt(0);
    this.#innerWriter = writer;
    for (const chunk of this.#chunks.splice(0)) await writer.write(chunk);
  }

  // Ends.

  async prepare(): Promise<string> {
    const { disk, target } = this.#options;
    if (this.#inner !== undefined) return this.#inner.prepare();
    const path = wholePathOf(target);
    try {
      await disk.writeWhole(path, this.#chunks);
    } catch (error) {
      // Of another process, or of one that died: whoever has the lock may take it away.
      if (errnoOf(error) === 'EEXIST') return this.#prepareInner();
      this.#wholePath = path;
      throw localError('write', path, error);
    }
    this.#wholePath = path;
    return path;
  }

  async #prepareInner(): Promise<string> {
    await this.#settle();
    await this.end();
    return this.#inner!.prepare();
  }

  async commit(options: { readonly force: boolean }): Promise<void> {
    const { disk, target } = this.#options;
    if (this.#inner !== undefined) return this.#inner.commit(options);
    try {
      await moveIntoPlace(disk, this.#wholePath!, target, options);
    } catch (error) {
      // Another process has taken it away: it has the lock, or had it.
      if (!(error instanceof LocalError) || error.failure?.code !== 'ENOENT') throw error;
      await this.#prepareInner();
      return this.#inner!.commit(options);
    }
    this.#wholePath = undefined;
  }

  /** What came stays for the next run where it can be continued; what cannot be written is not worth another failure. */
  async keep(): Promise<void> {
    if (this.#inner === undefined) {
      await this.#removeWhole();
      if (this.#bytes === 0 || this.#pin?.representation.validator === undefined) return;
      await this.#settle().catch(() => {});
    }
    await this.end().catch(() => {});
    await this.#inner?.keep();
  }

  async #removeWhole(): Promise<void> {
    const { disk } = this.#options;
    const path = this.#wholePath;
    if (path === undefined) return;
    this.#wholePath = undefined;
    await disk.remove(path).catch(() => {});
  }
}
