import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ByteRange, type ByteRanges, gapsOf, prefixOf, sizeOf, withoutRange, withRange } from './ranges.ts';

const range = fc.tuple(fc.nat(60), fc.nat(20)).map(([from, length]): ByteRange => ({ from, to: from + length }));

const bytesOf = (ranges: ByteRanges) =>
  new Set(ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)));

test('ranges are the set of their bytes, sorted, disjoint and never touching', () => {
  fc.assert(
    fc.property(fc.array(range), range, fc.integer({ min: 1, max: 90 }), (added, removed, total) => {
      const ranges = added.reduce<ByteRanges>(withRange, []);
      const model = bytesOf(added);
      expect(bytesOf(ranges)).toEqual(model);
      expect(sizeOf(ranges)).toBe(model.size);
      for (const [i, one] of ranges.entries()) expect(one.from).toBeGreaterThan(ranges[i - 1]?.to ?? -1);
      const missing = Array.from({ length: total }, (_, i) => i).filter((byte) => !model.has(byte));
      expect([...bytesOf(gapsOf(ranges, total))]).toEqual(missing);
      expect(prefixOf(ranges)).toBe(gapsOf(ranges, 1_000)[0]!.from);
      const rest = [...model].filter((byte) => byte < removed.from || byte >= removed.to);
      expect(bytesOf(withoutRange(ranges, removed))).toEqual(new Set(rest));
    }),
  );
});
