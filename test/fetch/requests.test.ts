/** What goes out: how often, with which body, and what may go out again. */
import { expect, test } from 'vitest';
import { type BodySource, GaveUpError, ledgerOf } from '../../src/fetch/index.ts';
import type { Fault, RequestRule, Run } from '../../src/lab/index.ts';
import { errorOf, expectCounted, play } from './played.ts';

const resource = { bodyText: 'done' };
const refused: Fault = { kind: 'status', status: 503, retryAfter: '0' };
const cut: Fault = { kind: 'cut', by: 'fin', at: 'request' };
const firstTwo = (fault: Fault): readonly RequestRule[] => [{ on: [1, 2], do: fault }];
const bodiesOf = (run: Run) => run.record.requests.map(({ bodyBytes }) => bodyBytes);

for (const status of [408, 425, 429, 500, 502, 503, 504]) {
  test(`two answers ${status} to a GET are tried again`, async () => {
    await using played = await play({ resource, requests: firstTwo({ kind: 'status', status }) });
    const response = await played.heal();
    expect(await response.text()).toBe('done');
    expectCounted(played.run, response, 3);
  });
}

for (const status of [400, 404, 501]) {
  test(`a ${status} is an answer, and asked for once`, async () => {
    await using played = await play({ resource, requests: firstTwo({ kind: 'status', status, bodyText: 'no' }) });
    const response = await played.heal();
    expect([response.status, await response.text()]).toEqual([status, 'no']);
    expectCounted(played.run, response, 1);
    expect(ledgerOf(response)?.outcome).toBe('status');
  });
}

test('when the attempts run out on a status, the caller gets that answer', async () => {
  await using played = await play({
    resource,
    requests: [{ on: 'every', do: { kind: 'status', status: 503, bodyText: 'busy' } }],
  });
  const response = await played.heal();
  expect([response.status, await response.text()]).toEqual([503, 'busy']);
  expectCounted(played.run, response, 5);
});

test('a status throws where the caller asks for it', async () => {
  await using played = await play({ resource, requests: [{ on: 'every', do: { kind: 'status', status: 404 } }] });
  const error = await errorOf(played.heal({ throwOnStatus: true }));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.cause).toBeInstanceOf(GaveUpError);
  expect(error.cause).toMatchObject({ reason: 'permanent', failure: { status: 404 } });
  expectCounted(played.run, error, 1);
});

test('a longer pushback than is allowed ends the request at once', async () => {
  const rules = [{ on: 'every' as const, do: { kind: 'status' as const, status: 503, retryAfter: '3600' } }];
  await using played = await play({ resource, requests: rules });
  const error = await errorOf(played.heal({ throwOnStatus: true }));
  expect(error.cause).toMatchObject({ reason: 'pushback-too-long', failure: { pushbackMs: 3_600_000 } });
  expectCounted(played.run, error, 1);
});

test('a POST that may have run is not sent again', async () => {
  await using played = await play({ resource, requests: firstTwo(cut) });
  const error = await errorOf(played.heal({ method: 'POST', body: 'hello' }));
  expect(error.cause).toMatchObject({ reason: 'may-have-run' });
  expectCounted(played.run, error, 1);
  expect(played.run.record.effects.length).toBe(1);
});

test('a POST that was refused is sent again', async () => {
  await using played = await play({ resource, requests: firstTwo(refused) });
  const response = await played.heal({ method: 'POST', body: 'hello' });
  expect(response.status).toBe(200);
  expectCounted(played.run, response, 3);
});

test('a POST that never left is sent again', async () => {
  await using played = await play(
    { resource, refuses: { untilOpen: 'now' } },
    { retry: { maxAttempts: 50, baseDelayMs: 20 } },
  );
  const answer = played.heal({
    method: 'POST',
    body: 'hello',
    onEvent: (event) => event.type === 'failure' && played.run.open('now'),
  });
  const response = await answer;
  expect(response.status).toBe(200);
  expectCounted(played.run, response, 1);
  expect(ledgerOf(response)!.attemptCount).toBeGreaterThan(1);
});

test.each([{ repeatable: true }, { idempotencyKey: 'k-1' }, { headers: { 'Idempotency-Key': 'k-1' } }])(
  'a POST with %o may be sent again',
  async (init) => {
    await using played = await play({ resource, requests: firstTwo(cut) });
    const response = await played.heal({ method: 'POST', body: 'hello', ...init });
    expectCounted(played.run, response, 3);
    expect(bodiesOf(played.run)).toEqual([5, 5, 5]);
    if ('repeatable' in init) return;
    expect(played.run.record.requests.every(({ headers }) => headers['idempotency-key'] === 'k-1')).toBe(true);
  },
);

test('a GET that is declared not repeatable is sent once', async () => {
  await using played = await play({ resource, requests: firstTwo(cut) });
  const error = await errorOf(played.heal({ repeatable: false }));
  expect(error.cause).toMatchObject({ reason: 'may-have-run' });
  expectCounted(played.run, error, 1);
});

