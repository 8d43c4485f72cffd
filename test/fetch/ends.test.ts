/** Aborts, deadlines and clocks, in virtual time over scripted answers. */
import { expect, test } from 'vitest';
import { DeadlineError, type FetchInit, GaveUpError, ledgerOf, type WrapOptions } from '../../src/fetch/index.ts';
import { createWrappedFetch } from '../../src/fetch/wrap-fetch.ts';
import { type VirtualClock, virtualRuntime } from '../../src/runtime/index.ts';
import { errorOf } from './played.ts';
import { CountedAbort, drive, expectDrained, turn } from './virtual-call.ts';

type Script = (signal: AbortSignal, call: number, init: RequestInit) => Promise<Response> | Response;

function wrap(script: Script, options: WrapOptions = {}) {
  const runtime = virtualRuntime(1);
  const signals: AbortSignal[] = [];
  const fetch = async (_input: unknown, init: RequestInit = {}) => {
    signals.push(init.signal!);
    return script(init.signal!, signals.length, init);
  };
  const abort = new CountedAbort();
  const heal = createWrappedFetch(fetch, options, runtime);
  const call = (init: FetchInit = {}) => heal('http://model/', { signal: abort.signal, ...init });
  return { clock: runtime.clock, call, abort, signals, isQuiet: async () => expectQuiet(runtime.clock, abort) };
}

async function expectQuiet(clock: VirtualClock, abort: CountedAbort): Promise<void> {
  expect(abort.listeners).toBe(0);
  await expectDrained(clock);
}

/** A `fetch` that hears nobody. */
const deaf: Script = () => new Promise(() => {});
const reason = { my: 'reason' };

