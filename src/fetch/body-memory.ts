/**
 * What is remembered of a delivered body so that a later answer can be joined to it: a running checksum for proving a
 * prefix that is read again and, where an overlap may be asked for, the last 64 KiB. Only kept where no strong ETag
 * proves it better.
 */
import { OVERLAP_BYTES } from '../core/index.ts';
import { Checksum } from './checksum.ts';

export class BodyMemory {
  readonly #checksum = new Checksum();
  readonly #ringBytes: number;
  #ring: Uint8Array | undefined;

  /** @param keepBytes the most of the body's end that an overlap may ask for; 0 where ranges are out of the question */
  constructor(keepBytes: number) {
    this.#ringBytes = Math.min(OVERLAP_BYTES, keepBytes);
  }

  /** Takes in a chunk before it is delivered: its owner may change or transfer it afterwards. */
  add(chunk: Uint8Array): void {
    if (this.#ringBytes > 0) this.#keepEnd(chunk, this.#checksum.bytes);
    this.#checksum.add(chunk);
  }

  #keepEnd(chunk: Uint8Array, before: number): void {
    const size = this.#ringBytes;
    this.#ring ??= new Uint8Array(size);
    const end = chunk.byteLength > size ? chunk.subarray(chunk.byteLength - size) : chunk;
    const at = (before + chunk.byteLength - end.byteLength) % size;
    const first = Math.min(end.byteLength, size - at);
    this.#ring.set(end.subarray(0, first), at);
    this.#ring.set(end.subarray(first), 0);
  }

  /** The last `count` bytes; undefined where so many were not kept. */
  last(count: number): Uint8Array | undefined {
    const size = this.#ringBytes;
    if (this.#ring === undefined || count > Math.min(size, this.#checksum.bytes)) return undefined;
    const bytes = new Uint8Array(count);
    const at = (this.#checksum.bytes - count) % size;
    const first = Math.min(count, size - at);
    bytes.set(this.#ring.subarray(at, at + first));
    bytes.set(this.#ring.subarray(0, count - first), first);
    return bytes;
  }

  /** Whether a prefix that was read again is what was delivered. */
  equals(prefix: Checksum): boolean {
    return prefix.bytes === this.#checksum.bytes && prefix.digest() === this.#checksum.digest();
  }
}
