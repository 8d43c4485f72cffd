/** What a gateway must not let through: other people's credentials, two requests in one, clients that never end. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { openGate, upstream } from './gate.ts';

/** All that comes back on one connection for these bytes, until the gateway ends it. */
function raw(url: string, bytes: string, options: { readonly thenEnd?: boolean } = {}): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => {
      socket.destroy();
      resolve(text);
    });
    socket.write(bytes);
    if (options.thenEnd) socket.end();
  });
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

test('requests that two servers could read differently are refused, and no upstream sees them', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'well' }, { port: 'own' });
  await using gate = await openGate({ upstreams: [upstream('well', run)] });
  const refused = [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX: a\n b: c\r\n\r\n',
    'GET / HTTP/1.1\nHost: a\n\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET /a/../b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n',
    'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'GET / HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n',
    'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
  ];
  for (const bytes of refused) {
    const status = statusOf(await raw(gate.url, bytes));
    const wanted = bytes.startsWith('CONNECT') ? 405 : bytes.includes('HTTP/2.0') ? 505 : 400;
    expect([bytes, status]).toEqual([bytes, wanted]);
  }
  expect(run.requestCount).toBe(0);
});

test('headers that are too large are answered 431, too many connections 503', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'well' }, { port: 'own' });
  await using gate = await openGate({
    upstreams: [upstream('well', run)],
    limits: { headerBytes: '4KiB', connections: 1 },
  });
  const large = await raw(gate.url, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(8_000)}\r\n\r\n`);
  expect([statusOf(large), large]).toEqual([431, expect.stringContaining('headers-too-large')]);
  const { hostname, port } = new URL(gate.url);
  const first = connect({ host: hostname, port: Number(port) });
  await new Promise((resolve) => first.once('connect', resolve));
  // Accepted before the second one, which comes later to the same queue.
  const second = await raw(gate.url, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect([statusOf(second), second]).toEqual([503, expect.stringContaining('too-many-connections')]);
  first.destroy();
  expect(run.requestCount).toBe(0);
});

test('a client that never ends its headers or its body is told so in the time it has', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'well' }, { port: 'own' });
  await using gate = await openGate({
    upstreams: [upstream('well', run)],
    limits: { headersTimeout: '300ms', requestTimeout: '600ms' },
  });
  expect(statusOf(await raw(gate.url, 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: '))).toBe(408);
  expect(statusOf(await raw(gate.url, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfive.'))).toBe(408);
  expect(run.requestCount).toBe(0);
});

test('no credential of one upstream reaches another, the log, the metrics or an error', async () => {
  await using lab = await startLab();
  const bad = lab.play(
    { name: 'bad', requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] },
    { port: 'own' },
  );
  const plain = lab.play(
    { name: 'plain', requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] },
    { port: 'own' },
  );
  process.env.REKNIT_TEST_KEY = 'secret-of-bad';
  const { origin, searchParams } = new URL(plain.url);
  await using gate = await openGate({
    upstreams: [
      upstream('bad', bad, { credential: { env: 'REKNIT_TEST_KEY' }, headers: { 'x-own': 'only-for-bad' } }),
      { name: 'plain', url: `${origin.replace('//', '//user:secret-of-plain@')}/?${searchParams}` },
    ],
  });
  delete process.env.REKNIT_TEST_KEY;
  const headers = { 'x-api-key': 'secret-of-client', 'x-reknit-attempts': '9', cookie: 'session' };
  const answer = await fetch(`${gate.url}/x?api_key=secret-in-query`, { headers });
  const text = `${await answer.text()}${JSON.stringify([...answer.headers])}${await gate.gateway.metrics()}`;
  const seenBy = (run: typeof bad) => JSON.stringify(run.record.requests.map((request) => request.rawHeaders));
  expect(seenBy(bad)).toContain('Bearer secret-of-bad');
  expect(seenBy(bad)).not.toMatch(/secret-of-plain|secret-of-client|x-reknit/);
  expect(seenBy(plain)).toContain(Buffer.from('user:secret-of-plain').toString('base64'));
  expect(seenBy(plain)).not.toMatch(/secret-of-bad|only-for-bad|secret-of-client/);
  expect(text).not.toMatch(/secret-/);
  expect(JSON.stringify([gate.gateway.status(), await gate.log()])).not.toMatch(/secret-/);
});

test('fields of one connection stop at the gateway, in both directions', async () => {
  await using lab = await startLab();
  const run = lab.play(
    {
      name: 'well',
      resource: {
        headers: {
          'keep-alive': 'timeout=9',
          'proxy-authenticate': 'x',
          connection: 'x-hop',
          'x-hop': 'y',
          'x-kept': 'z',
        },
      },
    },
    { port: 'own' },
  );
  await using gate = await openGate({ upstreams: [upstream('well', run)] });
  const answer = await raw(
    gate.url,
    'GET / HTTP/1.1\r\nHost: a:80\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\nUpgrade: h2c\r\nProxy-Authorization: Basic x\r\nX-Kept: 1\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n',
  );
  expect(statusOf(answer)).toBe(200);
  const head = answer.split('\r\n\r\n')[0]!.toLowerCase();
  expect(head).toContain('x-kept: z');
  expect(head).not.toMatch(/x-hop|proxy-authenticate|timeout=9/);
  const { headers } = run.record.requests[0]!;
  expect(headers).toMatchObject({
    'x-kept': '1',
    'x-forwarded-for': '10.0.0.1, 127.0.0.1',
    'x-forwarded-host': 'a:80',
  });
  for (const name of ['x-mine', 'te', 'upgrade', 'proxy-authorization']) expect(headers).not.toHaveProperty(name);
});
