/** A pool over real sockets: the labs’ own counts are compared with the ledger’s. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type GaveUpError, ledgerOf } from '../../src/http/index.ts';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { createPool, type PoolEvent, type PoolOptions, trailOf } from '../../src/pool/index.ts';

const quick: PoolOptions<unknown> = {
  rounds: { baseDelayMs: 5, maxDelayMs: 20 },
  retry: { baseDelayMs: 1, maxDelayMs: 20, throttleDelayMs: 1 },
  timeouts: { connectMs: 2_000, headersMs: 400, stallMs: 300 },
};
const resource = { sizeBytes: 200_000 };
const healthy: Scenario = { name: 'healthy', resource };

function spec(name: string, run: Run) {
  return { name, url: run.url };
}

async function deadEnd(lab: Lab, name: string) {
  return { name, url: `http://127.0.0.1:${await lab.reservePort()}/file.bin` };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function gaveUp(running: Promise<unknown>): Promise<GaveUpError> {
  return await running.then(
    () => expect.unreachable('it should have failed'),
    (error: GaveUpError) => error,
  );
}

/** Body bytes as the reader got them, by both doors. */
const doors = ['fetch', 'request'] as const;

async function read(pool: ReturnType<typeof createPool>, door: (typeof doors)[number], init: object = {}) {
  if (door === 'fetch') {
    const response = await pool.fetch('', init);
    const body = Buffer.from(await response.arrayBuffer());
    return { status: response.status, body, ledger: ledgerOf(response)!, trail: trailOf(response) };
  }
  const answer = await pool.request('', init);
  const body = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, body, ledger: answer.ledger, trail: answer.trail };
}

