import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LedgerBook, redactUrl } from '../../src/core/index.ts';

test('however long a request, its ledger keeps both ends and counts all', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 0, max: 3 }), (attempts, hopsEach) => {
      const book = new LedgerBook('GET', 'http://host/', 0, redactUrl);
      for (let i = 0; i < attempts; i += 1) {
        const attempt = book.beginAttempt(i);
        for (let hop = 0; hop < hopsEach; hop += 1) book.addHop(attempt, 'http://host/', i, undefined);
      }
      const numbers = book.attempts.map(({ attemptNumber }) => attemptNumber);
      expect(book.attemptCount).toBe(attempts);
      expect(book.hopCount).toBe(attempts * hopsEach);
      expect(numbers).toHaveLength(Math.min(attempts, 512));
      expect(numbers[0]).toBe(1);
      expect(numbers.at(-1)).toBe(attempts);
      expect(numbers).toEqual(numbers.toSorted((left, right) => left - right));
    }),
    { numRuns: 60 },
  );
});

test('a ledger ends once, and shows no login', () => {
  const book = new LedgerBook('GET', 'http://me:secret@host/?token=abc', 0, redactUrl);
  book.addHop(book.beginAttempt(1), 'http://me:secret@host/?token=abc', 1, undefined);
  book.end('failed', 5);
  book.end('complete', 9);
  expect(book.outcome).toBe('failed');
  expect(book.endedAtMs).toBe(5);
  expect(JSON.stringify(book)).not.toMatch(/secret|abc/);
});
