import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  isStrongEntityTag,
  parseContentRange,
  parseEntityTag,
  parseLength,
  parseRange,
  parseUnsatisfiedRange,
} from '../../src/core/index.ts';

const digits = (text: string): boolean => text.length > 0 && [...text].every((one) => one >= '0' && one <= '9');

function numberOf(text: string): number | undefined {
  if (!digits(text)) return undefined;
  const exact = BigInt(text);
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) && text.length <= 16 ? Number(exact) : undefined;
}

const part = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 17n }).map(String),
  fc.nat({ max: 2_000 }).map(String),
  fc.constantFrom('', '-1', '1e3', '0x10', '*', ' 5', '９', '+7', '9007199254740991', '9007199254740992', '00012'),
);

test('a Content-Range is read as it is written, or not at all', () => {
  fc.assert(
    fc.property(
      part,
      part,
      part,
      fc.constantFrom('bytes ', 'BYTES ', 'bytes  ', 'items ', 'bytes=', ''),
      (a, b, c, unit) => {
        const found = parseContentRange(`${unit}${a}-${b}/${c}`);
        const [first, last] = [numberOf(a.trimStart()), numberOf(b)];
        const total = c === '*' ? undefined : numberOf(c);
        const isRight =
          unit.trim().toLowerCase() === 'bytes' &&
          unit.endsWith(' ') &&
          first !== undefined &&
          last !== undefined &&
          first <= last &&
          (c === '*' || (total !== undefined && last < total));
        expect(found).toEqual(isRight ? { firstByte: first, lastByte: last, totalBytes: total } : undefined);
      },
    ),
    { numRuns: 5_000 },
  );
});

test('a length is a safe number of bytes, or nothing; repeated ones must agree', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
      const values = parts.map((one) => one.trim());
      const isOne = values.every((one) => one === values[0]);
      expect(parseLength(parts.join(', '))).toBe(isOne ? numberOf(values[0]!) : undefined);
    }),
    { numRuns: 5_000 },
  );
});

test('the total of a 416 is a safe number, or nothing', () => {
  fc.assert(
    fc.property(part, (total) => {
      expect(parseUnsatisfiedRange(`bytes */${total}`)).toBe(numberOf(total));
    }),
  );
});

test('nothing that the parsers read throws, and every range that is read has a meaning', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      for (const parse of [parseContentRange, parseLength, parseUnsatisfiedRange, parseEntityTag]) parse(text);
      const range = parseRange(text);
      expect(['from', 'last', 'other']).toContain(range?.kind);
    }),
    { numRuns: 5_000 },
  );
});

test('an entity-tag is kept as it is, and strong only without its W/', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.constantFrom('', 'W/', 'w/'), (inner, prefix) => {
      const tag = `${prefix}"${inner}"`;
      const isRight = prefix !== 'w/' && !/["\r\n]/.test(inner);
      expect(parseEntityTag(tag)).toBe(isRight ? tag : undefined);
      expect(isStrongEntityTag(parseEntityTag(tag))).toBe(isRight && prefix === '');
    }),
  );
});
