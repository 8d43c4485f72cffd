/** `FILE.reknit/`: the bytes so far, a journal of those that are durable, and a lock. The target appears only by rename. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Representation } from '../core/index.ts';
import type { DigestAlgorithm } from './checksum.ts';
import type { Destination, Held } from './destination.ts';
import { type Journal, type Pin, readJournal, removeJournal, writeJournal } from './journal.ts';
import { errnoOf, localError, onDisk } from './local-error.ts';
import { checkTarget, moveIntoPlace, syncFolder } from './move-into-place.ts';
import { RunningDigests } from './running-digests.ts';
import { TargetLock } from './target-lock.ts';

/** New bytes after which they are made durable: what a kill can cost at most, about twice. */
const CHECKPOINT_BYTES = 1_048_576;
const READ_BYTES = 1_048_576;

export interface PartFileOptions {
  readonly target: string;
  readonly urlSha256: string;
  readonly algorithms: readonly DigestAlgorithm[];
  /** Stops reading what an earlier run left, which takes a while where that is much. */
  readonly signal: AbortSignal | undefined;
}

export class PartFile implements Destination {
  readonly folder: string;
  readonly mayBeginAgain = true;
  atByte = 0;
  readonly #options: PartFileOptions;
  readonly #lock: TargetLock;
  #file: FileHandle | undefined;
  #pin: Pin | undefined;
  #durableBytes = 0;
  #digests: RunningDigests;
  #checkpoint: Promise<void> | undefined;
  #checkpointError: unknown;

  private constructor(options: PartFileOptions, lock: TargetLock) {
    this.#options = options;
    this.#lock = lock;
    this.folder = folderOf(options.target);
    this.#digests = new RunningDigests(options.algorithms);
  }

