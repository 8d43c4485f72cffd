/** The rules of a pool as a person would state them, in virtual time: no test waits. */
import { describe, expect, test } from 'vitest';
import { type Failure, type GaveUpError, statusVerdict, tagFailure } from '../../src/core/index.ts';
import { createPoolOn, type PoolEvent, type PoolOptions, trailOf } from '../../src/pool/index.ts';
import { playOut, settled, virtualRuntime } from './virtual-time.ts';

const refused: Failure = {
  origin: 'tcp',
  phase: 'connect',
  kind: 'refused',
  transient: true,
  mayHaveRun: false,
  code: 'ECONNREFUSED',
  what: 'connection refused',
};

function failing(failure: Failure): Error {
  const error = new Error(failure.what);
  tagFailure(error, failure);
  return error;
}

function status(code: number, pushbackMs?: number): Error {
  const transientStatuses = new Set([408, 425, 429, 500, 502, 503, 504, 529]);
  return failing(statusVerdict(code, { transientStatuses, pushbackMs })!);
}

/** What each upstream does, call by call; after the list it works. */
type Script = Readonly<Record<string, readonly (Error | 'ok')[]>>;

function setUp(script: Script, options: PoolOptions<string> = {}) {
  const runtime = virtualRuntime(1);
  const events: PoolEvent[] = [];
  const visits: string[] = [];
  const pool = createPoolOn(runtime, Object.keys(script), { onEvent: (event) => events.push(event), ...options });
  const counts = new Map<string, number>();
  const operation = async (name: string) => {
    visits.push(name);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    const act = script[name]![count] ?? 'ok';
    if (act !== 'ok') throw act;
    return `${name} answers`;
  };
  const run = (more: Parameters<typeof pool.run>[2] = {}) =>
    playOut(runtime.clock, pool.run('chat', operation, more as object));
  const statusOf = (name: string) => pool.status().find((one) => one.name === name)!;
  return { runtime, pool, operation, run, events, visits, statusOf };
}

async function errorOf(running: Promise<unknown>): Promise<GaveUpError> {
  return await running.then(
    () => expect.unreachable('it should have failed'),
    (error: GaveUpError) => error,
  );
}

const always = (error: Error) => Array.from({ length: 100 }, () => error);
const types = (events: readonly PoolEvent[]) => events.map(({ type }) => type);

describe('one upstream', () => {
  test('that refuses twice and then works answers in the third round; one number everywhere', async () => {
    const { run, events, runtime, statusOf } = setUp({ a: [failing(refused), failing(refused)] });
    const { value, trail, upstream } = await run();
    expect(value).toBe('a answers');
    expect(upstream).toBe('a');
    expect(
      trail.map(({ attemptNumber, roundNumber, outcomeClass }) => [attemptNumber, roundNumber, outcomeClass]),
    ).toEqual([
      [1, 1, 'transient'],
      [2, 2, 'transient'],
      [3, 3, undefined],
    ]);
    expect(types(events)).toEqual(['attempt', 'failure', 'retry', 'attempt', 'failure', 'retry', 'attempt', 'success']);
    expect(events.at(-1)).toMatchObject({ operation: 'chat', totalAttempts: 3, totalRounds: 3, attempt: 3, round: 3 });
    const waits = events.filter((event) => event.type === 'retry').map(({ delayMs }) => delayMs);
    expect(waits[0]).toBeLessThanOrEqual(500);
    expect(waits[1]).toBeLessThanOrEqual(1_000);
    expect(runtime.clock.nowMs()).toBe(waits[0]! + waits[1]!);
    expect(runtime.clock.pending).toBe(0);
    // The charge was taken back by the answer.
    expect(statusOf('a')).toMatchObject({
      consecutiveFailures: 0,
      failedRequests: 0,
      succeededRequests: 1,
      attempts: 3,
    });
  });

  test('that fails in every round: one failure is counted, and the error tells the whole way', async () => {
    const { run, events, statusOf } = setUp({ a: always(status(503)) });
    const error = await errorOf(run());
    expect(error.reason).toBe('upstreams-exhausted');
    expect(error.trail).toHaveLength(3);
    expect(error.ledger?.attemptCount).toBe(3);
    expect(error.message).toMatch(
      /^Request failed after 3 attempts in .*HTTP 503.*no upstream is left to ask · RUN chat$/m,
    );
    expect(error.message).toMatch(/attempt 3, round 3, a: HTTP 503/);
    expect(events.at(-1)).toMatchObject({
      type: 'all-failed',
      totalAttempts: 3,
      totalRounds: 3,
      outcomeClass: 'transient',
    });
    expect(statusOf('a')).toMatchObject({ consecutiveFailures: 1, failedRequests: 1 });
  });

  test('is never ejected, however often it fails, and serves at once when it is well', async () => {
    const { run, statusOf } = setUp({ a: Array.from({ length: 60 }, () => status(503)) });
    for (let i = 0; i < 20; i += 1) await errorOf(run());
    expect(statusOf('a')).toMatchObject({ state: 'in-service', consecutiveFailures: 20, attempts: 60 });
    expect((await run()).trail).toHaveLength(1);
  });

  test('with a wrong key is asked once', async () => {
    const { run, visits, statusOf } = setUp({ a: always(status(401)) });
    const error = await errorOf(run());
    expect(error).toMatchObject({ reason: 'upstreams-exhausted', failure: { status: 401 } });
    expect(visits).toEqual(['a']);
    expect(statusOf('a').failedRequests).toBe(0);
  });
});