/** A body that sends `chunks` one by one when asked, and then stays silent. */
function silentAfter(...chunks: readonly number[]): ReadableStream<Uint8Array> {
  const left = [...chunks];
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const bytes = left.shift();
    if (bytes === undefined) return new Promise<void>(() => {});
    controller.enqueue(new Uint8Array(bytes));
    return undefined;
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

const partial = (...chunks: readonly number[]) =>
  new Response(silentAfter(...chunks), { headers: { 'content-length': '1000', etag: '"1"', 'accept-ranges': 'none' } });

test('an abort while waiting for the answer settles at once, with the reason of the signal', async () => {
  const { call, abort, signals, isQuiet } = wrap(deaf);
  const answer = errorOf(call());
  await turn();
  abort.abort(reason);
  expect(await answer).toBe(reason);
  expect(signals[0]?.aborted).toBe(true);
  await isQuiet();
});

test('an answer that comes behind the abort is cancelled', async () => {
  let isCancelled = false;
  let send: (response: Response) => void = () => {};
  const { call, abort } = wrap(() => new Promise((resolve) => (send = resolve)));
  const answer = errorOf(call());
  await turn();
  abort.abort(reason);
  expect(await answer).toBe(reason);
  send(
    new Response(
      new ReadableStream({
        cancel: () => {
          isCancelled = true;
        },
      }),
    ),
  );
  await turn();
  expect(isCancelled).toBe(true);
});

test('an abort in the pause between two attempts settles at once, and no attempt follows', async () => {
  const { call, abort, signals, isQuiet } = wrap(
    () => new Response('', { status: 503, headers: { 'retry-after': '100' } }),
  );
  const answer = errorOf(call());
  await turn();
  expect(signals.length).toBe(1);
  abort.abort(reason);
  expect(await answer).toBe(reason);
  await isQuiet();
  expect(signals.length).toBe(1);
});

test('an abort errors a body at once, whether it is being read or not', async () => {
  for (const isReading of [true, false]) {
    const { call, abort, signals, isQuiet } = wrap(() => partial(10));
    const response = await call();
    const reader = response.body!.getReader();
    await reader.read();
    const next = isReading ? errorOf(reader.read()) : undefined;
    await turn();
    abort.abort(reason);
    expect(await (next ?? errorOf(reader.read()))).toBe(reason);
    expect(signals[0]?.aborted).toBe(true);
    expect(ledgerOf(response)?.outcome).toBe('aborted');
    await isQuiet();
  }
});

test('a hop that never left is not counted, also where the abort comes in the pause behind it', async () => {
  const refused = new TypeError('fetch failed', {
    cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' }),
  });
  const { clock, call, abort, signals } = wrap(
    (_signal, number) => (number === 1 ? partial(10) : Promise.reject(refused)),
    {
      timeouts: { stallMs: 1_000 },
    },
  );
  const response = await call();
  const body = errorOf(response.text());
  while (signals.length < 2) {
    clock.step();
    await turn();
  }
  abort.abort(reason);
  expect(await body).toBe(reason);
  expect(ledgerOf(response)).toMatchObject({ attemptCount: 2, hopCount: 1 });
});

test('a signal that is aborted already sends nothing', async () => {
  const { call, abort, signals } = wrap(deaf);
  abort.abort(reason);
  expect(await errorOf(call())).toBe(reason);
  expect(signals.length).toBe(0);
});

test('an abort while the body of a Request object is read settles at once', async () => {
  const runtime = virtualRuntime(1);
  const heal = createWrappedFetch(() => Promise.reject(new Error('must not be called')), {}, runtime);
  const abort = new AbortController();
  const body = new ReadableStream({ pull: () => new Promise<void>(() => {}) });
  const request = new Request('http://model/', { method: 'PUT', body, duplex: 'half', signal: abort.signal });
  const answer = errorOf(heal(request));
  await turn();
  abort.abort(reason);
  expect(await answer).toBe(reason);
});

test('cancelling the body closes the hop, takes the listener away and counts as aborted', async () => {
  const { call, signals, isQuiet } = wrap(() => partial(10));
  const response = await call();
  await response.body!.cancel();
  expect(signals[0]?.aborted).toBe(true);
  expect(ledgerOf(response)?.outcome).toBe('aborted');
  await isQuiet();
});

test('a body that is read to its end leaves nothing behind', async () => {
  const { call, isQuiet } = wrap(() => new Response('hello'));
  expect(await (await call({ deadlineMs: 1_000 })).text()).toBe('hello');
  await isQuiet();
});

test('an empty answer that nobody reads leaves nothing behind', async () => {
  const answers = [
    new Response('', { headers: { 'content-length': '0' } }),
    new Response(null, { status: 204 }),
    new Response(null, { status: 304 }),
  ];
  for (const answer of answers) {
    const { call, isQuiet } = wrap(() => answer);
    const response = await call({ deadlineMs: 1_000 });
    expect(ledgerOf(response)?.outcome).toBe('complete');
    await isQuiet();
    expect(await response.text()).toBe('');
  }
});

test('the deadline ends the wait for an answer', async () => {
  const { clock, call, isQuiet } = wrap(deaf);
  const error = await errorOf(drive(clock, call({ deadlineMs: 5_000 })));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.cause).toBeInstanceOf(DeadlineError);
  expect(clock.nowMs()).toBe(5_000);
  await isQuiet();
});

test('the deadline ends a body that nobody reads', async () => {
  const { clock, call, signals, isQuiet } = wrap(() => partial(10));
  const response = await call({ deadlineMs: 5_000 });
  while (clock.step()) await turn();
  expect(clock.nowMs()).toBe(5_000);
  expect(signals[0]?.aborted).toBe(true);
  const error = await errorOf(response.text());
  expect([error.message, (error.cause as Error).name]).toEqual(['terminated', 'DeadlineError']);
  await isQuiet();
});

test('no wait is begun that would end behind the deadline', async () => {
  const busy = () => new Response('', { status: 503, headers: { 'retry-after': '10' } });
  const { clock, call } = wrap(busy);
  const error = await errorOf(drive(clock, call({ deadlineMs: 5_000, throwOnStatus: true })));
  expect(error.cause).toBeInstanceOf(DeadlineError);
  expect(clock.nowMs()).toBe(0);
});

test('an answer that does not come is given up after `headersMs`, and asked for again', async () => {
  const { clock, call, signals } = wrap(
    (_signal, number) => (number === 1 ? new Promise(() => {}) : new Response('late')),
    {
      timeouts: { headersMs: 1_000 },
    },
  );
  const response = await drive(clock, call());
  expect(await response.text()).toBe('late');
  expect(signals[0]?.aborted).toBe(true);
  expect(ledgerOf(response)?.attempts[0]?.failure).toMatchObject({ kind: 'headers-timeout' });
});

