/** Proxies, redirects, TLS and credentials. */
import { describe, expect, test } from 'vitest';
import { createClient, ledgerOf } from '../../src/http/index.ts';
import { createProxyRules } from '../../src/http/proxy-rules.ts';
import { startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from './ways.ts';

const small = { sizeBytes: 200_000 };

describe('a proxy', () => {
  test('carries plain requests in absolute form, and bodies heal through it', async () => {
    await using lab = await startLab();
    const proxy = await lab.proxy();
    await using client = createClient({ ...quick, proxy: proxy.url });
    const run = lab.play({
      name: 'through',
      resource: small,
      requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: 100_000 } }],
    });
    expect(sha256(await client.bytes(run.url))).toBe(run.sha256);
    expect(run.requestCount).toBe(2);
  });

  test('carries TLS in tunnels, with its login', async () => {
    await using lab = await startLab({ tls: true });
    const proxy = await lab.proxy({ credentials: 'user:secret' } as never);
    const url = new URL(proxy.url);
    url.username = 'user';
    url.password = 'secret';
    await using client = createClient({ ...quick, proxy: url.href, tls: { ca: lab.ca } });
    const run = lab.play({ name: 'tunnelled', resource: small });
    expect(sha256(await client.bytes(run.url))).toBe(run.sha256);
  });

  test('that wants a login is permanent, and the message is not the origin’s', async () => {
    await using lab = await startLab({ tls: true });
    const proxy = await lab.proxy({ credentials: 'user:secret' } as never);
    await using client = createClient({ ...quick, proxy: proxy.url, tls: { ca: lab.ca } });
    const run = lab.play({ name: 'tunnelled', resource: small });
    await expect(client.request(run.url)).rejects.toMatchObject({
      reason: 'permanent',
      failure: { origin: 'proxy', kind: 'proxy-auth', status: 407 },
    });
  });

  test('that answers CONNECT with 503 is tried again', async () => {
    await using lab = await startLab({ tls: true });
    const proxy = await lab.proxy({ rules: [{ on: { to: 2 }, do: { kind: 'status', status: 503 } }] } as never);
    await using client = createClient({ ...quick, proxy: proxy.url, tls: { ca: lab.ca } });
    const run = lab.play({ name: 'tunnelled', resource: small });
    const { body, ledger } = await client.request(run.url);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(run.sha256);
    expect(ledger.attemptCount).toBe(3);
  });

  test('that limits tunnels like squid is throttling while others are open: all end well', async () => {
    await using lab = await startLab({ tls: true });
    const proxy = await lab.proxy({ maxTunnels: 2 } as never);
    await using client = createClient({
      ...quick,
      proxy: proxy.url,
      tls: { ca: lab.ca },
      connections: { maxIdleMs: 1 },
    });
    const run = lab.play({ name: 'tunnelled', resource: small });
    const bodies = await Promise.all(Array.from({ length: 6 }, () => client.bytes(run.url)));
    expect(bodies.every((body) => sha256(body) === run.sha256)).toBe(true);
  });

  test('a 403 with no tunnel open is permanent', async () => {
    await using lab = await startLab({ tls: true });
    const proxy = await lab.proxy({ rules: [{ on: 'every', do: { kind: 'status', status: 403 } }] } as never);
    await using client = createClient({ ...quick, proxy: proxy.url, tls: { ca: lab.ca } });
    const run = lab.play({ name: 'tunnelled', resource: small });
    await expect(client.request(run.url)).rejects.toMatchObject({
      reason: 'permanent',
      failure: { kind: 'proxy-refused' },
    });
  });
});

describe('NO_PROXY', () => {
  const rules = createProxyRules(undefined, {
    HTTP_PROXY: 'http://proxy:3128',
    https_proxy: 'proxy2:3129',
    NO_PROXY: '.internal.example, 10.0.0.0/8 [::1]:8080, exact.example:8443',
  });
  const rows: readonly (readonly [url: string, proxy: string | undefined])[] = [
    ['http://example.com/', 'http://proxy:3128'],
    ['https://example.com/', 'http://proxy2:3129'],
    ['http://a.internal.example/', undefined],
    ['http://internal.example/', undefined],
    ['http://notinternal.example/', 'http://proxy:3128'],
    ['http://10.1.2.3/', undefined],
    ['http://11.1.2.3/', 'http://proxy:3128'],
    ['http://[::1]:8080/', undefined],
    ['http://[::1]:8081/', 'http://proxy:3128'],
    ['https://exact.example:8443/', undefined],
    ['https://exact.example/', 'http://proxy2:3129'],
  ];
  for (const [url, proxy] of rows) {
    test(`${url} goes ${proxy === undefined ? 'directly' : `through ${proxy}`}`, () => {
      expect(rules(new URL(url))?.url.origin).toBe(proxy);
    });
  }

  test('in a CGI process HTTP_PROXY may be a stranger’s header, and is not used', () => {
    const cgi = createProxyRules(undefined, { HTTP_PROXY: 'http://evil:1', REQUEST_METHOD: 'GET' });
    expect(cgi(new URL('http://example.com/'))).toBeUndefined();
  });
});

