/** Any HTTP through the gateway, over real sockets: the lab's counts are compared with header, log, metric and error. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { type Scenario, startLab } from '../../src/lab/index.ts';
import { openGate, readAll, upstream } from './gate.ts';

const resource = { sizeBytes: 300_000 };

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function get(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: Buffer.from(bytes).toString() };
}

test('a GET whose body is cut twice heals, and the client notices nothing', async () => {
  await using lab = await startLab();
  const cut = { kind: 'cut', by: 'rst', at: 'body', atByte: 100_000 } as const;
  const run = lab.play({ name: 'cut', resource, requests: [{ on: [1, 2], do: cut }] }, { port: 'own' });
  await using gate = await openGate({ upstreams: [upstream('only', run)] });
  const { status, bytes } = await get(`${gate.url}/file`);
  expect([status, sha256(bytes)]).toEqual([200, run.sha256]);
  expect(await gate.metric('attempts_total')).toBe(run.requestCount);
  expect((await gate.log()).at(-1)).toMatchObject({ outcome: 'complete', attempts: run.requestCount, bytes: 300_000 });
});

test('a body that nobody can continue is cut off at the client, too: never an end', async () => {
  for (const framing of ['length', 'chunked'] as const) {
    await using lab = await startLab();
    const cut = { kind: 'cut', by: 'rst', at: 'body', atByte: 100_000 } as const;
    const scenario: Scenario = {
      name: 'cut',
      resource: { ...resource, framing, validator: 'none', ranges: 'refused', contentType: 'text/event-stream' },
      requests: [{ on: 'every', do: cut }],
    };
    const run = lab.play(scenario, { port: 'own' });
    await using gate = await openGate({ upstreams: [upstream('only', run)] });
    const { error, status } = await readAll(await fetch(`${gate.url}/file`));
    expect([status, error]).toEqual([200, expect.any(TypeError)]);
    expect((await gate.log()).at(-1)).toMatchObject({ outcome: 'broken', attempts: run.requestCount });
  }
});

test('bytes of every value pass as they came, in short answers and in long ones', async () => {
  const bodyOf = (size: number) => Buffer.from(Array.from({ length: size }, (_, index) => index % 256));
  const server = createServer((request, response) => {
    const [, framing, size] = request.url!.split('/');
    const body = bodyOf(Number(size));
    response.writeHead(200, framing === 'length' ? { 'content-length': body.length } : {});
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  await using gate = await openGate({ upstreams: [`http://127.0.0.1:${port}`] });
  for (const framing of ['length', 'chunked'])
    for (const size of [0, 1, 256, 8_192, 8_193, 100_000]) {
      const { status, bytes, headers } = await get(`${gate.url}/${framing}/${size}`);
      expect([status, sha256(bytes)]).toEqual([200, sha256(bodyOf(size))]);
      if (framing === 'length') expect(headers.get('content-length')).toBe(String(size));
    }
  server.close();
  server.closeAllConnections();
});

test('a refused request whose body is whole leaves its connection to the next', async () => {
  await using gate = await openGate({
    upstreams: ['http://127.0.0.1:1'],
    routes: [{ path: '/only' }],
  });
  const { status, headers } = await get(`${gate.url}/other`, { method: 'POST', body: 'whole' });
  expect([status, headers.get('connection')]).toEqual([404, 'keep-alive']);
});

test('a line of the log is one, whoever wrote it: level, time, and the request', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'well', resource: { bodyText: 'well' } }, { port: 'own' });
  await using gate = await openGate({ upstreams: [upstream('only', run)] });
  const before = Date.now();
  await get(`${gate.url}/x?api_key=secret`);
  const line = (await gate.log()).at(-1)!;
  expect(line).toMatchObject({ level: 30, msg: 'request', outcome: 'complete', status: 200, upstream: 'only' });
  expect(line.operation).toBe('GET /x');
  expect(String(line.time)).toBe(new Date(String(line.time)).toISOString());
  expect(Date.parse(String(line.time))).toBeGreaterThanOrEqual(before);
});

test('a body that ends with its connection passes as such: nobody promises an end that nobody knows', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'close', resource: { ...resource, framing: 'close' } }, { port: 'own' });
  await using gate = await openGate({ upstreams: [upstream('only', run)] });
  const { bytes, headers } = await get(`${gate.url}/file`);
  expect(sha256(bytes)).toBe(run.sha256);
  expect([headers.get('connection'), headers.get('transfer-encoding'), headers.get('content-length')]).toEqual([
    'close',
    null,
    null,
  ]);
});

test('the number of attempts is one number: header, log, metrics, error and both upstreams agree', async () => {
  await using lab = await startLab();
  const down = { requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] } as const;
  const a = lab.play({ name: 'a', ...down }, { port: 'own' });
  const b = lab.play({ name: 'b', ...down }, { port: 'own' });
  await using gate = await openGate({ upstreams: [upstream('a', a), upstream('b', b, { tier: 1 })] });
  const { status, headers, text } = await get(`${gate.url}/x`);
  const seen = a.requestCount + b.requestCount;
  const error = JSON.parse(text) as { error: { message: string; attempts: unknown[]; code: string } };
  expect([status, seen, error.error.code]).toEqual([503, 6, 'upstreams-exhausted']);
  expect(headers.get('x-should-retry')).toBe('false');
  expect(error.error.message).toMatch(/^Request failed after 6 attempts /);
  expect(error.error.attempts).toHaveLength(seen);
  expect([headers.get('x-reknit-attempts'), headers.get('x-reknit-rounds')]).toEqual([String(seen), '3']);
  expect(await gate.metric('attempts_total')).toBe(seen);
  expect(await gate.metric('attempt_failures_total', { class: 'transient' })).toBe(seen);
  expect(gate.gateway.status().map(({ failedRequests }) => failedRequests)).toEqual([1, 1]);
  const log = await gate.log();
  expect(log.filter(({ msg }) => msg === 'retry')).toHaveLength(seen - 1);
  expect(log.at(-1)).toMatchObject({ msg: 'request', outcome: 'failed', attempts: seen, rounds: 3, status: 503 });
});

test('a POST that may have run is never sent twice; one that is refused goes elsewhere', async () => {
  await using lab = await startLab();
  const cut = lab.play(
    { name: 'cut', requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'headers' } }] },
    { port: 'own' },
  );
  const well = lab.play({ name: 'well', resource: { bodyText: 'well' } }, { port: 'own' });
  const upstreams = [upstream('cut', cut), upstream('well', well, { tier: 1 })];
  await using gate = await openGate({ upstreams });
  const once = await get(`${gate.url}/order`, { method: 'POST', body: 'one' });
  expect([once.status, JSON.parse(once.text).error.code]).toEqual([502, 'may-have-run']);
  expect([cut.record.effects.length, well.record.effects.length]).toEqual([1, 0]);
  const keyed = await get(`${gate.url}/order`, { method: 'POST', body: 'one', headers: { 'idempotency-key': 'k' } });
  expect(keyed.status).toBe(200);
  await using declared = await openGate({ upstreams, routes: [{ repeatable: true }] });
  expect((await get(`${declared.url}/order`, { method: 'POST', body: 'one' })).status).toBe(200);
  expect(well.record.effects).toHaveLength(2);
});

test('Retry-After is honest: the shortest pause that was asked for, and nobody is asked before it', async () => {
  await using lab = await startLab();
  const busy = (name: string, retryAfter: string) =>
    lab.play({ name, requests: [{ on: 'every', do: { kind: 'status', status: 429, retryAfter } }] }, { port: 'own' });
  const [a, b] = [busy('a', '500'), busy('b', '400')];
  await using gate = await openGate({ upstreams: [upstream('a', a), upstream('b', b)] });
  const first = await get(`${gate.url}/x`);
  expect([first.status, Number(first.headers.get('retry-after'))]).toEqual([429, expect.closeTo(400, -1)]);
  const second = await get(`${gate.url}/x`);
  expect([second.status, second.headers.get('x-reknit-attempts'), second.headers.get('x-should-retry')]).toEqual([
    429,
    '0',
    null,
  ]);
  expect([a.requestCount, b.requestCount]).toEqual([1, 1]);
});

test('a request body arrives whole at whoever answers, short or too long to be kept', async () => {
  await using lab = await startLab();
  const well = lab.play({ name: 'well' }, { port: 'own' });
  const dead = { name: 'dead', url: `http://127.0.0.1:${await lab.reservePort()}` };
  await using gate = await openGate({
    upstreams: [dead, upstream('well', well, { tier: 1 })],
    limits: { replayBytes: '64KiB' },
  });
  for (const bytes of [10, 65_536, 70_000, 5_000_000]) {
    const body = Buffer.alloc(bytes, `${bytes} `);
    const { status } = await get(`${gate.url}/upload`, { method: 'PUT', body });
    expect([bytes, status, well.record.effects.at(-1)]).toEqual([
      bytes,
      200,
      expect.objectContaining({ bytes, sha256: sha256(body) }),
    ]);
  }
});

test('a chunked body of unknown length is bounded', async () => {
  await using lab = await startLab();
  const well = lab.play({ name: 'well' }, { port: 'own' });
  await using gate = await openGate({
    upstreams: [upstream('well', well)],
    limits: { replayBytes: '64KiB', bodyBytes: '256KiB' },
  });
  const told = await get(`${gate.url}/upload`, { method: 'PUT', body: Buffer.alloc(300_000) }).catch(
    (error: unknown) => ({ error, status: 413 }),
  );
  expect(told.status).toBe(413);
  const sending = httpRequest(`${gate.url}/upload`, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } });
  sending.on('error', () => {});
  for (let i = 0; i < 10; i += 1) sending.write(Buffer.alloc(65_536));
  const [answer] = (await once(sending, 'response')) as [{ statusCode: number }];
  expect(answer.statusCode).toBe(413);
  sending.destroy();
});

test('a slow reader holds the upstream back', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'large', resource: { sizeBytes: 64 * 1024 * 1024 } }, { port: 'own' });
  await using gate = await openGate({ upstreams: [upstream('only', run)] });
  const asking = httpRequest(`${gate.url}/large`).end();
  const [answer] = (await once(asking, 'response')) as [import('node:http').IncomingMessage];
  await once(answer, 'readable');
  let before = -1;
  // Buffers of both sockets fill, and then nothing moves any more.
  while (before !== run.record.bodyBytesSent) {
    before = run.record.bodyBytesSent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(before).toBeLessThan(48 * 1024 * 1024);
  const digest = createHash('sha256');
  for await (const chunk of answer) digest.update(chunk as Buffer);
  expect(digest.digest('hex')).toBe(run.sha256);
});

test('statuses, HEAD, 304, redirects and ranges keep their meaning', async () => {
  await using lab = await startLab();
  const run = lab.play(
    {
      name: 'well',
      resource,
      requests: [
        { on: 'every', where: { file: 'gone' }, do: { kind: 'status', status: 404, bodyText: 'no' } },
        {
          on: 'every',
          where: { file: 'moved' },
          do: { kind: 'redirect', status: 302, to: 'http://elsewhere.invalid/' },
        },
      ],
    },
    { port: 'own' },
  );
  await using gate = await openGate({ upstreams: [upstream('only', run)] });
  const gone = await get(`${gate.url}/gone`);
  expect([gone.status, gone.text]).toEqual([404, 'no']);
  const moved = await get(`${gate.url}/moved`, { redirect: 'manual' });
  expect([moved.status, moved.headers.get('location')]).toEqual([302, 'http://elsewhere.invalid/']);
  const head = await get(`${gate.url}/file`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), head.bytes.length]).toEqual([200, '300000', 0]);
  const etag = head.headers.get('etag')!;
  expect((await get(`${gate.url}/file`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  const part = await get(`${gate.url}/file`, { headers: { range: 'bytes=10-19' } });
  expect([part.status, Buffer.from(part.bytes)]).toEqual([206, run.bytes().subarray(10, 20)]);
});

test('routes go by host, path, method, header and model, the first that fits', async () => {
  await using lab = await startLab();
  const named = (name: string) =>
    lab.play(
      {
        name,
        resource: { bodyText: name },
        requests: [{ on: 'every', where: { method: 'POST' }, do: { kind: 'status', status: 200, bodyText: name } }],
      },
      { port: 'own' },
    );
  const pools = Object.fromEntries(
    ['host', 'path', 'method', 'header', 'model', 'rest'].map((name) => [
      name,
      { upstreams: [upstream(name, named(name))] },
    ]),
  );
  await using gate = await openGate({
    pools,
    routes: [
      { host: '*.example', pool: 'host' },
      { path: '/v1', pool: 'path', stripPrefix: '/v1' },
      { methods: ['PUT', 'DELETE'], pool: 'method' },
      { headers: { 'x-tenant': 'blue' }, pool: 'header' },
      { model: ['gpt-*', 'claude'], pool: 'model' },
      { pool: 'rest' },
    ],
  });
  const ask = async (path: string, init: RequestInit = {}) =>
    (await get(`${gate.url}${path}`, init)).headers.get('x-reknit-upstream');
  const body = (model: string) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model }),
  });
  expect(await ask('/v1/x')).toBe('path');
  expect(await ask('/v10/x')).toBe('rest');
  expect(await ask('/x', { method: 'DELETE' })).toBe('method');
  expect(await ask('/x', { headers: { 'x-tenant': 'blue' } })).toBe('header');
  expect(await ask('/x', body('gpt-9'))).toBe('model');
  expect(await ask('/x', body('other'))).toBe('rest');
  const asking = httpRequest(`${gate.url}/x`, { headers: { host: 'api.example' } }).end();
  const [answer] = (await once(asking, 'response')) as [import('node:http').IncomingMessage];
  expect(answer.headers['x-reknit-upstream']).toBe('host');
  answer.resume();
});
