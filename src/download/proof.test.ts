import { expect, test } from 'vitest';
import { type EndFacts, freshMemory, judgeEnd } from './proof.ts';

const expected = { algorithm: 'sha256', hex: 'aa', from: 'caller' } as const;
const facts: EndFacts = { bytes: 10, integrity: 'length', expected: undefined, actualHex: 'aa', memory: freshMemory };

test('without a digest the end is as proven as the transport says', () => {
  for (const integrity of ['length', 'framing', 'unverifiable'] as const) {
    expect(judgeEnd({ ...facts, integrity })).toMatchObject({ kind: 'proven', integrity });
  }
  expect(judgeEnd({ ...facts, integrity: undefined })).toMatchObject({ integrity: 'unverifiable' });
});

test('a digest that fits proves every end', () => {
  expect(judgeEnd({ ...facts, integrity: 'unverifiable', expected })).toMatchObject({
    kind: 'proven',
    integrity: 'digest',
  });
});

test('an empty body is believed when it is seen twice, or when a digest says so', () => {
  const first = judgeEnd({ ...facts, bytes: 0 });
  if (first.kind !== 'again') throw new Error('expected another attempt');
  expect(first.because).toBe('suspicious');
  expect(judgeEnd({ ...facts, bytes: 0, memory: first.memory })).toMatchObject({
    kind: 'proven',
    note: 'the file is empty: the server said so twice',
  });
  expect(judgeEnd({ ...facts, bytes: 0, expected })).toMatchObject({ kind: 'proven', integrity: 'digest' });
});

test('an empty body never disproves a digest, however often it is seen', () => {
  let { memory } = facts;
  for (let n = 0; n < 5; n += 1) {
    const verdict = judgeEnd({ ...facts, bytes: 0, actualHex: 'bb', expected, memory });
    if (verdict.kind !== 'again') throw new Error('expected another attempt');
    memory = verdict.memory;
  }
});

test('a wrong digest at a proven length is one refetch, then wrong', () => {
  const first = judgeEnd({ ...facts, actualHex: 'bb', expected });
  if (first.kind !== 'again') throw new Error('expected another attempt');
  expect(first.because).toBe('digest-mismatch');
  const second = judgeEnd({ ...facts, actualHex: 'cc', expected, memory: first.memory });
  expect(second).toEqual({ kind: 'wrong', what: 'expected sha256 aa, got cc in 10 bytes' });
});

test('a wrong digest at an unproven length is a cut, until the same bytes come twice', () => {
  let { memory } = facts;
  for (const actualHex of ['b1', 'b2', 'b3']) {
    const verdict = judgeEnd({ ...facts, integrity: 'unverifiable', actualHex, expected, memory });
    if (verdict.kind !== 'again') throw new Error('expected another attempt');
    expect(verdict.because).toBe('truncated');
    memory = verdict.memory;
  }
  expect(judgeEnd({ ...facts, integrity: 'unverifiable', actualHex: 'b2', expected, memory }).kind).toBe('wrong');
});
