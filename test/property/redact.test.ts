import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactUrl } from '../../src/core/index.ts';

const secret = 'Hunter2Secret';
/** Every form in which WHATWG's parser takes a login; checked against it below. */
const login = fc.record({
  scheme: fc.constantFrom('http:', 'https:', 'HTTPS:'),
  slashes: fc.constantFrom('//', '/', '', '\\\\', '///'),
  user: fc.constantFrom('', 'me', 'a@b', 'a:b'),
  password: fc.constantFrom(secret, `${secret}@x`, `a@${secret}`, `:${secret}:`, `%40${secret}`),
  rest: fc.constantFrom('host/path', 'host', 'host:81/a@b?c=d', 'host?x=@', 'host#@'),
});

test('no form of a login in a URL is shown', () => {
  fc.assert(
    fc.property(
      login,
      fc.constantFrom('', 'failed: ', '"', '('),
      ({ scheme, slashes, user, password, rest }, before) => {
        const url = `${scheme}${slashes}${user}:${password}@${rest}`;
        fc.pre(URL.canParse(url) && new URL(url).password !== '');
        expect(redactUrl(before + url)).not.toContain(secret);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('no secret parameter is shown, wherever it stands', () => {
  const name = fc.constantFrom(
    'token',
    'access_token',
    'X-Amz-Signature',
    'X-Amz-Credential',
    'sig',
    'api_key',
    'apikey',
    'access_key',
    'password',
    'client_secret',
    'code',
    'jwt',
    'X-Goog-Signature',
    'auth',
    'Authorization',
    'session_id',
    'subscription-key',
    'PASSWD',
  );
  fc.assert(
    fc.property(
      name,
      fc.constantFrom('?', '?a=b&', '#', '?a=b#', '?a=;'),
      fc.constantFrom('', '&z=1', '#top', ' and more'),
      (key, lead, tail) => {
        const shown = redactUrl(`https://host/path${lead}${key}=${secret}${tail}`);
        expect(shown).not.toContain(secret);
        expect(shown).toContain('https://host/path');
      },
    ),
  );
});

test('what holds no secret is left as it is', () => {
  for (const url of [
    'https://host/a/b.tar.gz?version=2&page=3',
    'http://[::1]:80/@scope/name',
    'https://host/a@b',
    'plain text, mail me@host',
  ]) {
    expect(redactUrl(url)).toBe(url);
  }
});