describe('several upstreams', () => {
  test('the next one is asked at once, without a wait', async () => {
    const { run, runtime, events } = setUp({ a: always(failing(refused)), b: [] }, {});
    const { value } = await run();
    expect(value).toBe('b answers');
    expect(runtime.clock.nowMs()).toBe(0);
    const retry = events.find(({ type }) => type === 'retry');
    if (retry !== undefined) expect(retry).toMatchObject({ delayMs: 0, upstream: 'b' });
  });

  test('whatever the order, the next round visits those whose own last outcome may pass', async () => {
    const orders = [
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
      ['b', 'a', 'c'],
    ];
    for (const order of orders) {
      const script = { a: always(status(503)), b: always(status(401)), c: always(status(410)) };
      const given = Object.fromEntries(order.map((name) => [name, script[name as 'a']]));
      const { run, visits } = setUp(given);
      const error = await errorOf(run());
      expect(visits.slice(0, 3).toSorted()).toEqual(['a', 'b', 'c']);
      expect(visits.slice(3)).toEqual(['a', 'a']);
      // By class, never the last one.
      expect(error.failure?.status).toBe(503);
    }
  });

  test('with the gate `all` one bad key ends it after the first round', async () => {
    const { run, visits } = setUp({ a: always(status(503)), b: always(status(401)) }, { rounds: { gate: 'all' } });
    await errorOf(run());
    expect(visits).toHaveLength(2);
  });

  test('a caller’s error stops at once and is raised as it is', async () => {
    const wrong = status(422);
    const { run, visits, events, pool } = setUp({ a: [wrong], b: [wrong] });
    const error = await errorOf(run());
    expect(error).toBe(wrong);
    expect(visits).toHaveLength(1);
    expect(trailOf(error)).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: 'stopped', outcomeClass: 'caller', totalAttempts: 1 });
    expect(pool.status().map(({ failedRequests }) => failedRequests)).toEqual([0, 0]);
  });

  test('a JSON parse error in the operation is raised at once and charges nobody', async () => {
    const { pool, runtime } = setUp({ a: [], b: [] });
    let calls = 0;
    const running = pool.run('parse', () => {
      calls += 1;
      return JSON.parse('{ not json') as unknown;
    });
    await expect(playOut(runtime.clock, running)).rejects.toBeInstanceOf(SyntaxError);
    expect(calls).toBe(1);
    expect(pool.status().map(({ failedRequests, inFlight }) => [failedRequests, inFlight])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('the failure below counts, however it was wrapped', async () => {
    const { run, visits } = setUp({
      a: [new Error('cannot unpack', { cause: new Error('zip', { cause: failing(refused) }) })],
    });
    expect((await run()).value).toBe('a answers');
    expect(visits).toEqual(['a', 'a']);
  });

  test('`classify` has the last word', async () => {
    const odd = new Error('the answer was "try again"');
    const { run, visits } = setUp({ a: [odd] }, { classify: (error) => (error === odd ? 'transient' : undefined) });
    expect((await run()).value).toBe('a answers');
    expect(visits).toEqual(['a', 'a']);
  });

  test('too big goes only to an upstream that is declared to take more', async () => {
    const runtime = virtualRuntime(3);
    const upstreams = [
      { name: 'small', inputLimit: 100 },
      { name: 'other', inputLimit: 100, tier: 1 },
      { name: 'large', inputLimit: 1_000, tier: 2 },
    ];
    const pool = createPoolOn(runtime, upstreams);
    const asked: string[] = [];
    const running = pool.run('chat', ({ name }) => {
      asked.push(name);
      if (name !== 'large') throw status(413);
      return 'fits';
    });
    expect((await playOut(runtime.clock, running)).value).toBe('fits');
    expect(asked).toEqual(['small', 'large']);
  });

  test('a higher tier is asked when the lower one has failed', async () => {
    const runtime = virtualRuntime(3);
    const pool = createPoolOn(runtime, [{ name: 'spare', tier: 1 }, { name: 'main' }]);
    for (let i = 0; i < 20; i += 1) {
      const asked: string[] = [];
      const running = pool.run('x', ({ name }) => {
        asked.push(name);
        if (name === 'main') throw failing(refused);
      });
      await playOut(runtime.clock, running);
      // After ten failed requests `main` is ejected, and asked after `spare`, but for its probes.
      expect(asked).toEqual(i < 10 ? ['main', 'spare'] : ['spare']);
    }
  });

  test('requests share out by weight', async () => {
    const runtime = virtualRuntime(7);
    const pool = createPoolOn(runtime, [
      { name: 'a', weight: 3 },
      { name: 'b', weight: 1 },
    ]);
    let first = 0;
    for (let i = 0; i < 4_000; i += 1) {
      const { upstream } = await pool.run('x', () => undefined);
      if (upstream.name === 'a') first += 1;
    }
    // Binomial with p = 3/4: five standard deviations are 137.
    expect(Math.abs(first - 3_000)).toBeLessThan(137);
  });

  test('a weight of 0 takes an upstream out of service', async () => {
    const runtime = virtualRuntime(7);
    const pool = createPoolOn(runtime, [{ name: 'a', weight: 0 }, { name: 'b' }]);
    for (let i = 0; i < 50; i += 1) expect((await pool.run('x', () => 1)).upstream.name).toBe('b');
    const only = await errorOf(pool.run('x', () => 1, { mayUse: ({ name }) => name === 'a' }));
    expect(only).toMatchObject({
      reason: 'upstreams-exhausted',
      failure: { what: 'no upstream may take this request' },
    });
  });
});

describe('pushback', () => {
  test('an upstream is not asked before the time that it named, by no request', async () => {
    const { run, runtime, visits, events } = setUp({ a: [status(429, 3_000)] });
    await run();
    expect(runtime.clock.nowMs()).toBeGreaterThanOrEqual(3_000);
    expect(runtime.clock.nowMs()).toBeLessThanOrEqual(3_300);
    expect(events.find(({ type }) => type === 'retry')).toMatchObject({ because: 'pushback' });
    expect(visits).toHaveLength(2);
  });

  test('the next request waits, too, where there is nobody else', async () => {
    const { pool, operation, runtime, events } = setUp({ a: [status(429, 3_000)] }, { rounds: { maxRounds: 1 } });
    await errorOf(playOut(runtime.clock, pool.run('first', operation)));
    await playOut(runtime.clock, pool.run('second', operation));
    expect(runtime.clock.nowMs()).toBeGreaterThanOrEqual(3_000);
    expect(events.find(({ type }) => type === 'wait')).toMatchObject({ operation: 'second', attempt: 0 });
    expect(events.at(-1)).toMatchObject({ type: 'success', totalAttempts: 1, totalRounds: 1 });
  });

  test('another upstream is asked at once instead', async () => {
    const { run, runtime, pool } = setUp({ a: [status(429, 60_000)], b: [] });
    for (let i = 0; i < 20; i += 1) await run();
    expect(runtime.clock.nowMs()).toBe(0);
    expect(pool.status().find(({ name }) => name === 'a')).toMatchObject({ attempts: 1, failedRequests: 0 });
  });

  test('one that passes the deadline ends the request at once, and says when to come back', async () => {
    const { run, runtime } = setUp({ a: always(status(429, 20_000)) });
    const error = await errorOf(run({ deadlineMs: 5_000 }));
    expect(error).toMatchObject({ code: 'ERR_REKNIT_DEADLINE', failure: { kind: 'throttled', pushbackMs: 20_000 } });
    expect(runtime.clock.nowMs()).toBe(0);
    const next = await errorOf(run({ deadlineMs: 5_000 }));
    expect(next).toMatchObject({ code: 'ERR_REKNIT_DEADLINE', failure: { pushbackMs: 20_000 } });
  });

  test('the shortest of several counts', async () => {
    const { run } = setUp(
      { a: always(status(429, 40_000)), b: always(status(429, 20_000)) },
      { rounds: { maxRounds: 1 } },
    );
    expect((await errorOf(run())).failure?.pushbackMs).toBe(20_000);
  });
});

describe('ends', () => {
  test('an abort during the wait between rounds settles at once and leaves nothing', async () => {
    const { pool, operation, runtime, events, statusOf } = setUp({ a: always(status(429, 60_000)) });
    const stop = new AbortController();
    const running = pool.run('chat', operation, { signal: stop.signal });
    running.catch(() => {});
    await settled();
    expect(runtime.clock.pending).toBe(1);
    const reason = new Error('the caller left');
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(runtime.clock.pending).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'stopped', outcomeClass: 'cancelled', totalAttempts: 1 });
    expect(statusOf('a')).toMatchObject({ failedRequests: 0, inFlight: 0 });
  });

  test('an abort during an attempt settles at once, also where the operation does not listen', async () => {
    const { pool, runtime, events, statusOf } = setUp({ a: [] });
    const stop = new AbortController();
    let heard: AbortSignal | undefined;
    const running = pool.run(
      'deaf',
      (_upstream, { signal }) => {
        heard = signal;
        return new Promise<never>(() => {});
      },
      { signal: stop.signal, deadlineMs: 60_000 },
    );
    running.catch(() => {});
    await settled();
    stop.abort(new Error('left'));
    await expect(running).rejects.toThrow('left');
    expect(heard?.aborted).toBe(true);
    expect(runtime.clock.pending).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'stopped', outcomeClass: 'cancelled' });
    expect(statusOf('a')).toMatchObject({ failedRequests: 0, inFlight: 0 });
  });

  test('a signal that is aborted already starts nothing', async () => {
    const { pool, visits, events } = setUp({ a: [] });
    await expect(pool.run('x', () => 1, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    expect([visits, events]).toEqual([[], []]);
  });

  test('the last candidate gets all the time that is left, the others their share', async () => {
    const { pool, runtime } = setUp({ a: [], b: [] }, { attemptMs: 1_000 });
    const limits: number[] = [];
    const running = pool.run(
      'silent',
      (_upstream, { signal }) =>
        new Promise<never>(() => {
          const startedAtMs = runtime.clock.nowMs();
          signal.addEventListener('abort', () => limits.push(runtime.clock.nowMs() - startedAtMs));
        }),
      { deadlineMs: 10_000 },
    );
    const error = await errorOf(playOut(runtime.clock, running));
    expect(limits).toEqual([1_000, 9_000]);
    expect(error).toMatchObject({ code: 'ERR_REKNIT_DEADLINE' });
    expect(trailOf(error).map(({ outcomeClass }) => outcomeClass)).toEqual(['slow', 'slow']);
  });

  test('a deadline that left little time is charged to nobody, a long silence is', async () => {
    const { pool, runtime, statusOf } = setUp({ a: [] });
    const silent = () => new Promise<never>(() => {});
    await errorOf(playOut(runtime.clock, pool.run('x', silent, { deadlineMs: 1_000 })));
    expect(statusOf('a').failedRequests).toBe(0);
    await errorOf(playOut(runtime.clock, pool.run('x', silent, { deadlineMs: 40_000 })));
    expect(statusOf('a').failedRequests).toBe(1);
  });

  test('no wait is started that would pass the deadline, and a short one is shortened', async () => {
    const { run, runtime } = setUp({ a: always(failing(refused)) }, { rounds: { maxRounds: 50, maxAttempts: 50 } });
    await errorOf(run({ deadlineMs: 100 }));
    expect(runtime.clock.nowMs()).toBeLessThanOrEqual(100);
  });

  test('what may have run and must not run twice is not tried again', async () => {
    const reset: Failure = { ...refused, phase: 'wait', kind: 'reset', mayHaveRun: true };
    const { run, visits } = setUp({ a: [failing(reset)], b: [failing(reset)] });
    expect(await errorOf(run({ repeatable: false }))).toMatchObject({ reason: 'may-have-run' });
    expect(visits).toHaveLength(1);
  });

  test('what provably has not run is', async () => {
    const { run, visits } = setUp({ a: [failing(refused)], b: [failing(refused)] });
    await run({ repeatable: false });
    expect(visits.length).toBeGreaterThan(1);
  });

  test('retries stay within the budget, over rounds and upstreams', async () => {
    const { run, visits } = setUp(
      { a: always(failing(refused)), b: always(failing(refused)) },
      { budget: { ratio: 0, capacity: 7 } },
    );
    const reasons: string[] = [];
    for (let i = 0; i < 10; i += 1) reasons.push((await errorOf(run())).reason);
    expect(visits).toHaveLength(10 + 7);
    expect(reasons.slice(0, 1)).toEqual(['upstreams-exhausted']);
    expect(reasons.slice(2)).toEqual(Array.from({ length: 8 }, () => 'budget-exhausted'));
  });

  test('ten thousand rounds use one stack frame', async () => {
    const { run } = setUp(
      { a: Array.from({ length: 9_999 }, () => failing(refused)) },
      {
        rounds: { maxRounds: 20_000, maxAttempts: 20_000, baseDelayMs: 0 },
        budget: { ratio: 0, capacity: 20_000 },
      },
    );
    expect((await run()).trail.at(-1)?.attemptNumber).toBe(10_000);
  });
});

