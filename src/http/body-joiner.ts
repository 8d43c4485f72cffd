/**
 * What is remembered of a delivered body so that a later answer can be joined to it: the last 64 KiB for comparing an
 * overlap, and a running digest for proving a prefix that is read again. Only kept where no strong ETag proves it better.
 */
import { createHash, type Hash } from 'node:crypto';
import { OVERLAP_BYTES } from '../core/index.ts';

export class BodyMemory {
  #ring: Buffer | undefined;
  #bytes = 0;
  #hash: Hash | undefined;

  /** Bytes remembered so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes in a chunk before it is delivered: its owner may change or transfer it afterwards. */
  add(chunk: Buffer): void {
    this.#ring ??= Buffer.allocUnsafe(OVERLAP_BYTES);
    // While everything fits into the ring, the ring is the proof; most bodies never need the digest.
    if (this.#hash === undefined && this.#bytes + chunk.length > OVERLAP_BYTES) {
      this.#hash = createHash('sha1').update(this.#ring.subarray(0, this.#bytes));
    }
    this.#hash?.update(chunk);
    this.#keepEnd(chunk);
    this.#bytes += chunk.length;
  }

  #keepEnd(chunk: Buffer): void {
    const ring = this.#ring!;
    const end = chunk.length > OVERLAP_BYTES ? chunk.subarray(chunk.length - OVERLAP_BYTES) : chunk;
    const at = (this.#bytes + chunk.length - end.length) % OVERLAP_BYTES;
    const first = Math.min(end.length, OVERLAP_BYTES - at);
    end.copy(ring, at, 0, first);
    if (first < end.length) end.copy(ring, 0, first);
  }

  /** The last `count` bytes, at most 64 KiB. */
  last(count: number): Buffer {
    const ring = this.#ring ?? Buffer.alloc(0);
    const start = this.#bytes - count;
    const at = start % OVERLAP_BYTES;
    const first = Math.min(count, OVERLAP_BYTES - at);
    return Buffer.concat([ring.subarray(at, at + first), ring.subarray(0, count - first)]);
  }

  /** Whether `prefix`, fed through `createPrefixCheck`, is what was delivered. */
  equals(prefix: PrefixDigest): boolean {
    return prefix.bytes === this.#bytes && prefix.digest() === this.#digest();
  }

  #digest(): string {
    const hash =
      this.#hash?.copy() ?? createHash('sha1').update((this.#ring ?? Buffer.alloc(0)).subarray(0, this.#bytes));
    return hash.digest('base64');
  }
}

/** The digest of a prefix that is read again. */
export class PrefixDigest {
  readonly #hash = createHash('sha1');
  bytes = 0;

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
  }

  digest(): string {
    return this.#hash.copy().digest('base64');
  }
}

/** How the beginning of a resume's answer is to be treated until it reaches the reader's place. */
export type JoinMode =
  | { readonly kind: 'trust' }
  /** Its last `compareBytes` before the reader's place must equal what was delivered. */
  | { readonly kind: 'overlap'; readonly compareBytes: number }
  | { readonly kind: 'digest' };

export type JoinStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'deliver'; readonly chunk: Buffer }
  | { readonly kind: 'mismatch' };

/** Skips and checks the part of a resume's answer that lies before the reader's place. */
export class Joiner {
  #skipBytes: number;
  readonly #mode: JoinMode;
  readonly #memory: BodyMemory | undefined;
  readonly #prefix: PrefixDigest | undefined;
  readonly #expected: Buffer | undefined;
  #compared = 0;

  constructor(skipBytes: number, mode: JoinMode, memory: BodyMemory | undefined) {
    this.#skipBytes = skipBytes;
    this.#mode = mode;
    this.#memory = memory;
    this.#prefix = mode.kind === 'digest' ? new PrefixDigest() : undefined;
    this.#expected = mode.kind === 'overlap' ? memory?.last(mode.compareBytes) : undefined;
  }

  get isDone(): boolean {
    return this.#skipBytes === 0;
  }

  feed(chunk: Buffer): JoinStep {
    const old = chunk.subarray(0, Math.min(chunk.length, this.#skipBytes));
    if (!this.#check(old)) return { kind: 'mismatch' };
    this.#skipBytes -= old.length;
    if (this.#skipBytes > 0) return { kind: 'more' };
    if (this.#prefix !== undefined && this.#memory?.equals(this.#prefix) !== true) return { kind: 'mismatch' };
    return old.length === chunk.length ? { kind: 'more' } : { kind: 'deliver', chunk: chunk.subarray(old.length) };
  }

  #check(old: Buffer): boolean {
    this.#prefix?.add(old);
    if (this.#mode.kind !== 'overlap') return true;
    const ignored = Math.max(0, this.#skipBytes - (this.#mode.compareBytes - this.#compared));
    const part = old.subarray(Math.min(ignored, old.length));
    const expected = this.#expected?.subarray(this.#compared, this.#compared + part.length);
    this.#compared += part.length;
    return expected !== undefined && part.equals(expected);
  }
}
