import { expect, test } from 'vitest';
import { checkName, decodeName } from './entry-path.ts';
import { defaultLimits } from './limits.ts';

const check = (name: string, platform: NodeJS.Platform = 'linux') => checkName(name, defaultLimits, platform);

test('empty parts and dots are no folders', () => {
  expect(check('./a//b/./c/')).toEqual({ kind: 'path', parts: ['a', 'b', 'c'] });
  expect(check('./')).toEqual({ kind: 'path', parts: [] });
  expect(check('..a/b..')).toEqual({ kind: 'path', parts: ['..a', 'b..'] });
});

test('what Windows gives another meaning is refused there, and nowhere else', () => {
  for (const name of ['con', 'a/NUL.txt', 'com1', 'file:stream', 'a*', 'a.', 'a /b', 'line\nbreak']) {
    expect(check(name, 'win32')).toMatchObject({ kind: 'refused', trouble: 'unsafe' });
    expect(check(name)).toMatchObject({ kind: 'path' });
  }
  expect(check('console/a.b', 'win32')).toMatchObject({ kind: 'path' });
});

test('bytes that are not UTF-8 are no name', () => {
  expect(decodeName(Buffer.from('é✓'))).toBe('é✓');
  expect(decodeName(Buffer.from([0xc3]))).toBeUndefined();
  // As overlong as an old trick for `/`.
  expect(decodeName(Buffer.from([0xc0, 0xaf]))).toBeUndefined();
});
