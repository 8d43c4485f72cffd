/** Sets of bytes: sorted, disjoint, never touching. Pure. */

/** `to` is exclusive. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export type ByteRanges = readonly ByteRange[];

export function withRange(ranges: ByteRanges, added: ByteRange): ByteRanges {
  if (added.to <= added.from) return ranges;
  const before = ranges.filter(({ to }) => to < added.from);
  const after = ranges.filter(({ from }) => from > added.to);
  const touched = ranges.slice(before.length, ranges.length - after.length);
  const from = Math.min(added.from, ...touched.map((one) => one.from));
  const to = Math.max(added.to, ...touched.map((one) => one.to));
  return [...before, { from, to }, ...after];
}

export function sizeOf(ranges: ByteRanges): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** How far they reach from byte 0 without a gap. */
export function prefixOf(ranges: ByteRanges): number {
  const first = ranges[0];
  return first?.from === 0 ? first.to : 0;
}

export function endOf(ranges: ByteRanges): number {
  return ranges.at(-1)?.to ?? 0;
}

/** What is missing of `[0, totalBytes)`. */
export function gapsOf(ranges: ByteRanges, totalBytes: number): ByteRanges {
  const gaps: ByteRange[] = [];
  let at = 0;
  for (const { from, to } of ranges) {
    if (from >= totalBytes) break;
    if (from > at) gaps.push({ from: at, to: from });
    at = Math.max(at, to);
  }
  if (at < totalBytes) gaps.push({ from: at, to: totalBytes });
  return gaps;
}

export function withoutRange(ranges: ByteRanges, removed: ByteRange): ByteRanges {
  return ranges.flatMap(({ from, to }) =>
    [
      { from, to: Math.min(to, removed.from) },
      { from: Math.max(from, removed.to), to },
    ].filter((rest) => rest.from < rest.to),
  );
}