describe('a redirect', () => {
  test('costs no attempt, and is a hop of the same ledger', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({
      name: 'moved',
      resource: small,
      requests: [{ on: 1, do: { kind: 'redirect', status: 302, to: 'self' } as never }],
    });
    for (const way of ['fetch', 'request'] as const) {
      const fresh = lab.play(run.scenario);
      const ledger =
        way === 'fetch'
          ? await client.fetch(fresh.url).then(async (response) => {
              await response.arrayBuffer();
              return ledgerOf(response)!;
            })
          : await client.request(fresh.url).then(async ({ body, ledger }) => {
              await body.arrayBuffer();
              return ledger;
            });
      expect(ledger).toMatchObject({ attemptCount: 1, hopCount: 2, outcome: 'complete' });
      expect(fresh.requestCount).toBe(2);
    }
  });

  test('to another origin drops credentials', async () => {
    await using lab = await startLab();
    await using other = await startLab();
    await using client = createClient(quick);
    const target = other.play({ name: 'target', resource: small });
    const run = lab.play({
      name: 'away',
      requests: [{ on: 'every', do: { kind: 'redirect', status: 307, to: target.url } as never }],
    });
    const headers = { authorization: 'Bearer secret', cookie: 'a=b', 'x-api-key': 'k', 'x-other': 'kept' };
    const { body } = await client.request(run.url, { headers });
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(target.sha256);
    expect(run.record.requests[0]!.headers.authorization).toBe('Bearer secret');
    const arrived = target.record.requests[0]!.headers;
    const crossed = [arrived.authorization, arrived.cookie, arrived['x-api-key'], arrived['x-other']];
    expect(crossed).toEqual([undefined, undefined, undefined, 'kept']);
  });

  test('a resume starts from the original URL', async () => {
    await using lab = await startLab();
    await using other = await startLab();
    await using client = createClient(quick);
    const target = other.play({
      name: 'target',
      resource: small,
      requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 90_000 } }],
    });
    const run = lab.play({
      name: 'away',
      requests: [{ on: 'every', do: { kind: 'redirect', status: 302, to: target.url } as never }],
    });
    const response = await client.fetch(run.url);
    expect(sha256(new Uint8Array(await response.arrayBuffer()))).toBe(target.sha256);
    expect([run.requestCount, target.requestCount]).toEqual([2, 2]);
    expect(response.url).toBe(target.url);
  });
});

test('user and password in a URL become a header, and never a message', async () => {
  await using lab = await startLab();
  await using client = createClient(quick);
  const run = lab.play({ name: 'login', requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'request' } }] });
  const url = new URL(run.url);
  url.username = 'user';
  url.password = 'hunter2';
  url.searchParams.set('access_token', 'tok-123');
  const error = (await client.request(url).catch((reason: unknown) => reason)) as Error;
  expect(run.record.requests[0]!.headers.authorization).toBe(`Basic ${btoa('user:hunter2')}`);
  const printed = `${error.message}${JSON.stringify(ledgerOf(error))}`;
  expect(printed).not.toMatch(/hunter2|tok-123/);
});

test('HTTP/1.1 over TLS with a private authority', async () => {
  await using lab = await startLab({ tls: true });
  await using client = createClient({ ...quick, tls: { ca: lab.ca } });
  const run = lab.play({
    name: 'tls',
    resource: small,
    requests: [{ on: 1, do: { kind: 'cut', by: 'bare-fin', at: 'body', atByte: 1_000 } }],
  });
  expect(sha256(await client.bytes(run.url))).toBe(run.sha256);
});

test('an unknown issuer is permanent, and the message names it and the way out', async () => {
  await using lab = await startLab({ tls: true });
  await using client = createClient(quick);
  const run = lab.play({ name: 'tls', resource: small });
  const error = (await client.request(run.url).catch((reason: unknown) => reason)) as Error;
  expect(error).toMatchObject({ reason: 'permanent' });
  expect(error.message).toContain('reknit lab test authority');
  expect(error.message).toContain('--cacert');
});
