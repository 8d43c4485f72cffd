/** What is sent, and how often: bodies whole or not at all, unsafe requests once, connections that died while idle. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Agent, request as undiciRequest } from 'undici';
import { describe, expect, test } from 'vitest';
import { type BodySource, createClient, type GaveUpError, healing, ledgerOf } from '../../src/http/index.ts';
import { type Scenario, startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from './ways.ts';

const text = 'the quick brown fox '.repeat(2_000);
const textSha256 = sha256(Buffer.from(text));

const oneFailure: Scenario = {
  name: 'first-upload-fails',
  requests: [{ on: 1, do: { kind: 'status', status: 503 } }],
};

const sources: Readonly<Record<string, () => BodySource>> = {
  string: () => text,
  Buffer: () => Buffer.from(text),
  ArrayBuffer: () => new TextEncoder().encode(text).buffer as ArrayBuffer,
  Blob: () => new Blob([text]),
  'factory of strings': () => () => text,
  'factory of streams': () => () => Readable.from([text.slice(0, 10), text.slice(10)]),
  're-iterable': () => ({
    async *[Symbol.asyncIterator]() {
      yield text.slice(0, 1_000);
      yield text.slice(1_000);
    },
  }),
  'one-shot ReadableStream within the buffer': () => new Blob([text]).stream(),
  'one-shot Node stream within the buffer': () => Readable.from([text.slice(0, 99), text.slice(99)]),
};

describe('every attempt of an upload carries the whole body', () => {
  for (const [name, make] of Object.entries(sources)) {
    for (const way of ['fetch', 'request'] as const) {
      test(`${name} by ${way}`, async () => {
        await using lab = await startLab();
        await using client = createClient(quick);
        const run = lab.play(oneFailure);
        const options = { method: 'PUT', body: make() };
        if (way === 'fetch') expect((await client.fetch(run.url, options)).status).toBe(200);
        else expect((await client.request(run.url, options)).statusCode).toBe(200);
        expect(run.record.requests.map(({ bodySha256 }) => bodySha256)).toEqual([textSha256, textSha256]);
        expect(run.record.effects).toHaveLength(1);
      });
    }
  }
});

test('FormData is encoded anew for each attempt, with its boundary in the header', async () => {
  await using lab = await startLab();
  await using client = createClient(quick);
  const run = lab.play(oneFailure);
  const form = new FormData();
  form.set('field', 'value');
  form.set('file', new Blob([text]), 'fox.txt');
  await client.fetch(run.url, { method: 'PUT', body: form });
  const [first, second] = run.record.requests;
  expect(second!.bodyBytes).toBe(first!.bodyBytes);
  expect(second!.bodyBytes).toBeGreaterThan(text.length);
  expect(second!.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
});

test('URLSearchParams arrive as a form', async () => {
  await using lab = await startLab();
  await using client = createClient(quick);
  const run = lab.play({ name: 'form' });
  await client.request(run.url, { method: 'PUT', body: new URLSearchParams({ a: '1' }) });
  expect(run.record.requests[0]!.headers['content-type']).toBe('application/x-www-form-urlencoded;charset=UTF-8');
  expect(run.record.effects[0]!.sha256).toBe(sha256(Buffer.from('a=1')));
});

test('a one-shot stream beyond the buffer is sent once, and the reason is said', async () => {
  await using lab = await startLab();
  await using client = createClient({ ...quick, replayBufferBytes: 1_000 });
  const run = lab.play(oneFailure);
  const answer = await client.request(run.url, { method: 'PUT', body: Readable.from([text, text]) });
  expect(answer.statusCode).toBe(503);
  expect(answer.ledger.attempts[0]!.decision).toEqual({ kind: 'give-up', reason: 'body-not-replayable' });
  expect(run.requestCount).toBe(1);
});

test('a file made by a function is opened once for each attempt', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-'));
  try {
    const path = join(folder, 'upload');
    await writeFile(path, text);
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play(oneFailure);
    let opened = 0;
    const body = () => {
      opened += 1;
      return createReadStream(path);
    };
    await client.fetch(run.url, { method: 'PUT', body });
    expect(opened).toBe(2);
    expect(run.record.effects.map(({ sha256 }) => sha256)).toEqual([textSha256]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a stream of the caller that fails is the caller’s failure, and not tried again', async () => {
  await using lab = await startLab();
  await using client = createClient(quick);
  const run = lab.play({ name: 'upload' });
  const body = Readable.from(
    (async function* () {
      yield 'some';
      throw Object.assign(new Error('the source died'), { code: 'ECONNRESET' });
    })(),
  );
  await expect(client.request(run.url, { method: 'PUT', body })).rejects.toThrow('the source died');
  expect(run.record.effects).toHaveLength(0);
});

describe('a POST', () => {
  const cutAfterRequest: Scenario = {
    name: 'post-cut',
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'request' } }],
  };

  test('that may have run is not sent again, and the error says so', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play(cutAfterRequest);
    const error = await client
      .request(run.url, { method: 'POST', body: text })
      .catch((reason: unknown) => reason as GaveUpError);
    expect(error).toMatchObject({ code: 'ERR_REKNIT_GAVE_UP', reason: 'may-have-run' });
    expect((error as Error).message).toContain('the server may have acted on it');
    expect(run.requestCount).toBe(1);
  });

  test('with an idempotency key is sent again, with the same key', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play(cutAfterRequest);
    await client.request(run.url, { method: 'POST', body: text, idempotencyKey: 'k-1' });
    expect(run.record.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['k-1', 'k-1']);
  });

  test('that is declared repeatable is sent again', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play(cutAfterRequest);
    await client.fetch(run.url, { method: 'POST', body: text, repeatable: true });
    expect(run.requestCount).toBe(2);
  });

  test('that provably never left is sent when the server is there', async () => {
    await using lab = await startLab();
    await using client = createClient({ ...quick, retry: { ...quick.retry, maxAttempts: 500 } });
    const run = lab.play({ name: 'refused', refuses: { untilOpen: 'up' } });
    let refusals = 0;
    const answer = client.request(run.url, {
      method: 'POST',
      body: text,
      onEvent: ({ type }) => {
        if (type === 'failure' && ++refusals === 3) run.open('up');
      },
    });
    const { statusCode, ledger } = await answer;
    expect(statusCode).toBe(200);
    expect(ledger.hopCount).toBe(1);
    expect(run.record.effects).toHaveLength(1);
  });

  test('that was refused by 429 is sent again; trustRefusals: false forbids it', async () => {
    const throttled: Scenario = { name: 'throttled', requests: [{ on: 1, do: { kind: 'status', status: 429 } }] };
    await using lab = await startLab();
    await using trusting = createClient(quick);
    const run = lab.play(throttled);
    expect((await trusting.request(run.url, { method: 'POST', body: text })).statusCode).toBe(200);
    await using wary = createClient({ ...quick, retry: { ...quick.retry, trustRefusals: false } });
    const second = lab.play(throttled);
    expect((await wary.request(second.url, { method: 'POST', body: text })).statusCode).toBe(429);
    expect(second.requestCount).toBe(1);
  });
});

/** undici takes a connection back one turn of the event loop after its answer has ended. */
function untilIdle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

