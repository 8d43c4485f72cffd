/** What a caller sees: the platform's own Response, and answers that keep their meaning. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ConfigError, type FetchInit, isReknitError, ledgerOf, wrapFetch } from '../../src/fetch/index.ts';
import { createWrappedFetch } from '../../src/fetch/wrap-fetch.ts';
import { ledgerOf as ledgerOfClient } from '../../src/http/index.ts';
import { virtualRuntime } from '../../src/runtime/index.ts';
import { errorOf, expectCounted, expectHealed, play } from './played.ts';
import { drive, turn } from './virtual-call.ts';

const sizeBytes = 300_000;
const cutOnce = [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 100_000 } }] as const;

test('the answer is a Response with the address, type and fields of the one that was answered', async () => {
  await using played = await play({ resource: { sizeBytes, headers: { 'X-Mine': '1' } } });
  const plain = await fetch(played.run.url);
  const healed = await played.heal();
  const clone = healed.clone();
  expect(healed).toBeInstanceOf(Response);
  for (const answer of [healed, clone]) {
    const { url, redirected, type, status, statusText, ok } = answer;
    expect({ url, redirected, type, status, statusText, ok }).toEqual({
      url: plain.url,
      redirected: false,
      type: plain.type,
      status: 200,
      statusText: plain.statusText,
      ok: true,
    });
    expect(answer.headers.get('x-mine')).toBe('1');
  }
  await plain.body?.cancel();
  await Promise.all([healed.body?.cancel(), clone.body?.cancel()]);
});

test('both branches of a clone are whole behind a cut', async () => {
  await using played = await play({ resource: { sizeBytes }, requests: cutOnce });
  const response = await played.heal();
  const [one, two] = await Promise.all([response.clone().arrayBuffer(), response.arrayBuffer()]);
  expect(Buffer.from(one).equals(played.run.bytes())).toBe(true);
  expect(Buffer.from(two).equals(played.run.bytes())).toBe(true);
  expectCounted(played.run, response, 2);
});

test('a reader that brings its own buffers is filled across a cut, up to the end', async () => {
  await using played = await play({ resource: { sizeBytes }, requests: cutOnce });
  const response = await played.heal();
  const reader = response.body!.getReader({ mode: 'byob' });
  const chunks: Uint8Array[] = [];
  let buffer = new Uint8Array(10_000);
  while (true) {
    const { value, done } = await reader.read(buffer);
    if (done) break;
    chunks.push(value.slice());
    buffer = new Uint8Array(value.buffer);
  }
  expect(Buffer.concat(chunks).equals(played.run.bytes())).toBe(true);
});

test('HEAD is answered without a body, and 404 and the like with their own', async () => {
  await using played = await play({ resource: { sizeBytes } });
  const response = await played.heal({ method: 'HEAD' });
  expect([response.headers.get('content-length'), await response.text()]).toEqual([String(sizeBytes), '']);
  expectCounted(played.run, response, 1);
  expect(ledgerOf(response)?.outcome).toBe('complete');
  // The other way in knows it as well.
  expect(ledgerOfClient(response)).toBe(ledgerOf(response));
});

test("a 304 answers the caller's own condition", async () => {
  await using played = await play({ resource: { sizeBytes } });
  const etag = played.run.versions[0]!.etag!;
  const response = await played.heal({ headers: { 'If-None-Match': etag } });
  expect([response.status, await response.text()]).toEqual([304, '']);
});

test('redirects keep the meaning that the caller gave them', async () => {
  await using played = await play({
    resource: { sizeBytes },
    requests: [{ on: 'every', where: { file: 'file.bin' }, do: { kind: 'redirect', status: 302, to: 'other.bin' } }],
  });
  const manual = await played.heal({ redirect: 'manual' });
  expect([manual.status, manual.headers.has('location')]).toEqual([302, true]);
  await manual.text();
  const refused = await errorOf(played.heal({ redirect: 'error' }));
  expect(refused).toBeInstanceOf(TypeError);
  expect(isReknitError(refused.cause)).toBe(false);
  expect(played.run.requestCount).toBe(2);
  const followed = await played.heal();
  expect(followed.redirected).toBe(true);
  expect(ledgerOf(followed)?.attempts[0]?.hops.map(({ url }) => url.includes('other.bin'))).toEqual([false, true]);
  await followed.body?.cancel();
});

test('a wrong address fails in the words of the platform, and is tried once', async () => {
  const heal = wrapFetch(globalThis.fetch);
  for (const url of ['/relative', 'http://127.0.0.1:6666/']) {
    const error = await errorOf(heal(url));
    const plain = await errorOf(fetch(url));
    expect([error.name, error.message]).toEqual([plain.name, plain.message]);
  }
});

test('the wrapped fetch is called without a `this`, and without our options', async () => {
  const seen: unknown[] = [];
  function strict(this: unknown, _input: unknown, init?: RequestInit) {
    seen.push(this, Object.keys(init ?? {}));
    return Promise.resolve(new Response('ok'));
  }
  const init: FetchInit = {
    repeatable: true,
    deadlineMs: 10_000,
    throwOnStatus: true,
    replayBufferBytes: 1,
    keepalive: true,
  };
  const response = await wrapFetch(strict)('http://model/', { ...init, transientStatuses: [503], onEvent: () => {} });
  await response.text();
  expect(seen).toEqual([undefined, ['keepalive', 'signal']]);
});

test.each<[FetchInit, string]>([
  [{ deadlineMs: 0 }, 'deadlineMs'],
  [{ idempotencyKey: 'a\nb' }, 'idempotencyKey'],
  [{ repeatable: 1 as never }, 'repeatable'],
  [{ transientStatuses: [200] }, 'transientStatuses'],
  [{ resumeWithoutValidator: 'blindly' as never }, 'resumeWithoutValidator'],
])('a wrong option of a call rejects it: %o', async (init, name) => {
  const heal = wrapFetch(() => Promise.reject(new Error('must not be called')));
  const error = await errorOf(heal('http://model/', init));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toMatch(new RegExp(`^Cannot send the request as ${name} must be .*: received`));
});

test('a wrong option of the wrap throws', () => {
  expect(() => wrapFetch(fetch, { retry: { maxAttempts: 0 } })).toThrow(ConfigError);
  expect(() => wrapFetch(fetch, { retires: {} } as never)).toThrow(ConfigError);
});

test('a status beyond those that a Response can be made with is kept', async () => {
  const odd = Object.defineProperty(new Response('denied'), 'status', { value: 999 });
  const response = await wrapFetch(() => Promise.resolve(odd))('http://model/');
  expect([response.status, response.ok, await response.text()]).toEqual([999, false, 'denied']);
});

test('an opaque answer is handed over as it is', async () => {
  const opaque = Object.defineProperties(new Response(null), { status: { value: 0 }, type: { value: 'opaque' } });
  const heal = wrapFetch(() => Promise.resolve(opaque));
  expect(await heal('http://model/')).toBe(opaque);
});

/** A browser's fetch over another origin that does not allow `Range`: it says nothing but that it failed. */
test('a platform that refuses ranges twice is asked for the whole body', async () => {
  const runtime = virtualRuntime(1);
  const whole = Uint8Array.from({ length: 1_000 }, (_, index) => index);
  const headers = { 'content-length': '1000', etag: '"1"', date: new Date(0).toUTCString() };
  const asked: (string | null)[] = [];
  const inner = async (_input: unknown, init: RequestInit = {}) => {
    const range = new Headers(init.headers).get('range');
    asked.push(range);
    if (range !== null) throw new TypeError('Failed to fetch');
    if (asked.length > 1) return new Response(whole, { headers });
    const chunks = [whole.slice(0, 400)];
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const chunk = chunks.pop();
      if (chunk === undefined) controller.error(new TypeError('network error'));
      else controller.enqueue(chunk);
    };
    return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), { headers });
  };
  const heal = createWrappedFetch(inner, {}, runtime);
  const bytes = await drive(
    runtime.clock,
    heal('http://model/').then((response) => response.arrayBuffer()),
  );
  expect(Buffer.from(bytes).equals(Buffer.from(whole))).toBe(true);
  expect(asked).toEqual([null, 'bytes=400-', 'bytes=400-', null]);
});

