import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePushback } from './pushback.ts';

const now = Date.UTC(2026, 5, 1, 12);
const inOneMinute = 'Mon, 01 Jun 2026 12:01:00 GMT';

describe('parsePushback', () => {
  it.each<[string, number | undefined]>([
    ['120', 120_000],
    [' 120 ', 120_000],
    ['0', 0],
    ['-5', 0],
    ['+5', 5_000],
    ['1.5', 1_500],
    ['1.1', 1_100],
    ['0.0001', 1],
    ['3, 7', 7_000],
    ['99999999999999999999', Number.MAX_SAFE_INTEGER],
    ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
    [inOneMinute, 60_000],
    ['Mon, 01 Jun 2026 11:00:00 GMT', 0],
    ['', undefined],
    ['soon', undefined],
    ['1e3', undefined],
    ['Infinity', undefined],
    ['NaN', undefined],
    ['0x10', undefined],
    ['3, soon', undefined],
    ['Mon, 32 Jun 2026 11:00:00 GMT', undefined],
  ])('Retry-After: %s is %s ms', (retryAfter, expectedMs) => {
    expect(parsePushback({ retryAfter }, now)).toBe(expectedMs);
  });

  it('measures a date from the response’s own Date, so that a wrong clock does not matter', () => {
    const date = 'Mon, 01 Jun 2026 12:00:50 GMT';
    expect(parsePushback({ retryAfter: inOneMinute, date }, now)).toBe(10_000);
    expect(parsePushback({ retryAfter: inOneMinute, date }, 0)).toBe(10_000);
    expect(parsePushback({ retryAfter: inOneMinute, date: 'yesterday' }, now)).toBe(60_000);
  });

  it('prefers retry-after-ms, if it can be read', () => {
    expect(parsePushback({ retryAfterMs: '250', retryAfter: '1' }, now)).toBe(250);
    expect(parsePushback({ retryAfterMs: 'x', retryAfter: '1' }, now)).toBe(1_000);
  });

  it('reads a rate limit’s reset only if nothing remains', () => {
    expect(parsePushback({ rateLimitReset: '30', rateLimitRemaining: '0' }, now)).toBe(30_000);
    expect(parsePushback({ rateLimitReset: '30', rateLimitRemaining: '4' }, now)).toBeUndefined();
    expect(parsePushback({ rateLimitReset: '30' }, now)).toBeUndefined();
    expect(parsePushback({ rateLimitReset: String(now / 1_000 + 5), rateLimitRemaining: '0' }, now)).toBe(5_000);
  });

  it('asks for nothing where nothing was asked', () => {
    expect(parsePushback({}, now)).toBeUndefined();
  });

  it('is a whole number from 0 up, or undefined, whatever a server writes', () => {
    const text = fc.option(
      fc.oneof(
        fc.string(),
        fc.double().map(String),
        fc.bigInt().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      ),
      { nil: undefined },
    );
    const fields = fc.record({
      retryAfter: text,
      retryAfterMs: text,
      date: text,
      rateLimitReset: text,
      rateLimitRemaining: text,
    });
    fc.assert(
      fc.property(fields, fc.integer({ min: 0, max: 4e12 }), (given, nowWallMs) => {
        const pushbackMs = parsePushback(given, nowWallMs);
        if (pushbackMs === undefined) return;
        expect(Number.isSafeInteger(pushbackMs)).toBe(true);
        expect(pushbackMs).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1_000 },
    );
  });
});
