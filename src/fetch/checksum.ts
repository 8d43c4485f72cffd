/**
 * MurmurHash3, x86 variant, 128 bits, streaming: it needs nothing but 32-bit multiplication, so it runs at the same speed
 * wherever there is a `fetch`, without waiting (`crypto.subtle` is asynchronous and takes whole buffers only).
 * It tells versions of a content apart; it is no defence against whoever forges one.
 *
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
const BLOCK_BYTES = 16;
const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

export class Checksum {
  #h1: number;
  #h2: number;
  #h3: number;
  #h4: number;
  /** The beginning of a block whose rest has not come yet. */
  readonly #pending = new Uint8Array(BLOCK_BYTES);
  #pendingBytes = 0;
  #bytes = 0;

  constructor(seed = 0) {
    this.#h1 = this.#h2 = this.#h3 = this.#h4 = seed | 0;
  }

  /** Bytes taken in so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    let at = 0;
    if (this.#pendingBytes > 0) {
      at = Math.min(BLOCK_BYTES - this.#pendingBytes, chunk.byteLength);
      this.#pending.set(chunk.subarray(0, at), this.#pendingBytes);
      this.#pendingBytes += at;
      if (this.#pendingBytes < BLOCK_BYTES) return;
      this.#mixBlocks(this.#pending, 0, BLOCK_BYTES);
    }
    const end = at + ((chunk.byteLength - at) & -BLOCK_BYTES);
    this.#mixBlocks(chunk, at, end);
    this.#pendingBytes = chunk.byteLength - end;
    this.#pending.set(chunk.subarray(end));
  }

  #mixBlocks(chunk: Uint8Array, from: number, to: number): void {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let [h1, h2, h3, h4] = [this.#h1, this.#h2, this.#h3, this.#h4];
    for (let at = from; at < to; at += BLOCK_BYTES) {
      h1 ^= scramble(view.getInt32(at, true), C1, 15, C2);
      h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
      h2 ^= scramble(view.getInt32(at + 4, true), C2, 16, C3);
      h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
      h3 ^= scramble(view.getInt32(at + 8, true), C3, 17, C4);
      h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
      h4 ^= scramble(view.getInt32(at + 12, true), C4, 18, C1);
      h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
    }
    [this.#h1, this.#h2, this.#h3, this.#h4] = [h1, h2, h3, h4];
  }

  /** 32 hex digits, for what has been added so far; more may be added afterwards. */
  digest(): string {
    // The reference mixes only the words that the rest reaches; a word of zeros mixes to nothing.
    const rest = new DataView(this.#pending.slice().fill(0, this.#pendingBytes).buffer);
    const length = this.#bytes | 0;
    const words = [
      this.#h1 ^ scramble(rest.getInt32(0, true), C1, 15, C2) ^ length,
      this.#h2 ^ scramble(rest.getInt32(4, true), C2, 16, C3) ^ length,
      this.#h3 ^ scramble(rest.getInt32(8, true), C3, 17, C4) ^ length,
      this.#h4 ^ scramble(rest.getInt32(12, true), C4, 18, C1) ^ length,
    ] as const;
    return addAcross(addAcross(words).map(avalanche)).map(littleEndianHex).join('');
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second);
}

function addAcross(words: readonly number[]): readonly number[] {
  const sum = words.reduce((total, word) => (total + word) | 0, 0);
  return words.map((word, index) => (index === 0 ? sum : (word + sum) | 0));
}

function avalanche(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function littleEndianHex(word: number): string {
  const bytes = [word, word >>> 8, word >>> 16, word >>> 24];
  return bytes.map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join('');
}
