import { expect, test } from 'vitest';
import { fileNameOf } from './file-name.ts';

const name = (path: string) => fileNameOf(new URL(path, 'http://host/')).name;

test('the name is the last segment of the path, decoded', () => {
  expect(name('/a/b/file.iso?x=/y/z#/q')).toBe('file.iso');
  expect(name('/a%20b%C3%A9.txt')).toBe('a bé.txt');
  expect(name('/100%')).toBe('100%');
});

test('a name never leaves its folder', () => {
  for (const path of ['/..%2f..%2fetc%2fpasswd', '/..%5c..%5cboot.ini', '/a%00b', '/c:%5cx', '/%2e%2e%2f']) {
    expect(name(path)).not.toMatch(/[/\\\0:]/);
    expect(name(path)).not.toMatch(/^\.{1,2}$/);
  }
});

test('characters that deceive or that no terminal should get are replaced', () => {
  expect(name('/a%0ab%1b[2J%C2%9Bc')).toBe('a_b_[2J_c');
  expect(name('/gpj.%E2%80%AEexe')).toBe('gpj._exe');
});

test('without a usable name it is `download`', () => {
  for (const path of ['/', '/a/', '/%2e', '/..%20', '/...', '/CON', '/nul.txt', '/%20']) {
    expect(fileNameOf(new URL(path, 'http://host/'))).toEqual({ name: 'download', isFromUrl: false });
  }
});

test('a name that file systems refuse is cut between characters', () => {
  const long = name(`/${encodeURIComponent('é'.repeat(300))}`);
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(240);
  expect(long).toMatch(/^é+$/);
});
