/** What a gateway may hold and must let go: limits say why, and a client that leaves leaves nothing behind. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { modelStream, type Scenario, startLab } from '../../src/lab/index.ts';
import { chat, type Gate, openGate, upstream } from './gate.ts';

const gated: Scenario = { name: 'slow', requests: [{ on: 'every', do: { kind: 'gate', name: 'wait' } }] };

/** A request that is on its way, and how its client leaves. */
function leaving(url: string): { readonly leave: () => Promise<void> } {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  socket.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
  return {
    leave: async () => {
      const closed = once(socket, 'close');
      socket.resetAndDestroy();
      await closed;
    },
  };
}

/** The metric is the gateway's own word; there is no event for it outside. */
async function untilMetric(gate: Gate, name: string, labels: Record<string, string>, value: number): Promise<void> {
  while ((await gate.metric(name, labels)) < value) await new Promise((resolve) => setImmediate(resolve));
}

const left = (gate: Gate, count: number) => untilMetric(gate, 'requests_total', { outcome: 'client-left' }, count);

test.each([
  ['requests', { limits: { requests: 1 } }, 'too-many-requests'],
  ['requests of a pool', { maxRequests: 1 }, 'pool-full'],
])('more %s than may run are answered 503 with a reason, and run no upstream', async (_, limit, reason) => {
  await using lab = await startLab();
  const run = lab.play(gated, { port: 'own' });
  await using gate = await openGate({
    upstreams: [upstream('slow', run)],
    ...limit,
    timeouts: { headers: '20s' },
  });
  const first = fetch(`${gate.url}/x`);
  await run.untilRequest(1);
  const second = await fetch(`${gate.url}/x`);
  expect([second.status, second.headers.get('retry-after'), await second.text()]).toEqual([
    503,
    '1',
    expect.stringContaining(reason),
  ]);
  run.open('wait');
  expect((await first).status).toBe(200);
  expect(run.requestCount).toBe(1);
});

test('bodies beyond the memory for all are answered 503, and what is given back serves the next', async () => {
  await using lab = await startLab();
  const run = lab.play(gated, { port: 'own' });
  await using gate = await openGate({
    upstreams: [upstream('slow', run)],
    limits: { bufferedBytes: '64KiB' },
    timeouts: { headers: '20s' },
  });
  const post = () => fetch(`${gate.url}/x`, { method: 'POST', body: Buffer.alloc(40_000, 'a') });
  const first = post();
  await run.untilRequest(1);
  const second = await post();
  expect([second.status, await second.text()]).toEqual([503, expect.stringContaining('"memory"')]);
  run.open('wait');
  expect((await first).status).toBe(200);
  await untilMetric(gate, 'requests_total', { outcome: 'complete' }, 1);
  expect(await gate.metric('buffered_bytes')).toBe(0);
  expect((await post()).status).toBe(200);
});

test('a body that is announced too long is answered 413 before a byte of it is read', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'well' }, { port: 'own' });
  await using gate = await openGate({ upstreams: [upstream('well', run)], limits: { bodyBytes: '1KiB' } });
  const { hostname, port } = new URL(gate.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*body-too-large/i);
  socket.destroy();
  expect(run.requestCount).toBe(0);
});

test('a client that leaves while its request is queued leaves the queue, and no upstream hears of it', async () => {
  await using lab = await startLab();
  const run = lab.play(gated, { port: 'own' });
  await using gate = await openGate({
    upstreams: [upstream('slow', run)],
    connections: { maxPerUpstream: 1 },
    timeouts: { headers: '20s' },
  });
  const first = fetch(`${gate.url}/x`);
  await run.untilRequest(1);
  const second = leaving(gate.url);
  await untilMetric(gate, 'attempts_total', {}, 2);
  await second.leave();
  await left(gate, 1);
  run.open('wait');
  await (await first).arrayBuffer();
  const third = await fetch(`${gate.url}/x`);
  await third.arrayBuffer();
  await untilMetric(gate, 'requests_total', { outcome: 'complete' }, 2);
  expect([third.status, run.requestCount]).toEqual([200, 2]);
  expect(gate.gateway.status()[0]).toMatchObject({ inFlight: 0, failedRequests: 0 });
});

test('a client that leaves between two rounds ends the wait, and nobody is asked again', async () => {
  await using lab = await startLab();
  const run = lab.play(
    { name: 'bad', requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] },
    { port: 'own' },
  );
  await using gate = await openGate({
    upstreams: [upstream('bad', run)],
    rounds: { baseDelay: '10m', maxDelay: '10m' },
    timeouts: { deadline: '1h' },
  });
  const one = leaving(gate.url);
  await untilMetric(gate, 'retries_total', {}, 1);
  await one.leave();
  await left(gate, 1);
  expect(run.requestCount).toBe(1);
  expect(await gate.metric('in_flight')).toBe(0);
  const lines = await gate.log();
  expect(lines.at(-1)).toMatchObject({ outcome: 'client-left', attempts: 1, rounds: 1 });
});

test('a client that leaves while the first words are awaited takes the upstream’s request with it', async () => {
  await using lab = await startLab();
  const run = lab.play(modelStream({ name: 'slow', trouble: { kind: 'stall', atToken: 0 } }), { port: 'own' });
  await using gate = await openGate({
    upstreams: [upstream('slow', run)],
    timeouts: { headers: '1m', firstContent: '1m', idle: '1m', deadline: '1h' },
    stream: { hold: '10ms' },
  });
  const stop = new AbortController();
  // Its headers are there, and comments come: the gateway is looking for the first words.
  const answer = await chat(gate.url, { signal: stop.signal });
  expect(answer.status).toBe(200);
  stop.abort();
  await run.untilIdle();
  await left(gate, 1);
  expect(run.requestCount).toBe(1);
});

test('fields of an answer that no client could read are no answer: 502, and the gateway goes on', async () => {
  const answers = ['X-Odd: a\u0001b', 'X-Odd: a\r b', 'X Odd: a', 'Content-Length: 2\r\nContent-Length: 3'];
  let next = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      const field = answers[next] ?? 'X-Odd: none';
      socket.end(`HTTP/1.1 200 OK\r\n${field}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  await using gate = await openGate({ upstreams: [`http://127.0.0.1:${port}`], rounds: { max: 1 } });
  for (const [index] of answers.entries()) {
    next = index;
    const answer = await fetch(`${gate.url}/x`);
    expect([answers[index], answer.status]).toEqual([answers[index], 502]);
    await answer.arrayBuffer();
  }
  next = answers.length;
  expect(await (await fetch(`${gate.url}/x`)).text()).toBe('ok');
  server.close();
});
