import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkResume, describeRepresentation, type ResponseFields, type ResumePlan } from '../../src/core/index.ts';

const dates = ['Tue, 02 Dec 2025 00:00:00 GMT', 'Wed, 03 Dec 2025 00:00:00 GMT'] as const;
const number = fc.constantFrom(0, 1, 9, 10, 11, 99, 100, 101, 1_000);
const contentRange = fc.oneof(
  fc.tuple(number, number, fc.oneof(number.map(String), fc.constant('*'))).map(([a, b, t]) => `bytes ${a}-${b}/${t}`),
  fc.constantFrom(undefined, 'bytes */100', 'bytes 10-99', 'items 10-99/100', 'bytes 10-99/100, bytes 10-99/100', ''),
);

const fields: fc.Arbitrary<ResponseFields> = fc.record({
  etag: fc.constantFrom(undefined, '"a"', '"b"', 'W/"a"', 'a'),
  lastModified: fc.constantFrom(undefined, ...dates),
  date: fc.constant('Thu, 01 Jan 2026 00:00:00 GMT'),
  contentLength: fc.constantFrom(undefined, '0', '90', '91', '100', '101', 'x'),
  contentRange,
  contentType: fc.constantFrom(undefined, 'a/b', 'text/html', 'A/B; charset=x'),
  contentEncoding: fc.constantFrom(undefined, 'gzip', 'identity'),
  transferEncoding: fc.constantFrom(undefined, 'chunked'),
});

interface Span {
  readonly first: number;
  readonly last: number;
  readonly total: number | undefined;
}

/** Read by hand, without the parsers under test. */
function spanOf(text: string | undefined): Span | undefined {
  if (text === undefined || !text.startsWith('bytes ')) return undefined;
  const [range = '', total = '', ...more] = text.slice('bytes '.length).split('/');
  const [first = '', last = '', ...rest] = range.split('-');
  const isNumber = (part: string) => part !== '' && [...part].every((digit) => digit >= '0' && digit <= '9');
  if (more.length > 0 || rest.length > 0 || !isNumber(first) || !isNumber(last)) return undefined;
  if (total !== '*' && !isNumber(total)) return undefined;
  const span = { first: Number(first), last: Number(last), total: total === '*' ? undefined : Number(total) };
  return span.last < span.first || (span.total !== undefined && span.last >= span.total) ? undefined : span;
}

const typeOf = (text: string | undefined) => (text ?? '').toLowerCase().split(';')[0]!.trim();
const codingOf = (text: string | undefined) => (text === undefined || text === 'identity' ? '' : text);

test('a 206 is joined only if place, total, validator, type and coding all agree', () => {
  let joined = 0;
  const plan = fc.constantFrom<ResumePlan>(
    { kind: 'range', fromByte: 10, ifRange: '"a"' },
    { kind: 'overlap', fromByte: 5 },
    { kind: 'reread', proof: 'checksum' },
  );
  fc.assert(
    fc.property(fields, fields, plan, (before, after, wanted) => {
      const representation = describeRepresentation(200, before)!;
      const verdict = checkResume(representation, wanted, 10, 206, after);
      if (verdict.kind !== 'join') return;
      joined += 1;
      const span = spanOf(after.contentRange)!;
      expect(span).toBeDefined();
      expect(wanted.kind).not.toBe('reread');
      expect(span.first).toBeLessThanOrEqual('fromByte' in wanted ? wanted.fromByte : 0);
      expect(span.last + 1).toBeGreaterThanOrEqual(10);
      expect(verdict.skipBytes).toBe(10 - span.first);
      expect(verdict.compareBytes).toBe(wanted.kind === 'overlap' ? 5 : 0);
      expect(verdict.endByte).toBeLessThanOrEqual(span.last + 1);
      const length =
        before.transferEncoding === undefined && /^\d+$/.test(before.contentLength ?? '')
          ? Number(before.contentLength)
          : undefined;
      if (length !== undefined && span.total !== undefined) expect(span.total).toBe(length);
      if (/^\d+$/.test(after.contentLength ?? '')) expect(Number(after.contentLength)).toBe(span.last - span.first + 1);
      if (before.etag?.includes('"') && after.etag?.includes('"')) expect(after.etag).toBe(before.etag);
      const isSameStrong = before.etag?.startsWith('"') && before.etag === after.etag;
      if (before.lastModified !== undefined && after.lastModified !== undefined && !isSameStrong)
        expect(after.lastModified).toBe(before.lastModified);
      // What is joined without comparing bytes is vouched for by the answer itself.
      if (wanted.kind === 'range') {
        const byTag = after.etag?.includes('"') === true && after.etag === before.etag;
        expect(byTag || (after.lastModified !== undefined && after.lastModified === before.lastModified)).toBe(true);
      }
      if (after.contentType !== undefined) expect(typeOf(after.contentType)).toBe(typeOf(before.contentType));
      expect(codingOf(after.contentEncoding)).toBe(codingOf(before.contentEncoding));
    }),
    { numRuns: 60_000 },
  );
  expect(joined).toBeGreaterThan(50);
});