const form = new FormData();
form.append('file', new Blob(['x'.repeat(1000)]), 'name.txt');
const hello = () => new TextEncoder().encode('hello');

async function* letters() {
  yield 'hel';
  yield 'lo';
}

const oneShot = (): ReadableStream =>
  new ReadableStream({
    start: (controller) => {
      controller.enqueue(hello());
      controller.close();
    },
  });

test.each([
  ['a string', 'hello', 5],
  ['bytes', hello(), 5],
  ['a buffer', hello().buffer, 5],
  ['a Blob', new Blob(['hello']), 5],
  ['URLSearchParams', new URLSearchParams('a=1&b'), 6],
  ['a form', form, undefined],
  ['a stream', oneShot(), 5],
  ['an async iterable', letters(), 5],
  ['a function that opens a stream', (): BodySource => oneShot(), 5],
  ['a function that makes a string', (): BodySource => 'hello', 5],
] as const)('%s is sent whole with each attempt', async (_name, body, bytes) => {
  await using played = await play({ resource, requests: firstTwo(cut) });
  const response = await played.heal({ method: 'PUT', body });
  expect(await response.json()).toMatchObject({ bytes: bodiesOf(played.run)[0] });
  expectCounted(played.run, response, 3);
  const sizes = bodiesOf(played.run);
  expect(sizes).toEqual(Array(3).fill(bytes ?? sizes[0]));
  expect(sizes[0]).toBeGreaterThan(4);
});

test('what the caller does to a buffer behind the call changes no attempt', async () => {
  await using played = await play({ resource, requests: firstTwo(cut) });
  const body = hello();
  const answer = played.heal({ method: 'PUT', body });
  structuredClone(body.buffer, { transfer: [body.buffer] });
  await answer;
  expect(bodiesOf(played.run)).toEqual([5, 5, 5]);
});

test('a stream beyond the replay buffer is sent once', async () => {
  await using played = await play({ resource, requests: firstTwo(cut) });
  const error = await errorOf(played.heal({ method: 'PUT', body: oneShot(), replayBufferBytes: 4 }));
  expect(error.cause).toMatchObject({ reason: 'body-not-replayable' });
  expectCounted(played.run, error, 1);
});

test('a function that makes no body the second time sends no emptied one', async () => {
  await using played = await play({ resource, requests: firstTwo(cut) });
  const bodies = ['hello'];
  const error = await errorOf(played.heal({ method: 'PUT', body: () => bodies.pop() }));
  expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining('made none') });
  expect(bodiesOf(played.run)).toEqual([5]);
});

test('a body whose source fails is the fault of the caller, in its own words', async () => {
  await using played = await play({ resource });
  const failure = Object.assign(new Error('disk'), { code: 'ECONNRESET' });
  const body = new ReadableStream({ pull: (controller) => controller.error(failure) });
  expect(await errorOf(played.heal({ method: 'PUT', body }))).toBe(failure);
});

test('a Request object keeps method, headers and body over all attempts, and is used up', async () => {
  await using played = await play({ resource, requests: firstTwo(cut) });
  const request = new Request(played.run.url, { method: 'PUT', body: 'hello', headers: { 'X-Mine': '1' } });
  const response = await played.heal({}, request);
  expect(response.status).toBe(200);
  expectCounted(played.run, response, 3);
  expect(bodiesOf(played.run)).toEqual([5, 5, 5]);
  expect(
    played.run.record.requests.map(({ method, headers }) => [method, headers['x-mine'], headers['content-length']]),
  ).toEqual(Array(3).fill(['PUT', '1', '5']));
  expect(request.bodyUsed).toBe(true);
  await expect(played.heal({}, request)).rejects.toThrow(TypeError);
});

test('a Request object with a body beyond the replay buffer is sent once, whole', async () => {
  await using played = await play({ resource, requests: [{ on: 2, do: cut }] });
  const request = () => new Request(played.run.url, { method: 'PUT', body: 'x'.repeat(100_000) });
  const response = await played.heal({ replayBufferBytes: 10 }, request());
  expect(response.status).toBe(200);
  const error = await errorOf(played.heal({ replayBufferBytes: 10 }, request()));
  expect(error.cause).toMatchObject({ reason: 'body-not-replayable' });
  expect(bodiesOf(played.run)).toEqual([100_000, 100_000]);
});

test("the caller's conditions do not answer a resume", async () => {
  const sizeBytes = 200_000;
  await using played = await play({
    resource: { sizeBytes },
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 100_000 } }],
  });
  const response = await played.heal({ headers: { 'If-None-Match': '"another"' } });
  expect((await response.arrayBuffer()).byteLength).toBe(sizeBytes);
  expect(played.run.record.requests.map(({ headers }) => headers['if-none-match'])).toEqual(['"another"', undefined]);
});