test('a listener that throws is told as an uncaught error, and does not disturb the call', async () => {
  await using played = await play({ resource: { sizeBytes } });
  const mine = new Error('mine');
  const onEvent = (event: { readonly type: string }) => {
    if (event.type === 'response') throw mine;
  };
  const told = untilUncaught();
  const response = await played.heal({ onEvent });
  expect((await response.arrayBuffer()).byteLength).toBe(sizeBytes);
  expect(await told).toBe(mine);
});

/** The next uncaught error, which the test runner is not told. */
function untilUncaught(): Promise<unknown> {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  return new Promise((resolve) => {
    process.once('uncaughtException', (error) => {
      for (const listener of others) process.on('uncaughtException', listener);
      resolve(error);
    });
  });
}

test('the error of a body tells a person what happened, and leads to the ledger', async () => {
  await using played = await play(
    { resource: { sizeBytes }, requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atByte: 0 } }] },
    { retry: { maxAttempts: 3 } },
  );
  const error = await errorOf(played.heal().then((response) => response.text()));
  expect(error.message).toBe('terminated');
  expect((error.cause as Error).message).toMatch(
    /^Request failed after 3 attempts in .*: connection (reset|closed) while reading the body at byte 0 of 300,000 \(\w+\) · GET http/,
  );
  expectCounted(played.run, error, 3);
});

test('credentials of the address are in no message and no ledger', async () => {
  await using played = await play({
    resource: { sizeBytes },
    requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'request' } }],
  });
  const url = `${played.run.url}&token=hunter2`;
  const error = await errorOf(played.heal({}, url));
  expect((error.cause as Error).message).not.toContain('hunter2');
  expect(JSON.stringify(ledgerOf(error))).not.toContain('hunter2');
});

test('a stall on a real connection is noticed and healed', async () => {
  await using played = await play(
    { resource: { sizeBytes }, requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 100_000 } }] },
    { timeouts: { stallMs: 100 } },
  );
  await expectHealed(played, await played.heal(), 2);
});

test('an abort closes the real connection', async () => {
  await using played = await play({
    resource: { sizeBytes },
    requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 100_000 } }],
  });
  const abort = new AbortController();
  const response = await played.heal({ signal: abort.signal });
  const body = errorOf(response.arrayBuffer());
  abort.abort();
  expect((await body).name).toBe('AbortError');
  await played.run.untilIdle();
  expectCounted(played.run, response, 1);
});

test('an answer that is dropped unread gives its connection back, though its signal lives on', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await using played = await play({ resource: { sizeBytes: 20_000_000 } });
  const abort = new AbortController();
  await (async () => void (await played.heal({ signal: abort.signal })))();
  const idle = played.run.untilIdle().then(() => true);
  while (!(await Promise.race([idle, turn()]))) collect();
  expect(abort.signal.aborted).toBe(false);
});