for (const door of doors) {
  describe(`by ${door}`, () => {
    test('one upstream refuses, the other answers: every request gets every byte', async () => {
      await using lab = await startLab();
      const run = lab.play(healthy);
      const events: PoolEvent[] = [];
      const upstreams = [await deadEnd(lab, 'dead'), spec('well', run)];
      await using pool = createPool<unknown>(upstreams, { ...quick, onEvent: (event) => events.push(event) });
      for (let i = 0; i < 8; i += 1) {
        const { status, body, ledger, trail } = await read(pool, door);
        expect([status, sha256(body)]).toEqual([200, run.sha256]);
        expect(trail).toHaveLength(ledger.attemptCount);
        expect(trail.at(-1)).toMatchObject({ upstream: 'well', roundNumber: 1, hops: 1 });
        expect(ledger.hopCount).toBe(1);
      }
      expect(run.record.requests).toHaveLength(8);
      const successes = events.filter((event) => event.type === 'success');
      expect(successes).toHaveLength(8);
      const started = events.filter((event) => event.type === 'attempt');
      expect(successes.reduce((sum, { totalAttempts }) => sum + totalAttempts, 0)).toBe(started.length);
      const [dead, well] = pool.status();
      expect(dead!.attempts + well!.attempts).toBe(started.length);
      expect(dead!.failedRequests).toBe(dead!.attempts);
      expect(well).toMatchObject({ failedRequests: 0, succeededRequests: 8, inFlight: 0 });
    });

    test('a burst of 503 at the only upstream is outlived, and charged once at most', async () => {
      await using lab = await startLab();
      const run = lab.play({
        name: 'burst',
        resource,
        requests: [{ on: [1, 2], do: { kind: 'status', status: 503 } }],
      });
      await using pool = createPool<unknown>([spec('a', run)], quick);
      const { status, body, ledger, trail } = await read(pool, door);
      expect([status, sha256(body)]).toEqual([200, run.sha256]);
      expect(trail.map(({ roundNumber, failure }) => [roundNumber, failure?.status])).toEqual([
        [1, 503],
        [2, 503],
        [3, undefined],
      ]);
      expect(ledger.hopCount).toBe(run.record.requests.length);
      expect(pool.status()[0]).toMatchObject({ attempts: 3, failedRequests: 0, succeededRequests: 1 });
    });

    test('503 for ever ends in an error that tells what the server said', async () => {
      await using lab = await startLab();
      const run = lab.play({
        name: 'down',
        resource,
        requests: [{ on: 'every', do: { kind: 'status', status: 503 } }],
      });
      await using pool = createPool<unknown>([spec('a', run)], quick);
      const error = await gaveUp(read(pool, door));
      expect(error).toMatchObject({ reason: 'upstreams-exhausted', failure: { status: 503 } });
      expect(error.trail).toHaveLength(3);
      expect(error.ledger?.hopCount).toBe(run.record.requests.length);
      expect(run.record.requests).toHaveLength(3);
      expect(pool.status()[0]).toMatchObject({ failedRequests: 1, inFlight: 0 });
    });

    test('a body that is reset heals at its upstream; to the pool it is one attempt that ended well', async () => {
      await using lab = await startLab();
      const cut = { kind: 'cut', by: 'rst', at: 'body', atByte: 100_000 } as const;
      const run = lab.play({ name: 'cut', resource, requests: [{ on: 1, do: cut }] });
      const other = lab.play({ ...healthy, name: 'other' });
      const events: PoolEvent[] = [];
      const upstreams = [spec('a', run), { ...spec('b', other), tier: 1 }];
      await using pool = createPool<unknown>(upstreams, { ...quick, onEvent: (event) => events.push(event) });
      const { body, ledger, trail } = await read(pool, door);
      expect(sha256(body)).toBe(run.sha256);
      expect(other.record.requests).toEqual([]);
      expect(run.record.requests).toHaveLength(2);
      expect(ledger).toMatchObject({ attemptCount: 2, hopCount: 2 });
      expect(trail.map(({ upstream, fromByte }) => [upstream, fromByte])).toEqual([
        ['a', undefined],
        ['a', expect.any(Number)],
      ]);
      expect(events.at(-1)).toMatchObject({ type: 'success', totalAttempts: 2, totalRounds: 1 });
      expect(pool.status()[0]).toMatchObject({ succeededRequests: 1, failedRequests: 0, attempts: 2 });
    });

    test('a body that cannot heal is one failure of its upstream, and nobody else’s bytes are spliced in', async () => {
      await using lab = await startLab();
      const cut = { kind: 'cut', by: 'rst', at: 'body', atByte: 100_000 } as const;
      const live = { ...resource, contentType: 'text/event-stream' };
      const run = lab.play({ name: 'live', resource: live, requests: [{ on: 'every', do: cut }] });
      const other = lab.play({ ...healthy, name: 'other' });
      const events: PoolEvent[] = [];
      const upstreams = [spec('a', run), { ...spec('b', other), tier: 1 }];
      await using pool = createPool<unknown>(upstreams, { ...quick, onEvent: (event) => events.push(event) });
      await gaveUp(read(pool, door));
      expect(other.record.requests).toEqual([]);
      expect(run.record.requests).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({ type: 'all-failed', reason: 'live-body', totalAttempts: 1 });
      expect(pool.status()[0]).toMatchObject({ failedRequests: 1, inFlight: 0, consecutiveFailures: 1 });
    });

    test('a POST that may have run is sent to nobody else', async () => {
      await using lab = await startLab();
      const lost = { kind: 'cut', by: 'rst', at: 'headers' } as const;
      const runs = ['a', 'b'].map((name) => lab.play({ name, requests: [{ on: 'every', do: lost }] }));
      await using pool = createPool<unknown>(
        runs.map((run, index) => spec('ab'[index]!, run)),
        quick,
      );
      const error = await gaveUp(read(pool, door, { method: 'POST', body: 'pay 10' }));
      expect(error).toMatchObject({ reason: 'may-have-run' });
      expect(runs.flatMap((run) => run.record.requests)).toHaveLength(1);
    });

    test('a POST answered with 500 is handed on as it came', async () => {
      await using lab = await startLab();
      const down = { kind: 'status', status: 500 } as const;
      const runs = ['a', 'b'].map((name) => lab.play({ name, requests: [{ on: 'every', do: down }] }));
      await using pool = createPool<unknown>(
        runs.map((run, index) => spec('ab'[index]!, run)),
        quick,
      );
      const { status, trail } = await read(pool, door, { method: 'POST', body: 'pay 10' });
      expect(status).toBe(500);
      expect(trail).toMatchObject([{ outcomeClass: 'transient', failure: { status: 500 } }]);
      expect(runs.flatMap((run) => run.record.requests)).toHaveLength(1);
      expect(
        pool
          .status()
          .map(({ failedRequests }) => failedRequests)
          .toSorted(),
      ).toEqual([0, 1]);
    });

    test('a POST that was refused before a byte of it left reaches the next one, whole', async () => {
      await using lab = await startLab();
      const text = 'the quick brown fox '.repeat(2_000);
      for (const body of [text, () => Readable.from([text]), Readable.from([text.slice(0, 99), text.slice(99)])]) {
        const run = lab.play({ name: 'upload' });
        const upstreams = [await deadEnd(lab, 'dead'), { ...spec('well', run), tier: 1 }];
        await using pool = createPool<unknown>(upstreams, quick);
        const { status, trail } = await read(pool, door, { method: 'POST', body });
        expect(status).toBe(200);
        expect(trail.map(({ upstream, hops }) => [upstream, hops])).toEqual([
          ['dead', 0],
          ['well', 1],
        ]);
        expect(run.record.requests.map(({ bodySha256 }) => bodySha256)).toEqual([sha256(Buffer.from(text))]);
        expect(run.record.effects).toHaveLength(1);
      }
    });

    test('a one-shot stream that one upstream has read reaches the next one, whole, while it fits the buffer', async () => {
      await using lab = await startLab();
      const down = lab.play({ name: 'a', requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] });
      const well = lab.play({ name: 'b' });
      const upstreams = [spec('a', down), { ...spec('b', well), tier: 1 }];
      await using pool = createPool<unknown>(upstreams, quick);
      const text = 'the quick brown fox '.repeat(2_000);
      const make = () => Readable.from([text.slice(0, 99), text.slice(99)]);
      expect((await read(pool, door, { method: 'PUT', body: make() })).status).toBe(200);
      expect(down.record.requests[0]?.bodySha256).toBe(sha256(Buffer.from(text)));
      expect(well.record.requests.map(({ bodySha256 }) => bodySha256)).toEqual([sha256(Buffer.from(text))]);
      // One that does not fit can be sent once: the first answer is all there is.
      const once = await read(pool, door, { method: 'PUT', body: make(), replayBufferBytes: 10 });
      expect([once.status, once.trail.length]).toEqual([503, 1]);
      expect(well.record.requests).toHaveLength(1);
    });

    test('a POST with an idempotency key goes on, and so does one whose refusal is trusted', async () => {
      await using lab = await startLab();
      const first = lab.play({ name: 'a', requests: [{ on: 'every', do: { kind: 'status', status: 500 } }] });
      const throttled = lab.play({ name: 'b', requests: [{ on: 'every', do: { kind: 'status', status: 429 } }] });
      const well = lab.play({ name: 'c' });
      const upstreams = [spec('a', first), { ...spec('b', throttled), tier: 1 }, { ...spec('c', well), tier: 2 }];
      await using pool = createPool<unknown>(upstreams, quick);
      const init = { method: 'POST', body: 'pay 10', idempotencyKey: 'k1' };
      expect((await read(pool, door, init)).status).toBe(200);
      const keys = [first, throttled, well].flatMap((run) => run.record.requests.map(({ headers }) => headers));
      expect(keys.map((headers) => headers['idempotency-key'])).toEqual(['k1', 'k1', 'k1']);
      await using second = createPool<unknown>(upstreams.slice(1), quick);
      expect((await read(second, door, { method: 'POST', body: 'pay 10' })).status).toBe(200);
    });

    test('a 404 is an answer, unless it was said that another upstream may know better', async () => {
      await using lab = await startLab();
      const missing = lab.play({ name: 'a', requests: [{ on: 'every', do: { kind: 'status', status: 404 } }] });
      const well = lab.play(healthy);
      await using pool = createPool<unknown>([spec('a', missing), { ...spec('b', well), tier: 1 }], quick);
      const { status, trail } = await read(pool, door);
      expect([status, trail.length]).toEqual([404, 1]);
      expect((await read(pool, door, { failoverOn: [404] })).status).toBe(200);
      expect(pool.status().map(({ failedRequests, inFlight }) => [failedRequests, inFlight])).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });

    test('a kept connection that died costs one free attempt at the same upstream, and no health', async () => {
      await using lab = await startLab();
      const stale = {
        on: 'every',
        where: { requestOnConnection: 2 },
        do: { kind: 'cut', by: 'rst', at: 'request' },
      } as const;
      const run = lab.play({ name: 'a', resource, requests: [stale] });
      const strict = { rounds: { maxRounds: 1, maxAttempts: 1 }, budget: { capacity: 0, ratio: 0 } };
      await using pool = createPool<unknown>([spec('a', run)], {
        ...quick,
        ...strict,
        connections: { maxPerOrigin: 1 },
      });
      await read(pool, door);
      const { status, trail, ledger } = await read(pool, door);
      expect(status).toBe(200);
      expect(trail.map(({ upstream, roundNumber, hops }) => [upstream, roundNumber, hops])).toEqual([
        ['a', 1, 1],
        ['a', 1, 1],
      ]);
      expect(1 + ledger.hopCount).toBe(run.record.requests.length);
      expect(pool.status()[0]).toMatchObject({ attempts: 3, failedRequests: 0, succeededRequests: 2 });
    });

    test('an upstream’s own headers reach nobody else', async () => {
      await using lab = await startLab();
      const first = lab.play({ name: 'a', requests: [{ on: 'every', do: { kind: 'status', status: 401 } }] });
      const well = lab.play(healthy);
      const upstreams = [
        { ...spec('a', first), headers: { Authorization: 'Bearer of-a' } },
        { ...spec('b', well), tier: 1, headers: { 'x-api-key': 'of-b' } },
      ];
      await using pool = createPool<unknown>(upstreams, quick);
      await read(pool, door, { headers: { 'x-own': 'caller' } });
      const seen = [first, well].map((run) => run.record.requests[0]!.headers);
      expect(seen.map((headers) => [headers.authorization, headers['x-api-key'], headers['x-own']])).toEqual([
        ['Bearer of-a', undefined, 'caller'],
        [undefined, 'of-b', 'caller'],
      ]);
    });

    test('a silent upstream is left after its time, and not asked again by this request', async () => {
      await using lab = await startLab();
      const silent = lab.play({ name: 'a', requests: [{ on: 'every', do: { kind: 'stall', at: 'headers' } }] });
      const well = lab.play(healthy);
      await using pool = createPool<unknown>([spec('a', silent), { ...spec('b', well), tier: 1 }], quick);
      const { status, trail } = await read(pool, door);
      expect(status).toBe(200);
      expect(trail.map(({ outcomeClass }) => outcomeClass)).toEqual(['slow', undefined]);
      expect(pool.status()[0]).toMatchObject({ failedRequests: 1 });
    });

    test('an abort while the answer is read is charged to nobody and ends the upstream’s exchange', async () => {
      await using lab = await startLab();
      const stall = { kind: 'stall', at: 'body', atByte: 50_000 } as const;
      const run = lab.play({ name: 'a', resource, requests: [{ on: 'every', do: stall }] });
      await using pool = createPool<unknown>([spec('a', run)], { ...quick, timeouts: { stallMs: 20_000 } });
      const stop = new AbortController();
      const reading = gaveUp(read(pool, door, { signal: stop.signal }));
      while (run.record.requests.length === 0 || pool.status()[0]!.latencyMs === undefined) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      stop.abort();
      await reading;
      expect(pool.status()[0]).toMatchObject({ failedRequests: 0, succeededRequests: 0, inFlight: 0 });
    });
  });
}

