import type { ByteSource } from './byte-source.ts';
import { mixAll } from './seeded.ts';

/** Up to here a body is kept in memory once it was made; above, it is made anew for each read. */
const keptUpToBytes = 256 * 1024 * 1024;

/** A kept body is made in blocks, when they are first read: the first client must not wait for all of it. */
const blockBytes = 1024 * 1024;

/**
 * Pseudo-random bytes. Each aligned group of four is a one-to-one image of its index, so no two
 * groups of a body are equal (below 16 GiB): misplaced bytes are always noticed.
 */
export function seededBytes(seed: number, sizeBytes: number): ByteSource {
  const keys: Keys = [mixAll(seed, 1), mixAll(seed, 2), mixAll(seed, 3)];
  if (sizeBytes <= keptUpToBytes) return keptBytes(keys, sizeBytes);
  return {
    sizeBytes,
    read(from, to) {
      const firstWord = Math.floor(from / 4);
      const words = new Uint32Array(Math.ceil(to / 4) - firstWord);
      fill(words, keys, firstWord);
      return Buffer.from(words.buffer).subarray(from - firstWord * 4, to - firstWord * 4);
    },
  };
}

type Keys = readonly [number, number, number];

function keptBytes(keys: Keys, sizeBytes: number): ByteSource {
  let words: Uint32Array<ArrayBuffer> | undefined;
  let bytes: Buffer = Buffer.alloc(0);
  const isMade: boolean[] = [];
  return {
    sizeBytes,
    read(from, to) {
      if (words === undefined) {
        words = new Uint32Array(Math.ceil(sizeBytes / 4));
        bytes = Buffer.from(words.buffer);
      }
      for (let block = Math.floor(from / blockBytes); block * blockBytes < to; block += 1) {
        if (isMade[block]) continue;
        const firstWord = (block * blockBytes) / 4;
        fill(words.subarray(firstWord, firstWord + blockBytes / 4), keys, firstWord);
        isMade[block] = true;
      }
      return bytes.subarray(from, to);
    },
  };
}

function fill(words: Uint32Array, [first, second, third]: Keys, firstWord: number): void {
  for (let index = 0; index < words.length; index += 1) {
    let word = (firstWord + index) ^ first;
    word = (Math.imul(word ^ (word >>> 16), 0x85ebca6b) + second) | 0;
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    words[index] = word ^ (word >>> 16) ^ third;
  }
}

/** Makes bodies, and gives the same one out again for the same seed and size. */
export type BodyMaker = (seed: number, sizeBytes: number) => ByteSource;

export function createBodyMaker(): BodyMaker {
  const made = new Map<string, ByteSource>();
  return (seed, sizeBytes) => {
    const key = `${seed}:${sizeBytes}`;
    const known = made.get(key) ?? seededBytes(seed, sizeBytes);
    made.set(key, known);
    return known;
  };
}
