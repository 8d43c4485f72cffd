import { expect, test } from 'vitest';
import { patternOf } from './repeats.ts';

const marks = (text: string) => [...text].map((mark) => mark === '·');

test('stretches are a restart, alternation is chance', () => {
  expect(patternOf(marks('···············'))).toBe('stays-good');
  expect(patternOf(marks('×××××××××××××××'))).toBe('stays-bad');
  expect(patternOf(marks('×××············'))).toBe('is-back');
  expect(patternOf(marks('····××××····×××'))).toBe('comes-and-goes');
  expect(patternOf(marks('·×·×··×·×·×··×·'))).toBe('at-random');
  expect(patternOf(marks('······×········'))).toBe('at-random');
});
