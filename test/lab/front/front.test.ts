import { createHash, randomBytes } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { type Front, type FrontRule, type Lab, type Run, startFront, startLab } from '../../../src/lab/index.ts';
import { open, parseAnswer, requestText } from '../raw-client.ts';

interface Setup extends AsyncDisposable {
  readonly lab: Lab;
  readonly run: Run;
  readonly front: Front;
  get(): ReturnType<typeof open>['seen'];
}

/** A lab without faults behind a front with some. */
async function behind(rules: readonly FrontRule[], seed = 1, tls = false): Promise<Setup> {
  const lab = await startLab({ tls });
  const run = lab.play({ name: 'target', resource: { sizeBytes: 500_000 } });
  const front = await startFront({ target: { host: '127.0.0.1', port: Number(new URL(run.url).port) }, rules, seed });
  return {
    lab,
    run,
    front,
    get() {
      const connection = open(front.url);
      connection.write(requestText(run.url, { Connection: 'close' }));
      return connection.seen;
    },
    async [Symbol.asyncDispose]() {
      await front.close();
      await lab.close();
    },
  };
}

test('without rules every byte passes both ways, half-closed or not', async () => {
  await using setup = await behind([]);
  const { run, front } = setup;
  expect(parseAnswer(await setup.get()).body.equals(run.bytes())).toBe(true);
  const sent = randomBytes(2_000_000);
  const connection = open(front.url);
  connection.write(requestText(run.url, { Connection: 'close', 'Content-Length': String(sent.length) }, 'PUT'));
  connection.socket.end(sent);
  const sha256 = createHash('sha256').update(sent).digest('hex');
  expect(parseAnswer(await connection.seen).body.toString()).toContain(sha256);
  await front.untilIdle();
  expect(front.record.connections).toMatchObject([
    { n: 1, faults: [], endedBy: 'target' },
    { n: 2, bytesUp: connection.socket.bytesWritten },
  ]);
});

test('TLS passes as bytes', async () => {
  await using setup = await behind([], 1, true);
  const { front, lab, run } = setup;
  const socket = connectTls({ host: '127.0.0.1', port: front.port, ca: lab.ca, servername: 'localhost' });
  socket.write(requestText(run.url, { Connection: 'close' }));
  const parts: Buffer[] = [];
  for await (const bytes of socket) parts.push(bytes);
  expect(parseAnswer({ bytes: Buffer.concat(parts), ended: 'fin' }).body.equals(run.bytes())).toBe(true);
});

for (const [by, ended] of [
  ['rst', 'ECONNRESET'],
  ['fin', 'fin'],
] as const) {
  test(`a connection is cut by ${by} at an exact byte on its way down`, async () => {
    await using setup = await behind([{ on: 1, do: { kind: 'cut', by, atByte: 123_457 } }]);
    const cut = await setup.get();
    expect([cut.bytes.length, cut.ended]).toEqual([123_457, ended]);
    expect((await setup.get()).bytes.length).toBeGreaterThan(500_000);
    expect(setup.front.record.connections).toMatchObject([
      { bytesDown: 123_457, faults: ['cut'], endedBy: by },
      { faults: [] },
    ]);
  });
}

test('a connection is cut on its way up', async () => {
  await using setup = await behind([{ on: 1, do: { kind: 'cut', by: 'rst', direction: 'up', atByte: 10 } }]);
  expect(await setup.get()).toEqual({ bytes: Buffer.alloc(0), ended: 'ECONNRESET' });
  expect(setup.front.record.connections).toMatchObject([{ bytesUp: 10, bytesDown: 0 }]);
  expect(setup.run.requestCount).toBe(0);
});

test('an end on the way up is no reset', async () => {
  await using setup = await behind([{ on: 1, do: { kind: 'cut', by: 'fin', direction: 'up', atByte: 10 } }]);
  expect(await setup.get()).toEqual({ bytes: Buffer.alloc(0), ended: 'fin' });
});

test('connections are refused by reset or end as soon as they are accepted', async () => {
  await using setup = await behind([
    { on: 1, do: { kind: 'refuse' } },
    { on: 2, do: { kind: 'refuse', by: 'fin' } },
  ]);
  const empty = Buffer.alloc(0);
  const silent = open(setup.front.url);
  expect(await silent.seen).toEqual({ bytes: empty, ended: 'ECONNRESET' });
  expect(await open(setup.front.url).seen).toEqual({ bytes: empty, ended: 'fin' });
  expect(setup.run.record.connections.length).toBe(0);
});