test('the time that a large upload needs at the slowest rate is not held against the answer', async () => {
  const { clock, call } = wrap(deaf, {
    timeouts: { headersMs: 1_000, minBytesPerSecond: 1_000 },
    retry: { maxAttempts: 1 },
  });
  const error = await errorOf(drive(clock, call({ method: 'PUT', body: new Uint8Array(65_536 + 9_000) })));
  expect((error.cause as GaveUpError).failure).toMatchObject({ kind: 'headers-timeout' });
  expect(clock.nowMs()).toBe(10_000);
});

test('a request stream that is slow itself is no silence of the server', async () => {
  const runtime = virtualRuntime(1);
  const { clock } = runtime;
  const heal = createWrappedFetch(
    async (_input, init) => new Response(await new Response(init!.body as ReadableStream).text()),
    { timeouts: { headersMs: 500 } },
    runtime,
  );
  async function* slowly() {
    for (const letter of 'abc') {
      await new Promise<void>((resolve) => clock.after(2_000, resolve));
      yield letter;
    }
  }
  const response = await drive(clock, heal('http://model/', { method: 'POST', body: slowly() }));
  expect(await response.text()).toBe('abc');
  expect(clock.nowMs()).toBe(6_000);
});

test('a silent body is a stall, and is asked for again', async () => {
  const { clock, call, signals } = wrap(
    (_signal, number) =>
      number === 1
        ? partial(400)
        : new Response(new Uint8Array(1_000), { headers: { 'content-length': '1000', etag: '"1"' } }),
    { timeouts: { stallMs: 2_000 }, retry: { baseDelayMs: 1 } },
  );
  const response = await call();
  const bytes = await drive(clock, response.arrayBuffer());
  expect(bytes.byteLength).toBe(1_000);
  expect(signals[0]?.aborted).toBe(true);
  expect(ledgerOf(response)?.attempts[0]?.failure).toMatchObject({ kind: 'stall' });
  expect(clock.nowMs()).toBeLessThan(2_200);
});

test('a paused reader is no stall', async () => {
  const { clock, call } = wrap(() => new Response(silentAfter(10, 990), { headers: { 'content-length': '1000' } }));
  const response = await call();
  const reader = response.body!.getReader();
  await reader.read();
  clock.after(3_600_000, () => {});
  while (clock.step()) await turn();
  expect((await reader.read()).value?.byteLength).toBe(990);
  expect(ledgerOf(response)).toMatchObject({ attemptCount: 1, outcome: 'open' });
});

test('a body below the slowest rate is a failed attempt', async () => {
  const { clock, call } = wrap(
    () => {
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
        await new Promise<void>((resolve) => clock.after(1_000, resolve));
        controller.enqueue(new Uint8Array(10));
      };
      return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), {
        headers: { 'content-length': '100000', etag: '"1"', 'accept-ranges': 'none' },
      });
    },
    { timeouts: { stallMs: 5_000, minBytesPerSecond: 100 }, retry: { maxAttempts: 1 } },
  );
  const response = await drive(clock, call());
  const error = await errorOf(drive(clock, response.text()));
  expect((error.cause as GaveUpError).failure).toMatchObject({ kind: 'trickle' });
  expect(clock.nowMs()).toBeLessThan(6_000);
});

test('an event stream may be silent for as long as it likes', async () => {
  const { clock, call } = wrap(
    () => new Response(silentAfter(10), { headers: { 'content-type': 'text/event-stream' } }),
  );
  const reader = (await call()).body!.getReader();
  await reader.read();
  const next = reader.read();
  clock.after(3_600_000, () => {});
  for (let steps = 0; steps < 40_000 && clock.nowMs() < 3_600_000; steps += 1) clock.step();
  const late = new Promise((resolve) => setImmediate(() => resolve('still open')));
  expect(await Promise.race([next, late])).toBe('still open');
});

test('a rejection with a ReknitError as the reason of an abort is not wrapped', async () => {
  const { call, abort } = wrap(deaf);
  const answer = errorOf(call());
  await turn();
  const own = new GaveUpError('permanent', 'mine');
  abort.abort(own);
  expect(await answer).toBe(own);
});
