/** Joins the answer to a resume: skips, and checks, the part of it that lies before the reader's place. */
import type { BodyMemory } from './body-memory.ts';
import { Checksum } from './checksum.ts';

/** How the part before the reader's place is to be treated. */
export type JoinMode =
  | { readonly kind: 'trust' }
  /** Its last `compareBytes` must equal what was delivered. */
  | { readonly kind: 'overlap'; readonly compareBytes: number }
  /** All of it must have the checksum of what was delivered. */
  | { readonly kind: 'checksum' };

export type JoinStep =
  | { readonly kind: 'more' }
  /** The reader's place is reached; `chunk` is what is new, and may be empty. */
  | { readonly kind: 'joined'; readonly chunk: Uint8Array }
  | { readonly kind: 'mismatch' };

export class Joiner {
  readonly mode: JoinMode;
  #skipBytes: number;
  readonly #memory: BodyMemory | undefined;
  readonly #prefix: Checksum | undefined;
  readonly #expected: Uint8Array | undefined;
  #comparedBytes = 0;

  /** @param skipBytes bytes before the reader's place, at least 1 */
  constructor(skipBytes: number, mode: JoinMode, memory: BodyMemory | undefined) {
    this.#skipBytes = skipBytes;
    this.mode = mode;
    this.#memory = memory;
    this.#prefix = mode.kind === 'checksum' ? new Checksum() : undefined;
    this.#expected = mode.kind === 'overlap' ? memory?.last(mode.compareBytes) : undefined;
  }

  feed(chunk: Uint8Array): JoinStep {
    const old = chunk.subarray(0, Math.min(chunk.byteLength, this.#skipBytes));
    if (!this.#check(old)) return { kind: 'mismatch' };
    this.#skipBytes -= old.byteLength;
    if (this.#skipBytes > 0) return { kind: 'more' };
    if (this.#prefix !== undefined && this.#memory?.equals(this.#prefix) !== true) return { kind: 'mismatch' };
    return { kind: 'joined', chunk: chunk.subarray(old.byteLength) };
  }

  #check(old: Uint8Array): boolean {
    this.#prefix?.add(old);
    if (this.mode.kind !== 'overlap') return true;
    const ignored = Math.max(0, this.#skipBytes - (this.mode.compareBytes - this.#comparedBytes));
    const part = old.subarray(Math.min(ignored, old.byteLength));
    const expected = this.#expected?.subarray(this.#comparedBytes, this.#comparedBytes + part.byteLength);
    this.#comparedBytes += part.byteLength;
    return expected !== undefined && isEqual(part, expected);
  }
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && left.every((byte, index) => byte === right[index]);
}