test('a share of the connections is refused and the rest cut, the same ones for the same seed', async () => {
  const rules: readonly FrontRule[] = [
    { on: 'every', shareRatio: 0.3, do: { kind: 'refuse' } },
    { on: 'every', do: { kind: 'cut', by: 'fin', atRandomByte: { min: 1_000, max: 400_000 } } },
  ];
  const play = async (seed: number) => {
    await using setup = await behind(rules, seed);
    for (let count = 0; count < 30; count += 1) await setup.get();
    return setup.front.record.connections.map(({ faults, bytesDown }) => `${faults} ${bytesDown}`);
  };
  const first = await play(7);
  expect(await play(7)).toEqual(first);
  expect(await play(8)).not.toEqual(first);
  const refusedCount = first.filter((line) => line.startsWith('refuse')).length;
  expect(refusedCount).toBeGreaterThan(3);
  expect(refusedCount).toBeLessThan(18);
});

test('cuts at every so many bytes count over all connections', async () => {
  await using setup = await behind([{ on: 'every', do: { kind: 'cut', by: 'fin', everyBytes: 200_000 } }]);
  for (let count = 0; count < 3; count += 1) await setup.get();
  expect(setup.front.record.connections.map(({ bytesDown }) => bytesDown)).toEqual([200_000, 200_000, 200_000]);
  expect(setup.front.record.bytesDown).toBe(600_000);
});

test('connections above a limit at the same time are refused', async () => {
  await using setup = await behind([{ on: 'every', concurrentAbove: 1, do: { kind: 'refuse' } }]);
  const kept = open(setup.front.url);
  await setup.front.until(({ connections }) => connections.length === 1);
  expect((await setup.get()).ended).toBe('ECONNRESET');
  kept.socket.destroy();
  await setup.front.untilIdle();
  expect((await setup.get()).bytes.length).toBeGreaterThan(500_000);
});

test('a stall is silent until the client leaves, or for its time', async () => {
  await using setup = await behind([
    { on: 1, do: { kind: 'stall', atByte: 1_000 } },
    { on: 2, do: { kind: 'stall', atByte: 1_000, forMs: 20 } },
  ]);
  const stalled = open(setup.front.url);
  stalled.write(requestText(setup.run.url));
  await stalled.untilSeenBytes(1_000);
  stalled.socket.destroy();
  expect((await stalled.seen).bytes.length).toBe(1_000);
  expect((await setup.get()).bytes.length).toBeGreaterThan(500_000);
});

test('latency, rate and trickle take their time', async () => {
  await using setup = await behind([
    { on: 1, do: { kind: 'latency', delayMs: 80 } },
    { on: 2, do: { kind: 'rate', bytesPerSecond: 2_500_000 } },
    { on: 3, do: { kind: 'trickle', fromByte: 499_000, chunkBytes: 500, everyMs: 20 } },
  ]);
  for (const leastMs of [80, 150, 60]) {
    const startedAtMs = performance.now();
    expect(parseAnswer(await setup.get()).body.equals(setup.run.bytes())).toBe(true);
    expect(performance.now() - startedAtMs).toBeGreaterThan(leastMs - 2);
  }
});

test('the port refuses and listens again on request, and all that is open can be reset', async () => {
  await using setup = await behind([{ on: 1, do: { kind: 'stall' } }]);
  const { front } = setup;
  const open1 = open(front.url);
  await front.until(({ connections }) => connections.length === 1);
  front.refuse();
  expect((await open(front.url).seen).ended).toBe('ECONNREFUSED');
  front.resetAll();
  expect((await open1.seen).ended).toBe('ECONNRESET');
  await front.listen();
  expect((await setup.get()).bytes.length).toBeGreaterThan(500_000);
});

test('a server that is not there is a reset', async () => {
  await using lab = await startLab();
  await using front = await startFront({ target: { host: '127.0.0.1', port: await lab.reservePort() } });
  expect((await open(front.url).seen).ended).toBe('ECONNRESET');
  expect(front.record.connections).toMatchObject([{ endedBy: 'unreachable' }]);
});
