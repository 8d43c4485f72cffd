import { expect, test } from 'vitest';
import { TreeModel } from './tree-model.ts';

function modelOf(links: Readonly<Record<string, string>>): TreeModel {
  const model = new TreeModel();
  for (const [path, to] of Object.entries(links)) model.add(path, { kind: 'symlink', to });
  return model;
}

test('a link stays inside as the file system would walk it', () => {
  const model = modelOf({ 'a/up': '..', 'a/b/top': '../..', self: 'self', deep: 'a/b/top/a/up/x' });
  expect(model.doesEscape('l', 'a/up/a/up')).toBe(false);
  expect(model.doesEscape('l', 'deep')).toBe(false);
  expect(model.doesEscape('l', 'deep/../..')).toBe(true);
  expect(model.doesEscape('l', 'a/up/..')).toBe(true);
  expect(model.doesEscape('l', 'a/b/top/../x')).toBe(true);
  expect(model.doesEscape('x/y/l', '../../a')).toBe(false);
  expect(model.doesEscape('x/y/l', '../../../a')).toBe(true);
});

test('a circle of links ends, and leads nowhere', () => {
  expect(modelOf({ a: 'b', b: 'a', c: 'c/c' }).doesEscape('l', 'a/x')).toBe(false);
  expect(modelOf({ c: 'c/c' }).doesEscape('l', 'c')).toBe(false);
});

test('names that one disk tells apart and another does not are told', () => {
  const model = new TreeModel();
  model.add('caf\u00e9', { kind: 'file' });
  expect(model.add('CAFE\u0301', { kind: 'file' })).toEqual({ kind: 'ok', sameFolded: 'caf\u00e9' });
  expect(model.add('cafe', { kind: 'file' })).toEqual({ kind: 'ok', sameFolded: undefined });
});
