import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHttpDate } from './http-date.ts';

const nineties = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('parseHttpDate', () => {
  it('reads all three forms of RFC 9110', () => {
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(nineties);
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).toBe(nineties);
    expect(parseHttpDate('Sun Nov  6 08:49:37 1994')).toBe(nineties);
  });

  it('tolerates a weekday that does not fit', () => {
    expect(parseHttpDate('Mon, 06 Nov 1994 08:49:37 GMT')).toBe(nineties);
  });

  it('reads a leap second as the first instant of the next minute', () => {
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT')).toBe(Date.UTC(2017, 0, 1));
  });

  it.each([
    'Wed, 30 Feb 2022 00:00:00 GMT',
    'Tue, 29 Feb 2023 00:00:00 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 0094 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    '1994-11-06T08:49:37Z',
    '06 Nov 1994',
    '0',
    '',
  ])('rejects %o', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });

  it('judges two-digit years by a given now: more than 50 years ahead is the past century', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', now)).toBe(nineties);
    expect(parseHttpDate('Friday, 01-Jan-76 00:00:00 GMT', now)).toBe(Date.UTC(2076, 0, 1));
    expect(parseHttpDate('Friday, 01-Jan-76 00:00:01 GMT', now)).toBe(Date.UTC(1976, 0, 1, 0, 0, 1));
    expect(parseHttpDate('Friday, 31-Dec-99 23:59:59 GMT', Date.UTC(1999, 0, 1))).toBe(
      Date.UTC(1999, 11, 31, 23, 59, 59),
    );
  });

  it('reads back what toUTCString wrote', () => {
    const seconds = fc.integer({ min: Date.UTC(1000, 0) / 1_000, max: Date.UTC(9999, 11, 31) / 1_000 });
    fc.assert(
      fc.property(seconds, (second) => {
        expect(parseHttpDate(new Date(second * 1_000).toUTCString())).toBe(second * 1_000);
      }),
    );
  });
});
