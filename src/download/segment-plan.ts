/** Who fetches what: parts of the missing bytes for connections that have nothing to do. Pure. */
import type { ByteRange, ByteRanges } from './ranges.ts';

/** A part in the hands of a connection. */
export interface Taken {
  readonly atByte: number;
  readonly endByte: number;
  readonly bytesPerSecond: number;
  /** It has not had the time to show what it can. */
  readonly isYoung: boolean;
}

export interface Missing {
  /** In nobody's hands. */
  readonly gaps: ByteRanges;
  readonly taken: readonly Taken[];
  readonly totalBytes: number;
}

export type Assignment =
  | { readonly kind: 'gap'; readonly range: ByteRange }
  /** The holder, by its index, keeps what is before `range`; with nothing left to it, it is let go. */
  | { readonly kind: 'split'; readonly holder: number; readonly range: ByteRange; readonly isWhole: boolean };

/** Parts are so long that asking for them costs nothing beside them, and short enough to be hashed before they are cold. */
const PART_SECONDS = 8;
const MIN_PART_BYTES = 4 * 1_048_576;
const MAX_PART_BYTES = 64 * 1_048_576;
/** Less than this is not worth another request. */
const MIN_SPLIT_BYTES = 1_048_576;
const MIN_SPLIT_SECONDS = 0.5;
/** Unless it would take this long. */
const MIN_RESCUE_SECONDS = 5;

export function partBytes(bytesPerSecond: number): number {
  return Math.round(Math.min(MAX_PART_BYTES, Math.max(MIN_PART_BYTES, bytesPerSecond * PART_SECONDS)));
}

/** The first gap, or a share of what would take longest. Undefined where more hands do not help. */
export function assign({ gaps, taken }: Missing): Assignment | undefined {
  const average = averageRate(taken);
  const gap = gaps[0];
  if (gap !== undefined) {
    return { kind: 'gap', range: { from: gap.from, to: Math.min(gap.to, gap.from + partBytes(average)) } };
  }
  const holder = slowest(taken, average);
  return holder === undefined ? undefined : share(taken, holder, average);
}

function share(taken: readonly Taken[], holder: number, average: number): Assignment | undefined {
  const { atByte, endByte } = taken[holder]!;
  const rate = rateOf(taken[holder]!, average);
  const leftBytes = endByte - atByte;
  const part = partBytes(average);
  // Of much, both take a part from the front: what is written stays near what is hashed.
  if (leftBytes > 2 * part) {
    return { kind: 'split', holder, isWhole: false, range: { from: atByte + part, to: atByte + 2 * part } };
  }
  const leftSeconds = rate === 0 ? Number.POSITIVE_INFINITY : leftBytes / rate;
  if (leftSeconds < (leftBytes < MIN_SPLIT_BYTES ? MIN_RESCUE_SECONDS : MIN_SPLIT_SECONDS)) return undefined;
  // Both would end at the same time; who brings nothing keeps nothing.
  const kept = rate === 0 ? 0 : Math.floor((leftBytes * rate) / (rate + Math.max(rate, average)));
  return { kind: 'split', holder, isWhole: kept === 0, range: { from: atByte + kept, to: endByte } };
}

function slowest(taken: readonly Taken[], average: number): number | undefined {
  let found: number | undefined;
  let longest = 0;
  for (const [i, one] of taken.entries()) {
    const rate = rateOf(one, average);
    const leftBytes = one.endByte - one.atByte;
    const seconds = leftBytes <= 0 ? 0 : rate === 0 ? Number.POSITIVE_INFINITY : leftBytes / rate;
    if (seconds > longest) [found, longest] = [i, seconds];
  }
  return found;
}

/** Who has only begun is taken for one like the others. */
function rateOf({ bytesPerSecond, isYoung }: Taken, average: number): number {
  return isYoung ? Math.max(bytesPerSecond, average, 1) : bytesPerSecond;
}

function averageRate(taken: readonly Taken[]): number {
  const flowing = taken.filter(({ bytesPerSecond }) => bytesPerSecond > 0);
  return flowing.length === 0 ? 0 : flowing.reduce((sum, one) => sum + one.bytesPerSecond, 0) / flowing.length;
}