  /**
   * Takes the target's lock, and what an earlier run left there.
   *
   * @throws LocalError if another process has it, or the folder cannot be written
   */
  static async open(options: PartFileOptions): Promise<PartFile> {
    const folder = folderOf(options.target);
    const part = await onDisk('write', folder, async () => {
      await mkdir(folder).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
      });
      try {
        return new PartFile(options, await TargetLock.take(join(folder, 'lock'), options.target));
      } catch (error) {
        // Only where it is empty.
        await rmdir(folder).catch(() => {});
        throw error;
      }
    });
    try {
      await part.#load();
      return part;
    } catch (error) {
      await part.close();
      throw options.signal?.aborted === true ? error : localError('read', folder, error);
    }
  }

  get held(): Held | undefined {
    return this.#pin === undefined || this.atByte === 0 ? undefined : { bytes: this.atByte, pin: this.#pin };
  }

  get representation(): Representation | undefined {
    return this.#pin?.representation;
  }

  get durableBytes(): number {
    return this.#durableBytes;
  }

  digestHex(algorithm: DigestAlgorithm): string | undefined {
    return this.#digests.hex(algorithm);
  }

  async #load(): Promise<void> {
    const journal = await readJournal(this.#journalPath);
    this.#file = await open(this.#dataPath, constants.O_RDWR | constants.O_CREAT, 0o666);
    const { size } = await this.#file.stat();
    const isUsable = journal !== undefined && journal.durableBytes > 0 && journal.durableBytes <= size;
    if (!isUsable) return;
    this.#digests = new RunningDigests([...this.#options.algorithms, ...promisedBy(journal)]);
    // Before it is read: whoever is interrupted in that loses nothing.
    this.#durableBytes = journal.durableBytes;
    await this.#readAgain(journal.durableBytes);
    this.#pin = journal;
    this.#isOfUrl = journal.urlSha256 === this.#options.urlSha256;
  }

  #isOfUrl = true;

  /** The bytes on the disk were asked for under the same URL. */
  get isOfUrl(): boolean {
    return this.#isOfUrl;
  }

  /** The digests go on from the durable bytes, as they are on the disk now. */
  async #readAgain(bytes: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, bytes));
    while (this.atByte < bytes) {
      this.#options.signal?.throwIfAborted();
      const wanted = Math.min(buffer.length, bytes - this.atByte);
      const { bytesRead } = await this.#file!.read(buffer, 0, wanted, this.atByte);
      if (bytesRead === 0) throw new Error(`it ends at byte ${this.atByte} of ${bytes}`);
      this.#digests.update(buffer.subarray(0, bytesRead));
      this.atByte += bytesRead;
    }
  }

  async begin(pin: Pin): Promise<void> {
    await this.discard();
    this.#digests = new RunningDigests([...this.#options.algorithms, ...promisedBy(pin)]);
    this.#pin = pin;
  }

  forgetValidator(): void {
    if (this.#pin === undefined) return;
    const { representation, serverDigest } = this.#pin;
    this.#pin = { representation: { ...representation, validator: undefined }, serverDigest };
  }

  async discard(): Promise<void> {
    await this.#checkpoint;
    await onDisk('write', this.folder, async () => {
      // The claim goes first: bytes of another version must never stand under the old one's validator.
      await removeJournal(this.#journalPath);
      if (this.#durableBytes > 0) await syncFolder(this.folder);
      await this.#file!.truncate(0);
    });
    this.#pin = undefined;
    this.#isOfUrl = true;
    this.#durableBytes = 0;
    this.atByte = 0;
    this.#digests = new RunningDigests(this.#options.algorithms);
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#checkpointError !== undefined) throw this.#checkpointError;
    let done = 0;
    try {
      while (done < chunk.length) {
        // On a full disk the first write is short and only the next one fails.
        const { bytesWritten } = await this.#file!.write(chunk, done, chunk.length - done, this.atByte);
        this.#digests.update(chunk.subarray(done, done + bytesWritten));
        done += bytesWritten;
        this.atByte += bytesWritten;
      }
    } catch (error) {
      await onDisk('write', this.#dataPath, () => Promise.reject(error));
    }
    if (this.#isCheckpointDue) this.#checkpoint ??= this.#checkpointWhileDue();
  }

  get #isCheckpointDue(): boolean {
    return this.atByte - this.#durableBytes >= CHECKPOINT_BYTES;
  }

  /** Beside the writes: the line does not wait for the disk. */
  async #checkpointWhileDue(): Promise<void> {
    try {
      while (this.#isCheckpointDue) await this.#makeDurable();
    } catch (error) {
      this.#checkpointError = error;
    }
    this.#checkpoint = undefined;
  }

  async #makeDurable(): Promise<void> {
    const durableBytes = this.atByte;
    const pin = this.#pin;
    if (pin === undefined || durableBytes === this.#durableBytes) return;
    await onDisk('write', this.#dataPath, () => this.#file!.datasync());
    const { urlSha256 } = this.#options;
    const { representation, serverDigest } = pin;
    await onDisk('write', this.#journalPath, () =>
      writeJournal(this.#journalPath, { urlSha256, durableBytes, representation, serverDigest }),
    );
    this.#durableBytes = durableBytes;
  }

  /** What was written stays for the next run, as far as the disk allows; and the folder goes if there is nothing. */
  async keep(): Promise<void> {
    await this.#checkpoint;
    // A full disk has no room for a longer claim: the last one stands.
    await this.#makeDurable().catch(() => {});
    await this.close();
  }

  async close(): Promise<void> {
    await this.#checkpoint;
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
    if (this.#durableBytes === 0) await rm(this.#dataPath, { force: true }).catch(() => {});
    await this.#lock.release();
    // Only where it is empty: a journal or another file in it is somebody's.
    await rmdir(this.folder).catch(() => {});
  }

  /** @throws LocalError if the target cannot be written, or exists and `force` is false */
  async commit(options: { readonly force: boolean }): Promise<void> {
    const { target } = this.#options;
    await this.#checkpoint;
    // While the file is open: what cannot be moved can still be kept.
    await checkTarget(target, options);
    await onDisk('write', this.#dataPath, () => this.#file!.sync());
    await this.#file!.close();
    this.#file = undefined;
    await moveIntoPlace(this.#dataPath, target, options);
    await removeJournal(this.#journalPath).catch(() => {});
    this.#durableBytes = 0;
    await this.close();
  }

  get #dataPath(): string {
    return join(this.folder, 'data');
  }

  get #journalPath(): string {
    return join(this.folder, 'journal.json');
  }
}

function folderOf(target: string): string {
  return join(dirname(target), `${basename(target)}.reknit`);
}

function promisedBy({ serverDigest }: Pin | Journal): readonly DigestAlgorithm[] {
  return serverDigest === undefined ? [] : [serverDigest.algorithm];
}