describe('a connection that died while idle', () => {
  const racing: Scenario = {
    name: 'stale',
    resource: { sizeBytes: 1_000 },
    requests: [{ on: 'every', where: { requestOnConnection: 2 }, do: { kind: 'cut', by: 'rst', at: 'request' } }],
  };

  test('costs a GET one immediate, free attempt on a fresh one', async () => {
    await using lab = await startLab();
    await using client = createClient({ ...quick, budget: { ratio: 0, capacity: 0 } });
    const run = lab.play(racing);
    await client.bytes(run.url);
    await untilIdle();
    const { body, ledger } = await client.request(run.url);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(run.sha256);
    expect(ledger.waitedMs).toBe(0);
    expect(ledger.attempts.map(({ hops }) => hops[0]!.reusedConnection)).toEqual([true, false]);
    expect(ledger.attempts[0]!.decision).toMatchObject({
      kind: 'retry',
      because: 'stale-connection',
      onFreshConnection: true,
    });
  });

  test('does not send a POST twice: it may have run', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play(racing);
    await client.bytes(run.url);
    await untilIdle();
    await expect(client.request(run.url, { method: 'POST', body: 'x' })).rejects.toMatchObject({
      reason: 'may-have-run',
    });
    expect(run.requestCount).toBe(2);
  });
});

test('the interceptor heals an Agent of undici, for everything on top of it', async () => {
  await using lab = await startLab();
  const agent = new Agent();
  const dispatcher = agent.compose(healing(quick));
  const run = lab.play({
    name: 'intercepted',
    resource: { sizeBytes: 500_000 },
    requests: [{ on: { to: 2 }, do: { kind: 'cut', by: 'fin', at: 'body', everyBytes: 200_000 } }],
  });
  const { body } = await undiciRequest(run.url, { dispatcher });
  expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(run.sha256);
  const second = await fetch(run.url, { dispatcher } as object);
  expect(sha256(new Uint8Array(await second.arrayBuffer()))).toBe(run.sha256);
  await agent.close();
});

test('a streamed PUT through the interceptor is never sent hollow', async () => {
  await using lab = await startLab();
  const agent = new Agent();
  const dispatcher = agent.compose(healing(quick));
  const run = lab.play(oneFailure);
  const body = Readable.from([text.slice(0, 7), text.slice(7)]);
  const { statusCode } = await undiciRequest(run.url, { method: 'PUT', body, dispatcher });
  expect(statusCode).toBe(200);
  expect(run.record.requests.map(({ bodySha256 }) => bodySha256)).toEqual([textSha256, textSha256]);
  await agent.close();
});

test('hedges nothing and remembers everything: the ledger tells each attempt, its hop and its decision', async () => {
  await using lab = await startLab();
  await using client = createClient(quick);
  const run = lab.play({ name: 'told', requests: [{ on: 1, do: { kind: 'status', status: 503, retryAfter: '0' } }] });
  const response = await client.fetch(run.url);
  await response.arrayBuffer();
  const ledger = ledgerOf(response)!;
  expect(ledger).toMatchObject({ attemptCount: 2, hopCount: 2, outcome: 'complete', integrity: 'length' });
  expect(ledger.attempts[0]).toMatchObject({
    attemptNumber: 1,
    failure: { kind: 'throttled', status: 503, pushbackMs: 0, mayHaveRun: false },
    decision: { kind: 'retry', because: 'pushback' },
  });
  expect(JSON.parse(JSON.stringify(ledger)).attempts[1].hops[0].status).toBe(200);
});