test('an operation’s own requests make single attempts over its upstream, and the pool decides', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'a', resource, requests: [{ on: [1, 2], do: { kind: 'status', status: 503 } }] });
  await using pool = createPool([spec('a', run)], quick as object);
  const { value, trail } = await pool.run('read', async ({ url }, { client, signal }) => {
    const response = await client.fetch(url, { signal });
    return sha256(Buffer.from(await response.arrayBuffer()));
  });
  expect(value).toBe(run.sha256);
  expect(trail.map(({ hops }) => hops)).toEqual([1, 1, 1]);
  expect(run.record.requests).toHaveLength(3);
});

test('an operation whose POST may have run is not repeated by another name', async () => {
  await using lab = await startLab();
  const lost = { kind: 'cut', by: 'rst', at: 'headers' } as const;
  const run = lab.play({ name: 'a', requests: [{ on: 'every', do: lost }] });
  await using pool = createPool([spec('a', run)], quick as object);
  const post = pool.run('pay', ({ url }, { client }) => client.fetch(url, { method: 'POST', body: 'pay 10' }));
  expect(await gaveUp(post)).toMatchObject({ reason: 'may-have-run' });
  expect(run.record.requests).toHaveLength(1);
});

test('what cannot be sent is said at once, and charged to nobody', async () => {
  await using pool = createPool(['http://127.0.0.1:1/v1'], quick as object);
  await expect(pool.fetch('http://elsewhere.example/')).rejects.toThrow(/path must be empty or begin with/);
  await expect(pool.fetch('/../../admin')).rejects.toThrow(/path must stay below/);
  await expect(pool.fetch('/x', { headers: { 'bad name': 'x' } })).rejects.toThrow();
  expect(pool.status()[0]).toMatchObject({ attempts: 0, failedRequests: 0, inFlight: 0 });
  expect(() => createPool([])).toThrow(/at least one/);
  expect(() => createPool(['http://a/', 'http://a/'])).toThrow(/two upstreams are named/);
  expect(() => createPool(['http://a/'], { rounds: { maxRound: 1 } as object })).toThrow(/no option rounds.maxRound/);
});
