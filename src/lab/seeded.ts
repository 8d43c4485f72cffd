/** Deterministic numbers: the same inputs give the same number on every machine and Node version. */

/** Mixes 32 bits into 32 bits, one to one (the finaliser of MurmurHash3). */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** One 32-bit number from several, in this order. */
export function mixAll(...values: readonly number[]): number {
  let mixed = 0x9e3779b9;
  for (const value of values) {
    mixed = mix32(mixed ^ mix32(value | 0)) + mix32(Math.floor(value / 2 ** 32));
  }
  return mix32(mixed);
}

/** A whole number in [min, max], drawn from the given keys. */
export function drawBetween(min: number, max: number, ...keys: readonly number[]): number {
  const ratio = mixAll(...keys, 0x5eed) / 2 ** 32;
  return min + Math.floor(ratio * (max - min + 1));
}
