/** Generated troubles, many requests at once, in virtual time: what must hold of a pool whatever happens. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Failure, ledgerOf, tagFailure } from '../../src/core/index.ts';
import { createPoolOn, type PoolEvent, trailOf } from '../../src/pool/index.ts';
import { playOut, virtualRuntime } from './virtual-time.ts';

type Act =
  | { readonly kind: 'answer'; readonly afterMs: number }
  | { readonly kind: 'fail'; readonly afterMs: number; readonly failure: Failure }
  | { readonly kind: 'bug'; readonly afterMs: number }
  | { readonly kind: 'silence' };

const base: Failure = {
  origin: 'tcp',
  phase: 'connect',
  kind: 'refused',
  transient: true,
  mayHaveRun: false,
  what: 'connection refused',
};
const final = { origin: 'status', phase: 'wait', kind: 'status', transient: false, mayHaveRun: true } as const;

const failure: fc.Arbitrary<Failure> = fc.oneof(
  { arbitrary: fc.constant(base), weight: 4 },
  { arbitrary: fc.constant<Failure>({ ...base, kind: 'reset', phase: 'wait', mayHaveRun: true }), weight: 3 },
  {
    arbitrary: fc
      .integer({ min: 0, max: 4_000 })
      .map<Failure>((pushbackMs) => ({ ...base, origin: 'status', kind: 'throttled', status: 429, pushbackMs })),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom(400, 401, 404, 410, 413, 501).map<Failure>((status) => ({ ...base, ...final, status })),
    weight: 2,
  },
);
const afterMs = fc.integer({ min: 0, max: 3_000 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { arbitrary: afterMs.map<Act>((ms) => ({ kind: 'answer', afterMs: ms })), weight: 4 },
  {
    arbitrary: fc.tuple(afterMs, failure).map<Act>(([ms, one]) => ({ kind: 'fail', afterMs: ms, failure: one })),
    weight: 6,
  },
  { arbitrary: afterMs.map<Act>((ms) => ({ kind: 'bug', afterMs: ms })), weight: 1 },
  { arbitrary: fc.constant<Act>({ kind: 'silence' }), weight: 1 },
);

const schedule = fc.record({
  upstreams: fc.integer({ min: 1, max: 4 }),
  /** What each upstream does, visit by visit, over and over. */
  acts: fc.array(fc.array(act, { minLength: 1, maxLength: 8 }), { minLength: 4, maxLength: 4 }),
  requests: fc.array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 20_000 }),
      deadlineMs: fc.option(fc.integer({ min: 1, max: 30_000 }), { nil: undefined }),
      abortAfterMs: fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined, freq: 5 }),
      repeatable: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  capacity: fc.integer({ min: 0, max: 100 }),
  seed: fc.integer(),
});

interface Visit {
  readonly request: string;
  readonly upstream: string;
  readonly atMs: number;
}

async function play(plan: typeof schedule extends fc.Arbitrary<infer T> ? T : never) {
  const runtime = virtualRuntime(plan.seed);
  const { clock } = runtime;
  const events: PoolEvent[] = [];
  const eventTimes: number[] = [];
  const visits: Visit[] = [];
  const names = Array.from({ length: plan.upstreams }, (_, index) => `u${index}`);
  const counts = new Map<string, number>();
  const options = { attemptMs: 8_000, budget: { ratio: 0.2, capacity: plan.capacity } };
  const onEvent = (event: PoolEvent) => {
    events.push(event);
    eventTimes.push(clock.nowMs());
  };
  const pool = createPoolOn(runtime, names, { ...options, onEvent });

  const visit = (request: string, upstream: string): Promise<string> => {
    const count = counts.get(upstream) ?? 0;
    counts.set(upstream, count + 1);
    visits.push({ request, upstream, atMs: clock.nowMs() });
    const acts = plan.acts[names.indexOf(upstream)]!;
    const what = acts[count % acts.length]!;
    return new Promise((resolve, reject) => {
      if (what.kind === 'silence') return;
      clock.after(what.afterMs, () => {
        if (what.kind === 'answer') return resolve(upstream);
        if (what.kind === 'bug') return reject(new TypeError('a bug'));
        const error = new Error(what.failure.what);
        tagFailure(error, what.failure);
        reject(error);
      });
    });
  };

  const ends = plan.requests.map(async ({ atMs, deadlineMs, abortAfterMs, repeatable }, index) => {
    await new Promise<void>((resolve) => clock.after(atMs, resolve));
    const stop = new AbortController();
    const timer =
      abortAfterMs === undefined ? undefined : clock.after(abortAfterMs, () => stop.abort(new Error('left')));
    const name = `r${index}`;
    const startedAtMs = clock.nowMs();
    const running = pool.run(name, (upstream) => visit(name, upstream), {
      signal: stop.signal,
      deadlineMs,
      repeatable,
    });
    const end = await running.then(
      ({ trail }) => ({ trail, error: undefined }),
      (error: Error) => ({ trail: ledgerOf(error) === undefined ? undefined : trailOf(error), error }),
    );
    timer?.cancel();
    return { name, startedAtMs, endedAtMs: clock.nowMs(), deadlineMs, repeatable, ...end };
  });
  const results = await playOut(clock, Promise.all(ends));
  return { pool, events, eventTimes, visits, results };
}

