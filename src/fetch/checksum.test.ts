import { expect, test } from 'vitest';
import { seededRandom } from '../runtime/index.ts';
import { Checksum } from './checksum.ts';

function digestOf(bytes: Uint8Array, seed = 0): string {
  const checksum = new Checksum(seed);
  checksum.add(bytes);
  return checksum.digest();
}

test('it passes the verification of the reference implementation (SMHasher, MurmurHash3_x86_128)', () => {
  const all = new Uint8Array(256 * 16);
  for (let length = 0; length < 256; length += 1) {
    const key = Uint8Array.from({ length }, (_, index) => index);
    all.set(Buffer.from(digestOf(key, 256 - length), 'hex'), length * 16);
  }
  const verification = Buffer.from(digestOf(all), 'hex').readUInt32LE(0);
  expect(verification.toString(16)).toBe('b3ece62a');
});

test('nothing has the digest of zeros, and one byte changes it', () => {
  expect(digestOf(new Uint8Array(0))).toBe('0'.repeat(32));
  expect(digestOf(new Uint8Array(1))).not.toBe('0'.repeat(32));
});

test('the boundaries of chunks do not matter', () => {
  const random = seededRandom(7);
  const bytes = Uint8Array.from({ length: 1_000 }, () => random() * 256);
  const whole = digestOf(bytes);
  for (let round = 0; round < 300; round += 1) {
    const checksum = new Checksum();
    for (let at = 0; at < bytes.length; ) {
      const to = Math.min(bytes.length, at + Math.floor(random() * 40));
      checksum.add(bytes.subarray(at, to));
      at = to;
    }
    expect(checksum.digest()).toBe(whole);
    expect(checksum.bytes).toBe(1_000);
  }
});

test('a digest can be taken in the middle, and more be added', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, index) => index * 7);
  const checksum = new Checksum();
  checksum.add(bytes.subarray(0, 37));
  expect(checksum.digest()).toBe(digestOf(bytes.subarray(0, 37)));
  checksum.add(bytes.subarray(37));
  expect(checksum.digest()).toBe(digestOf(bytes));
});