test('a 200 that is read again is proven only by an equal strong ETag, and never of another length', () => {
  let proven = 0;
  fc.assert(
    fc.property(fields, fields, (before, after) => {
      const representation = describeRepresentation(200, before)!;
      const verdict = checkResume(representation, { kind: 'reread', proof: 'checksum' }, 10, 200, after);
      if (verdict.kind !== 'reread') return;
      expect(verdict.skipBytes).toBe(10);
      const isSame = before.etag?.startsWith('"') === true && before.etag === after.etag;
      expect(verdict.isProven).toBe(isSame);
      if (isSame) proven += 1;
      const lengths = [before, after].map(({ contentLength, transferEncoding }) =>
        transferEncoding === undefined && /^\d+$/.test(contentLength ?? '') ? Number(contentLength) : undefined,
      );
      if (lengths[0] !== undefined && lengths[1] !== undefined) expect(lengths[1]).toBe(lengths[0]);
      if (lengths[1] !== undefined) expect(lengths[1]).toBeGreaterThanOrEqual(10);
    }),
    { numRuns: 20_000 },
  );
  expect(proven).toBeGreaterThan(50);
});

test('a 416 completes only where the whole is as long as what was read, in no other version', () => {
  let complete = 0;
  const unsatisfied = fields.map((own) => ({
    ...own,
    contentRange: own.contentRange === undefined ? undefined : 'bytes */100',
  }));
  fc.assert(
    fc.property(fields, unsatisfied, fc.constantFrom(99, 100, 101), (before, after, atByte) => {
      const representation = describeRepresentation(200, before)!;
      const verdict = checkResume(representation, { kind: 'overlap', fromByte: 0 }, atByte, 416, after);
      if (verdict.kind !== 'complete') return;
      complete += 1;
      expect(atByte).toBe(100);
      if (representation.totalBytes !== undefined) expect(representation.totalBytes).toBe(100);
      if (before.etag?.includes('"') && after.etag?.includes('"')) expect(after.etag).toBe(before.etag);
    }),
    { numRuns: 20_000 },
  );
  expect(complete).toBeGreaterThan(50);
});

test('no status but 200, 206 and 416 is ever joined, reread or complete', () => {
  fc.assert(
    fc.property(fields, fields, fc.integer({ min: 201, max: 599 }), (before, after, status) => {
      fc.pre(status !== 206 && status !== 416);
      const verdict = checkResume(
        describeRepresentation(200, before)!,
        { kind: 'overlap', fromByte: 0 },
        10,
        status,
        after,
      );
      expect(verdict.kind).toBe(status >= 400 ? 'status' : 'bad');
    }),
  );
});
