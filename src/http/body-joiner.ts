/**
 * What is remembered of a delivered body so that a later answer can be joined to it: the last 64 KiB for comparing an
 * overlap, and a running checksum for proving a prefix that is read again. Only kept where no strong ETag proves it better.
 */
import { createCipheriv } from 'node:crypto';
import { OVERLAP_BYTES } from '../core/index.ts';

/** A part of what was delivered, and its checksum; parts follow each other from the first byte on. */
interface Part {
  readonly endByte: number;
  readonly sum: Buffer;
}

const nothing = Buffer.alloc(0);
// No secret is needed: the checksum is there against accidents, and who can answer can send what he likes anyway.
const key = Buffer.alloc(16, 'reknit');
const nonce = Buffer.alloc(12);

/**
 * GMAC, the checksum half of AES-GCM: 128 bits at four to eight times the speed of SHA-1 here, and a little faster than
 * a CRC of 32 bits (docs/benchmarks.md). Its one drawback: it can be finished only once.
 */
class Checksum {
  readonly #cipher = createCipheriv('aes-128-gcm', key, nonce);

  add(chunk: Buffer): void {
    this.#cipher.setAAD(chunk);
  }

  finish(): Buffer {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

export class BodyMemory {
  #ring: Buffer | undefined;
  #bytes = 0;
  #sum: Checksum | undefined;
  readonly #parts: Part[] = [];
  #summedBytes = 0;

  /** Bytes remembered so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes in a chunk before it is delivered: its owner may change or transfer it afterwards. */
  add(chunk: Buffer): void {
    this.#ring ??= Buffer.allocUnsafe(OVERLAP_BYTES);
    // While everything fits into the ring, the ring is the proof; most bodies never need the checksum.
    if (this.#sum === undefined && this.#bytes + chunk.length > OVERLAP_BYTES) this.#sum = this.#startSum();
    this.#sum?.add(chunk);
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
    const ring = this.#ring ?? nothing;
    const start = this.#bytes - count;
    const at = start % OVERLAP_BYTES;
    const first = Math.min(count, OVERLAP_BYTES - at);
    return Buffer.concat([ring.subarray(at, at + first), ring.subarray(0, count - first)]);
  }

  /** Everything so far in parts with their checksums. What is added later begins another part. */
  parts(): readonly Part[] {
    if (this.#summedBytes < this.#bytes) {
      const sum = this.#sum ?? this.#startSum();
      this.#parts.push({ endByte: this.#bytes, sum: sum.finish() });
      this.#summedBytes = this.#bytes;
      this.#sum = undefined;
    }
    return [...this.#parts];
  }

  /** Without a running checksum, what is in no part yet is still in the ring, from its start on. */
  #startSum(): Checksum {
    const sum = new Checksum();
    if (this.#summedBytes < this.#bytes) sum.add(this.#ring!.subarray(this.#summedBytes, this.#bytes));
    return sum;
  }
}

/** Compares a prefix that is read again with what was delivered. */
export class PrefixCheck {
  readonly #parts: readonly Part[];
  #index = 0;
  #bytes = 0;
  #sum = new Checksum();

  constructor(memory: BodyMemory) {
    this.#parts = memory.parts();
  }

  /** False as soon as a part differs. */
  add(chunk: Buffer): boolean {
    let rest = chunk;
    while (rest.length > 0) {
      const part = this.#parts[this.#index];
      if (part === undefined) return false;
      const own = rest.subarray(0, part.endByte - this.#bytes);
      this.#sum.add(own);
      this.#bytes += own.length;
      rest = rest.subarray(own.length);
      if (this.#bytes === part.endByte && !this.#endPart(part)) return false;
    }
    return true;
  }

  #endPart(part: Part): boolean {
    const isEqual = this.#sum.finish().equals(part.sum);
    this.#index += 1;
    this.#sum = new Checksum();
    return isEqual;
  }

  /** Everything that was delivered was seen again. */
  get isComplete(): boolean {
    return this.#index === this.#parts.length;
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
  readonly #prefix: PrefixCheck | undefined;
  readonly #expected: Buffer | undefined;
  #compared = 0;

  constructor(skipBytes: number, mode: JoinMode, memory: BodyMemory | undefined) {
    this.#skipBytes = skipBytes;
    this.#mode = mode;
    this.#prefix = mode.kind === 'digest' ? new PrefixCheck(memory ?? new BodyMemory()) : undefined;
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
    if (this.#prefix?.isComplete === false) return { kind: 'mismatch' };
    return old.length === chunk.length ? { kind: 'more' } : { kind: 'deliver', chunk: chunk.subarray(old.length) };
  }

  #check(old: Buffer): boolean {
    if (this.#prefix !== undefined) return this.#prefix.add(old);
    if (this.#mode.kind !== 'overlap') return true;
    const ignored = Math.max(0, this.#skipBytes - (this.#mode.compareBytes - this.#compared));
    const part = old.subarray(Math.min(ignored, old.length));
    const expected = this.#expected?.subarray(this.#compared, this.#compared + part.length);
    this.#compared += part.length;
    return expected !== undefined && part.equals(expected);
  }
}
