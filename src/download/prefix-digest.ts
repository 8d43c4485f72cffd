/**
 * Digests that follow the bytes of a file from byte 0 on, as far as they are there without a gap: what comes in order is
 * taken from memory, the rest is read again while it is still in the page cache. No second pass over a cold file.
 */
import { createHash, type Hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { DigestAlgorithm } from './checksum.ts';
import type { DiskFile } from './disk.ts';

export interface PrefixDigest {
  /** Bytes that are about to be written at `atByte`. */
  take(chunk: Buffer, atByte: number): void;
  /** Everything before `prefixBytes` is written. */
  advance(prefixBytes: number): void;
  /** Lower-case hex of everything before `prefixBytes`, once it is read; each algorithm once. */
  finish(prefixBytes: number): Promise<ReadonlyMap<DigestAlgorithm, string>>;
  /** Nothing is read any more once this has settled. */
  stop(): Promise<void>;
}

/** From here on hashing costs more than a thread for it: about 50 ms of it. */
const WORKER_FROM_BYTES = 64 * 1_048_576;
const READ_BYTES = 1_048_576;

export function followPrefix(
  file: DiskFile,
  algorithms: readonly DigestAlgorithm[],
  totalBytes: number | undefined,
): PrefixDigest {
  const names = [...new Set<DigestAlgorithm>(['sha256', ...algorithms])];
  const { fd } = file;
  const isLarge = totalBytes !== undefined && totalBytes >= WORKER_FROM_BYTES;
  return isLarge && fd !== undefined ? new ThreadDigest(fd, names) : new OwnDigest(file, names);
}

class OwnDigest implements PrefixDigest {
  readonly #file: DiskFile;
  readonly #hashes: ReadonlyMap<DigestAlgorithm, Hash>;
  #atByte = 0;
  #prefixBytes = 0;
  #reading: Promise<void> | undefined;
  #error: unknown;
  #isStopped = false;

  constructor(file: DiskFile, algorithms: readonly DigestAlgorithm[]) {
    this.#file = file;
    this.#hashes = new Map(algorithms.map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  take(chunk: Buffer, atByte: number): void {
    if (atByte !== this.#atByte || this.#reading !== undefined) return;
    this.#update(chunk);
  }

  #update(bytes: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
    this.#atByte += bytes.length;
  }

  advance(prefixBytes: number): void {
    this.#prefixBytes = prefixBytes;
    if (prefixBytes <= this.#atByte || this.#isStopped) return;
    this.#reading ??= this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    try {
      while (this.#atByte < this.#prefixBytes && !this.#isStopped) {
        const wanted = Math.min(buffer.length, this.#prefixBytes - this.#atByte);
        const bytesRead = await this.#file.read(buffer.subarray(0, wanted), this.#atByte);
        if (bytesRead === 0) throw new Error(`the file ends at byte ${this.#atByte} of ${this.#prefixBytes}`);
        this.#update(buffer.subarray(0, bytesRead));
      }
    } catch (error) {
      this.#error = error;
    }
    this.#reading = undefined;
  }

  async finish(prefixBytes: number): Promise<ReadonlyMap<DigestAlgorithm, string>> {
    this.advance(prefixBytes);
    while (this.#reading !== undefined) await this.#reading;
    if (this.#error !== undefined) throw this.#error;
    return new Map([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.copy().digest('hex')]));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reading;
  }
}

/**
 * The thread's program: a text, so that it is the same from sources, from dist and from a bundle. It reads by itself what
 * it is told to be there, and leaves moving bytes to the main thread.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const { readSync } = require('node:fs');
const { fd, algorithms, readBytes } = workerData;
const hashes = algorithms.map((algorithm) => createHash(algorithm));
const buffer = Buffer.allocUnsafe(readBytes);
let at = 0;
parentPort.on('message', ({ toByte, isLast }) => {
  try {
    while (at < toByte) {
      const bytes = readSync(fd, buffer, 0, Math.min(readBytes, toByte - at), at);
      if (bytes === 0) throw new Error('the file ends at byte ' + at + ' of ' + toByte);
      for (const hash of hashes) hash.update(bytes === readBytes ? buffer : buffer.subarray(0, bytes));
      at += bytes;
    }
    parentPort.postMessage({ at, hexes: isLast ? hashes.map((hash) => hash.copy().digest('hex')) : undefined });
  } catch (error) {
    parentPort.postMessage({ at, error });
  }
});
`;

interface FromThread {
  readonly at: number;
  readonly hexes?: readonly string[];
  readonly error?: unknown;
}

/** The thread is told in steps: it hears a stop only between two of them. */
const STEP_BYTES = 8 * 1_048_576;
/** Fewer, longer messages: each costs the main thread about as much as receiving 64 KiB. */
const MIN_STEP_BYTES = 4 * 1_048_576;

class ThreadDigest implements PrefixDigest {
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #worker: Worker;
  #toldBytes = 0;
  #prefixBytes = 0;
  #isBusy = false;
  #isStopped = false;
  #error: unknown;
  #settle: (() => void) | undefined;
  #hexes: readonly string[] | undefined;

  constructor(fd: number, algorithms: readonly DigestAlgorithm[]) {
    this.#algorithms = algorithms;
    this.#worker = new Worker(program, { eval: true, workerData: { fd, algorithms, readBytes: READ_BYTES } });
    this.#worker.unref();
    this.#worker.on('message', (message: FromThread) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#onMessage({ at: this.#toldBytes, error }));
  }

  take(): void {}

  advance(prefixBytes: number): void {
    this.#prefixBytes = prefixBytes;
    if (!this.#isBusy && prefixBytes - this.#toldBytes >= MIN_STEP_BYTES) this.#tell();
  }

  #tell(): void {
    if (this.#isStopped) return;
    this.#isBusy = true;
    this.#toldBytes = Math.min(this.#prefixBytes, this.#toldBytes + STEP_BYTES);
    const isLast = this.#settle !== undefined && this.#toldBytes === this.#prefixBytes;
    this.#worker.postMessage({ toByte: this.#toldBytes, isLast });
  }

  #onMessage({ hexes, error }: FromThread): void {
    this.#isBusy = false;
    this.#error ??= error;
    this.#hexes = hexes;
    const mustEnd = this.#isStopped || this.#error !== undefined || hexes !== undefined;
    if (mustEnd) this.#settle?.();
    else if (this.#settle !== undefined || this.#prefixBytes - this.#toldBytes >= MIN_STEP_BYTES) this.#tell();
  }

  async finish(prefixBytes: number): Promise<ReadonlyMap<DigestAlgorithm, string>> {
    this.#prefixBytes = prefixBytes;
    // The process waits for this one.
    this.#worker.ref();
    this.#hexes = undefined;
    await this.#untilSettled(() => {
      if (!this.#isBusy) this.#tell();
    });
    if (this.#error !== undefined) throw this.#error;
    return new Map(this.#algorithms.map((algorithm, i) => [algorithm, this.#hexes![i]!]));
  }

  async #untilSettled(begin: () => void): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      begin();
    });
    this.#settle = undefined;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    // The file must not be closed, and its number given to another one, while the thread reads.
    await this.#worker.terminate();
  }
}
