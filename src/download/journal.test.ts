import { expect, test } from 'vitest';
import { describeRepresentation } from '../core/index.ts';
import { formatJournal, type Journal, parseJournal } from './journal.ts';

const journal: Journal = {
  urlSha256: 'ab',
  durableBytes: 12,
  representation: describeRepresentation(200, { etag: '"a"', contentLength: '20' })!,
  serverDigest: { algorithm: 'sha256', hex: 'cd' },
};

test('a journal that was written is read as it was', () => {
  expect(parseJournal(formatJournal(journal))).toEqual(journal);
  const bare: Journal = { ...journal, representation: describeRepresentation(200, {})!, serverDigest: undefined };
  expect(parseJournal(formatJournal(bare))).toEqual(bare);
});

test('every beginning of a journal but the whole is refused', () => {
  const text = formatJournal(journal).trimEnd();
  for (let length = 0; length < text.length; length += 1) expect(parseJournal(text.slice(0, length))).toBeUndefined();
});

test('a journal with a wrong field is as if there were none', () => {
  const wrong: readonly object[] = [
    { version: 2 },
    { durableBytes: -1 },
    { durableBytes: 1.5 },
    { durableBytes: '12' },
    { urlSha256: 1 },
    { representation: null },
    { representation: { ...journal.representation, startByte: 5 } },
    { representation: { ...journal.representation, totalBytes: 'x' } },
    { representation: { ...journal.representation, validator: 7 } },
    { serverDigest: { algorithm: 'crc', hex: '00' } },
  ];
  for (const change of wrong) {
    const text = JSON.stringify({ ...(JSON.parse(formatJournal(journal)) as object), ...change });
    expect(parseJournal(text), text).toBeUndefined();
  }
});

test('what is no object is refused', () => {
  for (const text of ['null', '1', '"x"', '[]', 'true']) expect(parseJournal(text)).toBeUndefined();
});