test('attempts, ends, health, deadlines and the budget hold in every schedule', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async (plan) => {
      const { pool, events, visits, results } = await play(plan);
      const terminal = new Set(['success', 'all-failed', 'stopped']);
      for (const { name, trail, error, startedAtMs, endedAtMs, deadlineMs, repeatable } of results) {
        const own = events.filter(({ operation }) => operation === name);
        const seen = visits.filter(({ request }) => request === name);
        // One end, and one number: the upstreams’ own count.
        const ended = own.filter(({ type }) => terminal.has(type));
        expect(ended).toHaveLength(1);
        expect(own.filter(({ type }) => type === 'attempt')).toHaveLength(seen.length);
        expect(ended[0]).toMatchObject({ totalAttempts: seen.length });
        if (trail !== undefined)
          expect(trail.map(({ upstream }) => upstream)).toEqual(seen.map(({ upstream }) => upstream));
        expect(ended[0]!.type === 'success').toBe(error === undefined);
        if (deadlineMs !== undefined) expect(endedAtMs - startedAtMs).toBeLessThanOrEqual(deadlineMs);
        // What may have run and must not run twice was the last that happened.
        const failures = own.filter((event) => event.type === 'failure');
        // With a deadline, rounds in which nobody took a connection do not count.
        const isUnreached = ({ failure: one, outcomeClass }: (typeof failures)[number]) =>
          outcomeClass === 'transient' && one.phase === 'connect' && !one.mayHaveRun;
        const free = deadlineMs === undefined ? 0 : failures.filter(isUnreached).length;
        expect(seen.length - free).toBeLessThanOrEqual(6);
        if (!repeatable) for (const { failure: one } of failures.slice(0, -1)) expect(one.mayHaveRun).toBe(false);
      }
      const status = pool.status();
      for (const { name, failedRequests, succeededRequests, inFlight, attempts } of status) {
        expect(inFlight).toBe(0);
        expect(attempts).toBe(visits.filter(({ upstream }) => upstream === name).length);
        const visitors = new Set(visits.filter(({ upstream }) => upstream === name).map(({ request }) => request));
        expect(failedRequests + succeededRequests).toBeLessThanOrEqual(visitors.size);
      }
      expect(status.some(({ state }) => state === 'in-service')).toBe(true);
      const retries = visits.length - new Set(visits.map(({ request }) => request)).size;
      expect(retries).toBeLessThanOrEqual(plan.capacity + 0.2 * plan.requests.length + 1e-6);
    }),
    { numRuns: 300 },
  );
});

test('no upstream is asked before the time that it named', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async (plan) => {
      const { events, eventTimes, visits } = await play(plan);
      // Told by one request, heard by all: the events are in the order of time, and so are the visits.
      const heldUntilMs = new Map<string, number>();
      let next = 0;
      for (const [index, event] of events.entries()) {
        if (event.type === 'attempt') {
          const { upstream, atMs } = visits[next]!;
          next += 1;
          expect(event.upstream).toBe(upstream);
          expect(atMs).toBeGreaterThanOrEqual(heldUntilMs.get(upstream) ?? 0);
        } else if (event.type === 'failure' && event.failure.pushbackMs !== undefined) {
          const untilMs = eventTimes[index]! + event.failure.pushbackMs;
          heldUntilMs.set(event.upstream, Math.max(heldUntilMs.get(event.upstream) ?? 0, untilMs));
        }
      }
    }),
    { numRuns: 100 },
  );
});
