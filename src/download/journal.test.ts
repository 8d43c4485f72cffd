import { expect, test } from 'vitest';
import { describeRepresentation } from '../core/index.ts';
import { formatClaim, formatPin, type Journal, parseJournal } from './journal.ts';

const journal: Journal = {
  urlSha256: 'ab',
  durable: [
    { from: 0, to: 12 },
    { from: 15, to: 20 },
  ],
  representation: describeRepresentation(200, { etag: '"a"', contentLength: '20' })!,
  serverDigest: { algorithm: 'sha256', hex: 'cd' },
};

const format = (one: Journal) => formatPin(one) + formatClaim(one.durable);
const read = (text: string) => parseJournal(text).journal;

test('a journal that was written is read as it was', () => {
  expect(read(format(journal))).toEqual(journal);
  const bare: Journal = { ...journal, representation: describeRepresentation(200, {})!, serverDigest: undefined };
  expect(read(format(bare))).toEqual(bare);
});

test('the last whole claim counts', () => {
  const text = format(journal) + formatClaim([{ from: 0, to: 20 }]);
  expect(read(text)!.durable).toEqual([{ from: 0, to: 20 }]);
});

test('a journal that was torn at any place is read as its last whole line', () => {
  const first = format(journal);
  const text = first + formatClaim([{ from: 0, to: 20 }]);
  for (let length = 0; length < text.length; length += 1) {
    const { journal: found, bytes } = parseJournal(text.slice(0, length));
    expect(found, String(length)).toEqual(length < first.length ? undefined : journal);
    expect(bytes).toBeLessThanOrEqual(length);
  }
});

test('nothing behind a damaged line is believed', () => {
  const first = format(journal);
  const second = formatClaim([{ from: 0, to: 20 }]);
  for (let at = 0; at < second.length; at += 1) {
    const damaged = `${second.slice(0, at)}\0${second.slice(at + 1)}`;
    expect(read(first + damaged + second), String(at)).toEqual(journal);
  }
});

test('a new pin is about the same bytes', () => {
  const weaker = { ...journal, representation: { ...journal.representation, validator: undefined } };
  expect(read(format(journal) + formatPin(weaker))).toEqual(weaker);
});

test('a journal with a wrong field is as if there were none', () => {
  const wrong: readonly (readonly [object, readonly (readonly [unknown, unknown])[]])[] = [
    [{ urlSha256: 1 }, [[0, 1]]],
    [{ representation: null }, [[0, 1]]],
    [{ representation: { ...journal.representation, startByte: 5 } }, [[0, 1]]],
    [{ representation: { ...journal.representation, totalBytes: 'x' } }, [[0, 1]]],
    [{ serverDigest: { algorithm: 'crc', hex: '00' } }, [[0, 1]]],
    [{}, [[-1, 1]]],
    [{}, [[2, 1]]],
    [{}, [[0, 1.5]]],
    [{}, [[0, '1']]],
    [
      {},
      [
        [0, 5],
        [4, 6],
      ],
    ],
  ];
  for (const [change, ranges] of wrong) {
    const durable = ranges.map(([from, to]) => ({ from, to })) as unknown as Journal['durable'];
    const text = format({ ...journal, ...change, durable } as Journal);
    expect(read(text), text).toBeUndefined();
  }
});

test('what is no journal is none', () => {
  for (const text of ['', '\n', 'null\n', '{"version":1,"durableBytes":5}\n', `${'0'.repeat(16)} {}\n`])
    expect(read(text)).toBeUndefined();
});
