import { expect, it } from 'vitest';
import { ownTarget } from './absolute-form.ts';

const origins = [
  { prefix: '/apt', preset: { mount: '' }, roots: ['http://deb.example.com/debian'] },
  { prefix: '/pypi', preset: { mount: '/simple' }, roots: ['http://index.example.com:8080/simple'] },
];

it.each([
  ['http://deb.example.com/debian/dists/x/InRelease?a=b', '/apt/dists/x/InRelease?a=b'],
  ['http://deb.example.com:80/debian/pool/a%2bb.deb', '/apt/pool/a%2bb.deb'],
  ['HTTP://DEB.example.com/debian/x', '/apt/x'],
  ['http://index.example.com:8080/simple/foo/', '/pypi/simple/foo/'],
])('%s is %s of the mirror', (target, own) => {
  expect(ownTarget(target, origins)).toBe(own);
});

it.each([
  'http://deb.example.com/debian-security/x',
  'http://other.example.com/debian/x',
  'https://deb.example.com/debian/x',
  'http://deb.example.com/debian/../secret',
  'http://user@deb.example.com.evil/debian/x',
  '/apt/x',
  '*',
])('%s stays what it is', (target) => {
  expect(ownTarget(target, origins)).toBe(target);
});
