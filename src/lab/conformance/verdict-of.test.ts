import { expect, test } from 'vitest';
import type { Expectation } from '../catalogue-entry.ts';
import { type Judgement, judge, type Left, leftOf, type ProcessEnd, type Verdict, verdictOf } from './verdict-of.ts';

const ends: Readonly<Record<string, ProcessEnd>> = {
  success: { kind: 'exited', code: 0 },
  failure: { kind: 'exited', code: 56 },
  crash: { kind: 'crashed', by: 'SIGSEGV' },
  'the time limit': { kind: 'timed-out' },
};

const verdicts: readonly (readonly [end: string, left: readonly Left[], verdict: Verdict])[] = [
  ['success', ['whole'], 'healed'],
  ['success', ['part', 'other', 'nothing'], 'corrupt'],
  ['failure', ['whole', 'part', 'other', 'nothing'], 'failed-safely'],
  ['crash', ['whole', 'part', 'other', 'nothing'], 'failed-safely'],
  ['the time limit', ['whole', 'part', 'other', 'nothing'], 'hung'],
];
for (const [end, lefts, verdict] of verdicts) {
  test(`${end} with ${lefts.join(' or ')} under the name is ${verdict}`, () => {
    for (const left of lefts) expect(verdictOf(ends[end]!, left)).toBe(verdict);
  });
}

const judgements: Readonly<Record<Verdict, Readonly<Record<Expectation, Judgement>>>> = {
  healed: { heals: 'right', either: 'right', fails: 'wrong' },
  'failed-safely': { heals: 'safe', either: 'right', fails: 'right' },
  hung: { heals: 'wrong', either: 'wrong', fails: 'wrong' },
  corrupt: { heals: 'wrong', either: 'wrong', fails: 'wrong' },
};
test('a lie or a wait without end is never right, and success is wrong where only refusal is right', () => {
  for (const [verdict, row] of Object.entries(judgements)) {
    for (const [expectation, judgement] of Object.entries(row)) {
      expect(judge(verdict as Verdict, expectation as Expectation), `${verdict} of ${expectation}`).toBe(judgement);
    }
  }
});

const first = Buffer.from('the first version');
const second = Buffer.from('the second');
const files: readonly (readonly [name: string, bytes: Buffer | undefined, left: Left])[] = [
  ['either version, whole', first, 'whole'],
  ['the other version, whole', second, 'whole'],
  ['the beginning of one', first.subarray(0, 9), 'part'],
  ['an empty file', Buffer.alloc(0), 'part'],
  ['a mixture of both', Buffer.from('the first vond'), 'other'],
  ['a version with more behind it', Buffer.concat([second, Buffer.from('!')]), 'other'],
  ['no file', undefined, 'nothing'],
];
for (const [name, bytes, left] of files) {
  test(`${name} is ${left}`, () => expect(leftOf(bytes, [first, second])).toBe(left));
}

test('an empty file is whole where the resource is empty', () => {
  expect(leftOf(Buffer.alloc(0), [Buffer.alloc(0)])).toBe('whole');
});
