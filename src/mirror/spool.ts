/**
 * The bytes of one answer while they come: any number of readers read them, each at its own pace and from any place. Short
 * ones stay in memory; longer ones go to a file, so that a slow reader holds nobody up.
 */
import { type FileHandle, unlink } from 'node:fs/promises';

/** A longer answer goes to a file. */
export const MEMORY_BYTES = 1_048_576;
/** Of an answer in a file, so much stays in memory for readers that keep up. */
const TAIL_BYTES = 524_288;
/** More than this waiting for the disk holds the sender up; without a disk, waiting for the slowest reader. */
const MAX_WAITING_BYTES = 8_388_608;

/** A new file that nobody else has; `path` is undefined where it has no name any more. */
export interface SpoolFile {
  readonly handle: FileHandle;
  readonly path: string | undefined;
}

export class Spool {
  readonly #openFile: () => Promise<SpoolFile>;
  readonly #onRoom: () => void;
  #chunks: Buffer[] = [];
  /** Of the first chunk in memory. */
  #memoryAt = 0;
  #file: SpoolFile | undefined;
  #writtenBytes = 0;
  #isWriting = false;
  #writing: Promise<void> = Promise.resolve();
  #slowestAt = 0;
  #isClosed = false;
  length = 0;
  diskError: unknown;

  constructor(openFile: () => Promise<SpoolFile>, onRoom: () => void) {
    this.#openFile = openFile;
    this.#onRoom = onRoom;
  }

  /** False: no more until `onRoom`. */
  append(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    if (this.diskError === undefined && (this.#file !== undefined || this.length > MEMORY_BYTES)) this.#startWriting();
    return this.#hasRoom;
  }

  get #hasRoom(): boolean {
    const waiting = this.diskError === undefined ? this.length - this.#writtenBytes : this.length - this.#memoryAt;
    return waiting <= MAX_WAITING_BYTES;
  }

  #startWriting(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#write();
  }

  async #write(): Promise<void> {
    try {
      this.#file ??= await this.#openFile();
      while (this.#writtenBytes < this.length && !this.#isClosed) {
        const chunks = this.#chunksFrom(this.#writtenBytes);
        await writeAll(this.#file.handle, chunks, this.#writtenBytes);
        this.#writtenBytes += chunks.reduce((sum, { length }) => sum + length, 0);
        this.#forget(this.#writtenBytes - TAIL_BYTES);
        this.#onRoom();
      }
    } catch (error) {
      // What is in the file stays readable, what is not yet stays in memory.
      this.diskError = error ?? new Error('the disk failed');
    } finally {
      // In one go with the look at what is left: what comes later starts anew.
      this.#isWriting = false;
    }
    this.#onRoom();
  }

  #chunksFrom(at: number): Buffer[] {
    let chunkAt = this.#memoryAt;
    const index = this.#chunks.findIndex(({ length }) => {
      if (chunkAt >= at) return true;
      chunkAt += length;
      return false;
    });
    return index === -1 ? [] : this.#chunks.slice(index);
  }

  #forget(upTo: number): void {
    let count = 0;
    let at = this.#memoryAt;
    while (count < this.#chunks.length && at + this.#chunks[count]!.length <= upTo) {
      at += this.#chunks[count]!.length;
      count += 1;
    }
    if (count === 0) return;
    this.#chunks = this.#chunks.slice(count);
    this.#memoryAt = at;
  }

  /** Without a disk only what the slowest reader still wants is kept. */
  slowestReaderIs(at: number): void {
    if (this.diskError === undefined || at <= this.#slowestAt) return;
    this.#slowestAt = at;
    const hadRoom = this.#hasRoom;
    this.#forget(Math.max(at, this.#writtenBytes));
    if (!hadRoom && this.#hasRoom) this.#onRoom();
  }

  /** Whether a reader that begins now can have all of it. */
  get isWhole(): boolean {
    return this.#memoryAt <= this.#writtenBytes;
  }

  /** Up to `maxBytes` from there, at least one; there must be any. */
  read(at: number, maxBytes: number): Buffer | Promise<Buffer> {
    if (at >= this.#memoryAt) return this.#readMemory(at, maxBytes);
    return this.#readFile(at, Math.min(maxBytes, this.#memoryAt - at));
  }

  #readMemory(at: number, maxBytes: number): Buffer {
    // Readers that keep up want the last chunk.
    let chunkAt = this.length;
    for (let index = this.#chunks.length - 1; index >= 0; index -= 1) {
      const chunk = this.#chunks[index]!;
      chunkAt -= chunk.length;
      if (chunkAt <= at) return chunk.subarray(at - chunkAt, at - chunkAt + maxBytes);
    }
    throw new Error('read outside of the spool');
  }

  async #readFile(at: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await this.#file!.handle.read(buffer, 0, bytes, at);
    if (bytesRead === 0) throw new Error('the file of an answer is shorter than what was written to it');
    return buffer.subarray(0, bytesRead);
  }

  /** All of it; for answers that are known to be short enough. */
  async whole(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let at = 0; at < this.length; ) {
      const part = await this.read(at, this.length - at);
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** The file with everything in it, or undefined where it is in memory only. The caller must not close it. */
  async settled(): Promise<SpoolFile | undefined> {
    await this.#writing;
    return this.diskError === undefined ? this.#file : undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    this.#chunks = [];
    await this.#file?.handle.close().catch(() => {});
    if (this.#file?.path !== undefined) await unlink(this.#file.path).catch(() => {});
  }

  get path(): string | undefined {
    return this.#file?.path;
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Buffer[], at: number): Promise<void> {
  const total = chunks.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev(chunks as Buffer[], at);
  if (bytesWritten === total) return;
  // A part only: a nearly full disk. The rest says why.
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) {
    const written = await handle.write(rest, done, rest.length - done, at + bytesWritten + done);
    done += written.bytesWritten;
  }
}