describe('ejection', () => {
  test('ten failed requests in a row take an upstream out, thirty failed attempts of three do not', async () => {
    const { run, statusOf } = setUp(
      { a: always(failing(refused)), b: always(failing(refused)) },
      {
        rounds: { maxAttempts: 40 },
      },
    );
    for (let i = 0; i < 9; i += 1) await errorOf(run());
    expect(statusOf('a')).toMatchObject({ state: 'in-service', consecutiveFailures: 9, attempts: 27 });
    await errorOf(run());
    const states = [statusOf('a').state, statusOf('b').state].toSorted();
    // The other one is the last, and stays.
    expect(states).toEqual(['ejected', 'in-service']);
  });

  test('one request in time brings it back, the others do not go there meanwhile', async () => {
    const { pool, runtime, events } = setUp({ a: [], b: [] });
    let isBroken = true;
    const asked: string[] = [];
    const operation = async (name: string) => {
      asked.push(name);
      if (name === 'a' && isBroken) throw failing(refused);
      return name;
    };
    const run = () => playOut(runtime.clock, pool.run('x', operation));
    while (pool.status()[0]!.state !== 'ejected') await run();
    const { ejectedForMs } = pool.status()[0]!;
    expect(ejectedForMs).toBeGreaterThanOrEqual(4_000);
    expect(ejectedForMs).toBeLessThanOrEqual(6_000);

    asked.length = 0;
    for (let i = 0; i < 50; i += 1) await run();
    expect(asked).toEqual(Array.from({ length: 50 }, () => 'b'));

    // Still broken: the probe is one request, it is answered by the other one, and the next ejection is longer.
    runtime.clock.after(ejectedForMs, () => {});
    runtime.clock.step();
    asked.length = 0;
    for (let i = 0; i < 10; i += 1) await run();
    expect(asked.filter((name) => name === 'a')).toHaveLength(1);
    expect(pool.status()[0]!.ejectedForMs).toBeGreaterThanOrEqual(8_000);

    isBroken = false;
    runtime.clock.after(pool.status()[0]!.ejectedForMs, () => {});
    runtime.clock.step();
    events.length = 0;
    asked.length = 0;
    await run();
    expect(asked).toEqual(['a']);
    expect(types(events)).toEqual(['probe', 'attempt', 'returned', 'success']);
    expect(pool.status()[0]).toMatchObject({ state: 'in-service', consecutiveFailures: 0 });

    // Its share grows over ten seconds.
    const share = async () => {
      asked.length = 0;
      for (let i = 0; i < 400; i += 1) await run();
      return asked.filter((name) => name === 'a').length / 400;
    };
    expect(await share()).toBeLessThan(0.2);
    runtime.clock.after(10_000, () => {});
    runtime.clock.step();
    expect(Math.abs((await share()) - 0.5)).toBeLessThan(0.1);
  });

  test('only one request probes, however many come at once', async () => {
    const { pool, runtime } = setUp({ a: [], b: [] });
    const asked: string[] = [];
    const gates: (() => void)[] = [];
    while (pool.status()[0]!.state !== 'ejected') {
      const running = pool.run('x', (name) => {
        if (name === 'a') throw failing(refused);
      });
      await playOut(runtime.clock, running);
    }
    runtime.clock.after(7_000, () => {});
    runtime.clock.step();
    const held = async (name: string) => {
      asked.push(name);
      await new Promise<void>((resolve) => gates.push(resolve));
    };
    const all = Array.from({ length: 20 }, () => pool.run('x', held));
    await settled();
    expect(asked.filter((name) => name === 'a')).toHaveLength(1);
    expect(pool.status()[0]!.state).toBe('probing');
    for (const open of gates) open();
    await Promise.all(all);
    expect(pool.status()[0]!.state).toBe('in-service');
  });

  test('a probe that is throttled or cancelled says nothing: the next request probes', async () => {
    const { pool, runtime } = setUp({ a: [], b: [] });
    let act: () => unknown = () => {
      throw failing(refused);
    };
    const operation = async (name: string) => (name === 'a' ? act() : name);
    while (pool.status()[0]!.state !== 'ejected') await playOut(runtime.clock, pool.run('x', operation));
    runtime.clock.after(7_000, () => {});
    runtime.clock.step();
    act = () => {
      throw status(429);
    };
    await playOut(runtime.clock, pool.run('x', operation));
    expect(pool.status()[0]!.state).toBe('ejected');
    act = () => 'well';
    expect((await playOut(runtime.clock, pool.run('x', operation))).value).toBe('well');
    expect(pool.status()[0]!.state).toBe('in-service');
  });

  test('half of twenty failing is enough', async () => {
    const { pool, runtime } = setUp({ a: [], b: [] });
    const only = (fails: boolean) =>
      pool.run(
        'x',
        () => {
          if (fails) throw failing(refused);
        },
        { mayUse: (name) => name === 'a' },
      );
    for (let i = 0; i < 10; i += 1) {
      await playOut(runtime.clock, only(false));
      expect(pool.status()[0]!.state).toBe('in-service');
      await errorOf(playOut(runtime.clock, only(true)));
    }
    expect(pool.status()[0]!.state).toBe('ejected');
  });
});
