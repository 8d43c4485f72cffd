/**
 * A wrong header was `invalid header key`, a wrong method `method.toUpperCase is not a function`, no URL at all `Cannot
 * read properties of undefined`, a body that is a plain object `source[Symbol.asyncIterator] is not a function`. A bare
 * `%` in the password of a URL, or of HTTP_PROXY, was `URI malformed`; and a login in a URL for `fetch` came back in clear
 * in the platform's message.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigError } from '../../src/core/index.ts';
import { wrapFetch } from '../../src/fetch/index.ts';
import { createClient } from '../../src/http/index.ts';

const client = createClient();
const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  seen.push({ headers: request.headers, body });
  response.end('ok');
});
let origin = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await client.close();
  await new Promise((resolve) => server.close(resolve));
});

const wrong: readonly (readonly [what: string, options: unknown, message: string])[] = [
  [
    'the name of a header',
    { headers: { 'a b': 'c' } },
    'headers must have names of letters, digits and hyphens: received "a b"',
  ],
  [
    'the value of a header',
    { headers: { a: 'secret\r\nb: c' } },
    'headers must have values of one line of Latin-1: a has other characters',
  ],
  ['a method of two words', { method: 'BA D' }, 'method must be one word such as GET: received "BA D"'],
  ['a method that is no text', { method: 5 }, 'method must be text such as GET: received 5'],
  ['no options at all', null, 'options must be an object: received null'],
];

test.each(wrong)('%s is named, and nothing is sent', async (_what, options, message) => {
  const before = seen.length;
  for (const send of [client.request, client.bytes.bind(client)]) {
    const error = await send(origin, options as object).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe(`Cannot send the request as ${message}`);
  }
  expect(seen.length).toBe(before);
});

test('a word for redirects that nobody knows, and a body of no kind, are named', async () => {
  await expect(client.request(origin, { redirect: 'error' as never })).rejects.toThrow(
    'Cannot send the request as redirect must be follow or manual: received "error"',
  );
  for (const body of [{ a: 1 }, 5]) {
    const sent = client.request(origin, { method: 'POST', body: body as never });
    await expect(sent).rejects.toThrow(/^Cannot send the request as body must be text, bytes, a form/);
  }
});

test.each([undefined, null, 5, {}])('%s is no URL', async (url) => {
  for (const send of [client.request, client.bytes.bind(client)])
    await expect(send(url as never)).rejects.toThrow(/^Cannot send the request as url must be an absolute http/);
});

test('a password with a bare % is sent as it is', async () => {
  const { body } = await client.request(origin.replace('//', '//me:100%@'));
  await body.text();
  expect(seen.at(-1)?.headers.authorization).toBe(`Basic ${Buffer.from('me:100%').toString('base64')}`);
  expect(() => createClient({ proxy: 'http://me:100%@127.0.0.1:1' })).not.toThrow();
});

test.each(['string', 'URL'])(
  'a login in the URL of a fetch, given as a %s, is refused without telling it',
  async (kind) => {
    const text = origin.replace('//', '//me:hunter2@');
    const error = await client.fetch(kind === 'URL' ? new URL(text) : text).catch((reason) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('must hold no login in fetch');
    expect(`${error.stack} ${error.cause}`).not.toContain('hunter2');
  },
);

test.each([
  [5, '5'],
  [{ a: 1 }, '[object Object]'],
])('under fetch a body of no kind is its text, as the platform has it: %o', async (body, text) => {
  await (await client.fetch(origin, { method: 'POST', body: body as never })).text();
  expect(seen.at(-1)?.body).toBe(text);
});

test('wrapFetch wraps nothing but a function', () => {
  expect(() => wrapFetch(5 as never)).toThrow('Cannot wrap a fetch as it must be a function: received 5');
});
