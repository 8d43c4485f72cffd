import { expect, test } from 'vitest';
import { findLogin } from './netrc.ts';

const text = `
# machine commented login a password b
machine one.example login me password "my secret"
machine two.example
  login you
  password p
  account x
macdef init
cd /pub
machine in.macro login m password m

default login anonymous password guest
`;

test('the login of a host is found in any layout, else the default', () => {
  expect(findLogin(text, 'one.example')).toBe('me:my secret');
  expect(findLogin(text, 'TWO.example')).toBe('you:p');
  expect(findLogin(text, 'other.example')).toBe('anonymous:guest');
  expect(findLogin(text, 'commented')).toBe('anonymous:guest');
  expect(findLogin(text, 'in.macro')).toBe('anonymous:guest');
});

test('without an entry, or with half of one, there is none', () => {
  expect(findLogin('machine a login b', 'a')).toBeUndefined();
  expect(findLogin('machine a login b password c', 'z')).toBeUndefined();
  expect(findLogin('', 'a')).toBeUndefined();
});
