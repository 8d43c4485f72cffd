/** Clocks, aborts, deadlines, pauses and limits; and that nothing is left behind. */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Client, createClient, type ReknitError } from '../../src/http/index.ts';
import { type Lab, startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from './ways.ts';

async function failureOfCall(call: Promise<unknown>): Promise<ReknitError> {
  return call.then(
    () => expect.unreachable('the call must fail'),
    (error: unknown) => error as ReknitError,
  );
}

/** Every socket that the lab knows is closed once the client is. */
async function expectNothingLeft(lab: Lab, client: Client): Promise<void> {
  await client.destroy();
  while (lab.openSockets > 0) await turn();
}

describe('an abort settles at once, with the reason of the signal', () => {
  const reason = new Error('enough');

  test('while waiting before another attempt', async () => {
    await using lab = await startLab();
    const client = createClient({ retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 } });
    const run = lab.play({
      name: 'always-503',
      requests: [{ on: 'every', do: { kind: 'status', status: 503, retryAfter: '60' } }],
    });
    const stop = new AbortController();
    const call = client.request(run.url, {
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'wait') stop.abort(reason);
      },
    });
    await expect(call).rejects.toBe(reason);
    await expectNothingLeft(lab, client);
  });

  test('while waiting for headers', async () => {
    await using lab = await startLab();
    const client = createClient(quick);
    const run = lab.play({ name: 'silent', requests: [{ on: 1, do: { kind: 'stall', at: 'headers' } }] });
    const stop = new AbortController();
    const call = client.fetch(run.url, { signal: stop.signal });
    await run.untilRequest(1);
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expectNothingLeft(lab, client);
  });

  test('in the middle of a body', async () => {
    await using lab = await startLab();
    const client = createClient(quick);
    const run = lab.play({ name: 'half', requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 1_000 } }] });
    const stop = new AbortController();
    const response = await client.fetch(run.url, { signal: stop.signal });
    const reader = response.body!.getReader();
    await reader.read();
    stop.abort(reason);
    await expect(reader.read()).rejects.toBe(reason);
    await expectNothingLeft(lab, client);
  });

  test('while queueing for a connection', async () => {
    await using lab = await startLab();
    const client = createClient({ ...quick, connections: { maxPerOrigin: 1 } });
    const run = lab.play({
      name: 'one-at-a-time',
      requests: [{ on: 1, do: { kind: 'gate', at: 'headers', name: 'go' } }],
    });
    const first = client.bytes(run.url);
    await run.untilRequest(1);
    const stop = new AbortController();
    const second = client.request(run.url, { signal: stop.signal });
    stop.abort(reason);
    await expect(second).rejects.toBe(reason);
    run.open('go');
    expect(sha256(await first)).toBe(run.sha256);
    expect(run.requestCount).toBe(1);
    await expectNothingLeft(lab, client);
  });

  test('a body that is not read to the end is let go of by destroying it', async () => {
    await using lab = await startLab();
    const client = createClient(quick);
    const run = lab.play({ name: 'abandoned', resource: { sizeBytes: 50_000_000 } });
    const { body } = await client.request(run.url);
    body.destroy();
    await expectNothingLeft(lab, client);
  });
});

describe('a deadline', () => {
  test('ends a silent attempt, and says where it was', async () => {
    await using lab = await startLab();
    const client = createClient();
    const run = lab.play({ name: 'silent', requests: [{ on: 'every', do: { kind: 'stall', at: 'headers' } }] });
    const error = await failureOfCall(client.request(run.url, { deadlineMs: 50 }));
    expect(error).toMatchObject({ code: 'ERR_REKNIT_DEADLINE' });
    expect(error.message).toContain('the deadline passed while waiting for the answer');
    await expectNothingLeft(lab, client);
  });

  test('is not waited for: a pause that would pass it is not begun', async () => {
    await using lab = await startLab();
    const client = createClient();
    const run = lab.play({
      name: 'busy',
      requests: [{ on: 'every', do: { kind: 'status', status: 503, retryAfter: '30' } }],
    });
    const { statusCode, ledger } = await client.request(run.url, { deadlineMs: 10_000 });
    expect(statusCode).toBe(503);
    expect(ledger.attempts[0]!.decision).toEqual({ kind: 'give-up', reason: 'deadline' });
    expect(ledger.waitedMs).toBe(0);
    await client.close();
  });

  test('binds the body, too', async () => {
    await using lab = await startLab();
    const client = createClient();
    const run = lab.play({ name: 'half', requests: [{ on: 'every', do: { kind: 'stall', at: 'body', atByte: 10 } }] });
    const { body } = await client.request(run.url, { deadlineMs: 80 });
    await expect(body.arrayBuffer()).rejects.toMatchObject({ code: 'ERR_REKNIT_DEADLINE' });
    await expectNothingLeft(lab, client);
  });
});

