import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLiteralScanner } from './literal-scanner.ts';

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é'), maxLength: 40 });
const literals = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 12,
});

function naive(texts: readonly string[], line: string): string[] {
  const found: string[] = [];
  texts.forEach((text, index) => {
    for (let at = line.indexOf(text); at !== -1; at = line.indexOf(text, at + 1))
      found.push(`${index}@${at + text.length}`);
  });
  return found.sort();
}

test('finds every occurrence of every literal, as a plain search does', () => {
  fc.assert(
    fc.property(literals, letters, (texts, line) => {
      const found: string[] = [];
      createLiteralScanner(texts).scan(line, (literal, end) => found.push(`${literal}@${end}`));
      expect(found.sort()).toEqual(naive(texts, line));
    }),
  );
});

test('does not mind the case, and reads curly quotes as straight ones', () => {
  const found: number[] = [];
  createLiteralScanner(["can't connect"]).scan('I CAN’T Connect', (_literal, end) => found.push(end));
  expect(found).toEqual([15]);
});