describe('silence', () => {
  test('of a paused reader is no stall: back-pressure reaches the socket, also after a resume', async () => {
    await using lab = await startLab();
    const client = createClient({ ...quick, timeouts: { stallMs: 150, minBytesPerSecond: 1_000_000 } });
    const run = lab.play({
      name: 'paused',
      resource: { sizeBytes: 30_000_000 },
      requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: 1_000_000 } }],
    });
    const { body, ledger } = await client.request(run.url);
    // Longer than the stall limit, with nobody reading: the subject of the test is this time itself.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(ledger.receivedBytes).toBeLessThan(2_000_000);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(run.sha256);
    expect(ledger.attemptCount).toBe(2);
    await client.close();
  });

  test('in a live stream is nothing to us', async () => {
    await using lab = await startLab();
    const client = createClient({ ...quick, timeouts: { stallMs: 100 } });
    const run = lab.play({
      name: 'events',
      resource: {
        bodyText: 'data: 1\n\ndata: 2\n\n',
        contentType: 'text/event-stream',
        framing: 'chunked',
        validator: 'none',
      },
      requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 9, forMs: 500 } }],
    });
    const response = await client.fetch(run.url);
    expect(await response.text()).toBe('data: 1\n\ndata: 2\n\n');
    expect(run.requestCount).toBe(1);
    await client.close();
  });

  test('the cut of a live stream surfaces at once, typed, and is not asked for again', async () => {
    await using lab = await startLab();
    const client = createClient(quick);
    const run = lab.play({
      name: 'events-cut',
      resource: {
        bodyText: 'data: 1\n\ndata: 2\n\n',
        contentType: 'text/event-stream',
        framing: 'chunked',
        validator: 'none',
      },
      requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atByte: 9 } }],
    });
    const { body } = await client.request(run.url);
    await expect(body.text()).rejects.toMatchObject({ reason: 'live-body' });
    expect(run.requestCount).toBe(1);
    await client.close();
  });
});

test('a slow source of a request body is not taken for a silent server', async () => {
  await using lab = await startLab();
  await using client = createClient({ ...quick, timeouts: { headersMs: 100 } });
  const run = lab.play({ name: 'slow-upload' });
  // Longer than the limit, in the middle of the body: the subject of the test is this time itself.
  const body = async function* () {
    yield 'first';
    await new Promise((resolve) => setTimeout(resolve, 450));
    yield 'second';
  };
  const { statusCode, ledger } = await client.request(run.url, { method: 'PUT', body: body() });
  expect([statusCode, ledger.attemptCount, run.record.effects[0]!.bytes]).toEqual([200, 1, 11]);
});

describe('limits', () => {
  test('no more than maxPerOrigin connections at once, and all requests are served', async () => {
    await using lab = await startLab();
    await using client = createClient({ ...quick, connections: { maxPerOrigin: 3 } });
    const run = lab.play({ name: 'many', resource: { sizeBytes: 10_000 } });
    const bodies = await Promise.all(Array.from({ length: 40 }, () => client.bytes(run.url)));
    expect(bodies.every((body) => sha256(body) === run.sha256)).toBe(true);
    expect(run.record.connections.length).toBeLessThanOrEqual(3);
  });

  test('keepAlive: false uses each connection once', async () => {
    await using lab = await startLab();
    await using client = createClient({ ...quick, connections: { keepAlive: false } });
    const run = lab.play({ name: 'once', resource: { sizeBytes: 100 } });
    for (let i = 0; i < 3; i += 1) await client.bytes(run.url);
    expect(run.record.requests.map(({ requestOnConnection }) => requestOnConnection)).toEqual([1, 1, 1]);
  });

  test('a 60 MB error page is not read', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({
      name: 'page',
      resource: { sizeBytes: 100 },
      requests: [{ on: 1, do: { kind: 'status', status: 503, bodyBytes: 60_000_000 } }],
    });
    await client.bytes(run.url);
    await run.untilIdle();
    expect(run.record.requests[0]!.answered.bodyBytesSent).toBeLessThan(10_000_000);
  });

  test('an exhausted budget refuses with its reason, and fails nothing in flight', async () => {
    await using lab = await startLab();
    await using client = createClient({ ...quick, budget: { ratio: 0, capacity: 2 } });
    const run = lab.play({ name: 'down', requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'request' } }] });
    const error = await failureOfCall(client.bytes(run.url));
    expect(error).toMatchObject({ reason: 'budget-exhausted' });
    expect(run.requestCount).toBe(3);
  });
});

test('an origin sees no more connections than it may, kept ones that serve nobody among them', async () => {
  const open = new Set<Socket>();
  let most = 0;
  let requests = 0;
  const gates = new Map<string, () => void>();
  const server = createServer((request, response) => {
    requests += 1;
    // The first request on a kept connection meets its end.
    if (request.url === '/stale' && requests === 3) request.socket.resetAndDestroy();
    else if (request.url === '/now') response.end('now');
    else gates.set(request.url!, () => response.end(request.url));
    told();
  });
  let told = () => {};
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      told = () => {
        if (isSo()) resolve();
      };
      told();
    });
  server.on('connection', (socket) => {
    open.add(socket);
    for (const ended of ['end', 'close']) socket.on(ended, () => open.delete(socket));
    // What ended before this one began is read in the same turn.
    setImmediate(() => {
      most = Math.max(most, open.size);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;
  const client = createClient({ connections: { maxPerOrigin: 2, maxIdleMs: 60_000 } });
  try {
    const both = Promise.all([client.text(at('/a')), client.text(at('/b'))]);
    await until(() => gates.size === 2);
    for (const open of gates.values()) open();
    await both;
    expect(open.size).toBe(2);
    // Repeated on a connection of its own, while one of the kept ones serves nobody.
    const stale = client.text(at('/stale'));
    await until(() => gates.has('/stale'));
    expect(await client.text(at('/now'))).toBe('now');
    gates.get('/stale')!();
    expect([await stale, most]).toEqual(['/stale', 2]);
  } finally {
    await client.destroy();
    server.closeAllConnections();
    server.close();
  }
});
