/** The gate, the order of a plan and the choice of the error: properties, and the gate against a model of its text. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beginRequest,
  beginRound,
  beginVisit,
  type Candidate,
  chooseFinal,
  comeBackMs,
  decideInPool,
  endVisit,
  type Failure,
  heldForMs,
  MAX_PUSHBACK_MEMORY_MS,
  type OutcomeClass,
  outcomeClasses,
  outcomeRows,
  type PoolFacts,
  type PoolState,
  planOrder,
  rememberPushback,
  resolvePoolPolicy,
  verdictAs,
  verdictOf,
} from '../../src/core/index.ts';
import { seededRandom } from '../../src/runtime/index.ts';
import { nextRoundByTheText } from './pool-model.ts';

const classes = Object.keys(outcomeClasses) as OutcomeClass[];
const goesOn = classes.filter((name) => outcomeClasses[name].nextUpstream !== 'none');
const anyClass = fc.constantFrom(...classes);
const { rounds } = resolvePoolPolicy({}, 'test');

function failureOf(status: number | undefined, pushbackMs?: number): Failure {
  return {
    origin: 'status',
    phase: 'wait',
    kind: 'status',
    transient: true,
    mayHaveRun: true,
    ...(status === undefined ? {} : { status }),
    ...(pushbackMs === undefined ? {} : { pushbackMs }),
    what: 'trouble',
  };
}

const refusedConnection: Failure = {
  origin: 'tcp',
  phase: 'connect',
  kind: 'refused',
  transient: true,
  mayHaveRun: false,
  what: 'connection refused',
};

const facts: PoolFacts = {
  nowMs: 0,
  deadlineAtMs: undefined,
  random: () => 0.5,
  hasBudget: true,
  isRepeatable: true,
  isReplayable: true,
  heldForMs: () => 0,
  inputLimit: () => undefined,
  tier: () => 0,
};

/** Visits everybody once, in this order, as far as the gate lets it. */
function playRound(order: readonly number[], outcomes: readonly OutcomeClass[], own: PoolFacts, policy = rounds) {
  let state: PoolState = beginRequest(order);
  const visited: number[] = [];
  while (true) {
    const decision = decideInPool(policy, state, own);
    if (decision.kind !== 'attempt') return { decision, state, visited };
    const { upstreamIndex } = decision;
    visited.push(upstreamIndex);
    state = endVisit(
      beginVisit(state, upstreamIndex, 0),
      upstreamIndex,
      verdictAs(outcomes[upstreamIndex]!, failureOf(503)),
    );
  }
}

const shuffled = (length: number) =>
  fc.shuffledSubarray(
    Array.from({ length }, (_, index) => index),
    { minLength: length },
  );

/** The same outcomes, by upstream, in two orders. */
const twoOrders = fc.integer({ min: 1, max: 6 }).chain((count) =>
  fc.record({
    outcomes: fc.array(anyClass, { minLength: count, maxLength: count }),
    limits: fc.array(fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), {
      minLength: count,
      maxLength: count,
    }),
    gate: fc.constantFrom('each' as const, 'all' as const),
    first: shuffled(count),
    second: shuffled(count),
  }),
);

describe('the gate', () => {
  test('the verdict does not depend on the order of the upstreams', () => {
    fc.assert(
      fc.property(twoOrders, ({ outcomes, limits, gate, first, second }) => {
        // Behind a "too big" smaller upstreams are not asked: that they would have called it the caller's error, nobody knows.
        fc.pre(!(outcomes.includes('too-big') && outcomes.some((name) => !goesOn.includes(name))));
        const own: PoolFacts = { ...facts, inputLimit: (index) => limits[index] };
        const policy = { ...rounds, gate, maxAttempts: 100 };
        const [left, right] = [first, second].map((order) => playRound(order, outcomes, own, policy).decision);
        expect(left).toEqual(right);
      }),
      { numRuns: 2_000 },
    );
  });

  test('does what its text says', () => {
    fc.assert(
      fc.property(
        twoOrders,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 8 }),
        ({ outcomes, gate, first }, maxRounds, maxAttempts) => {
          const policy = { ...rounds, gate, maxRounds, maxAttempts };
          const { decision, visited } = playRound(first, outcomes, facts, policy);
          const expected = nextRoundByTheText(first, outcomes, { gate, maxRounds, maxAttempts });
          expect(visited).toEqual(expected.visited);
          if (expected.next === 'stop') expect(decision).toMatchObject({ kind: 'give-up', reason: 'permanent' });
          else if (expected.next === 'exhausted')
            expect(decision).toEqual({ kind: 'give-up', reason: 'upstreams-exhausted' });
          else expect(decision).toMatchObject({ kind: 'wait', eligible: expected.next, roundNumber: 2 });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a whole request ends within maxRounds and maxAttempts, and a round visits each at most once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 12 }),
        fc.infiniteStream(fc.constantFrom(...goesOn)),
        (count, maxRounds, maxAttempts, stream) => {
          const policy = { ...rounds, maxRounds, maxAttempts };
          let state = beginRequest(Array.from({ length: count }, (_, index) => index));
          const visits: string[] = [];
          for (let steps = 0; steps < 200; steps += 1) {
            const decision = decideInPool(policy, state, facts);
            if (decision.kind === 'give-up') {
              expect(visits.length).toBeLessThanOrEqual(maxAttempts);
              expect(state.roundNumber).toBeLessThanOrEqual(maxRounds);
              expect(new Set(visits).size).toBe(visits.length);
              return;
            }
            if (decision.kind === 'wait') {
              state = beginRound(state, decision, decision.eligible);
              continue;
            }
            visits.push(`${state.roundNumber} ${decision.upstreamIndex}`);
            const verdict = verdictAs(stream.next().value, failureOf(503));
            state = endVisit(beginVisit(state, decision.upstreamIndex, 0), decision.upstreamIndex, verdict);
          }
          expect.unreachable('a request that does not end');
        },
      ),
    );
  });

  test('rounds that reach nobody count for nothing, for so long, and each repeat is paid all the same', () => {
    const visit = fc.record({ isRefused: fc.boolean(), tookMs: fc.integer({ min: 0, max: 3_000 }) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0, 2_000, 10_000),
        fc.array(visit, { minLength: 200, maxLength: 200 }),
        fc.integer({ min: 0, max: 99 }),
        (count, maxRounds, maxUnreachedMs, script, refusedUntil) => {
          const policy = { ...rounds, maxRounds, maxAttempts: maxRounds * count, maxUnreachedMs };
          const own = { ...facts, nowMs: 0, deadlineAtMs: 10_000_000 };
          let state = beginRequest(Array.from({ length: count }, (_, index) => index));
          let attempts = 0;
          let repeats = 0;
          let unreachedMs = 0;
          let sinceMs: number | undefined;
          const reachedRounds = new Set<number>();
          for (const [step, { isRefused, tookMs }] of script.entries()) {
            let decision = decideInPool(policy, state, own);
            if (decision.kind === 'wait') {
              // A repeat is paid when its round is decided, and the budget's word ends it at once.
              expect(decision.isCharged).toBe(true);
              repeats += 1;
              expect(decideInPool(policy, state, { ...own, hasBudget: false })).toMatchObject({ kind: 'give-up' });
              own.nowMs += decision.delayMs;
              state = beginRound(state, decision, decision.eligible);
              decision = decideInPool(policy, state, own);
              expect(decision).toMatchObject({ kind: 'attempt', isCharged: false });
            } else if (decision.kind === 'attempt' && decision.isCharged) repeats += 1;
            if (decision.kind === 'give-up') break;
            if (decision.kind !== 'attempt') throw new Error('a wait behind a wait');
            attempts += 1;
            const doesRefuse = step < refusedUntil || isRefused;
            own.nowMs += tookMs;
            if (!doesRefuse) reachedRounds.add(state.roundNumber);
            const { upstreamIndex } = decision;
            const verdict = verdictAs('transient', doesRefuse ? refusedConnection : failureOf(503));
            state = endVisit(beginVisit(state, upstreamIndex, 0), upstreamIndex, verdict);
            if (!doesRefuse) sinceMs = undefined;
            else if (state.queue.length === 0 && !reachedRounds.has(state.roundNumber)) sinceMs ??= own.nowMs;
            unreachedMs = sinceMs === undefined ? 0 : own.nowMs - sinceMs;
          }
          expect(decideInPool(policy, state, own)).toMatchObject({ kind: 'give-up', reason: 'upstreams-exhausted' });
          expect(reachedRounds.size).toBeLessThanOrEqual(maxRounds);
          expect(repeats).toBe(attempts - 1);
          // One wait and one round may begin just before the time is over.
          expect(unreachedMs).toBeLessThanOrEqual(maxUnreachedMs + maxRounds * (rounds.maxDelayMs + count * 3_000));
          if (maxUnreachedMs === 0) expect(state.roundNumber).toBeLessThanOrEqual(maxRounds);
          else if (refusedUntil === 99 && maxRounds > 1) expect(state.roundNumber).toBeGreaterThan(1);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('within tiers, a tier has all of its rounds before the next is asked, and is never come back to', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.constantFrom(...goesOn)),
        (tiers, maxRounds, stream) => {
          const policy = { ...rounds, maxRounds, maxAttempts: 100, within: 'tier' as const };
          const own: PoolFacts = { ...facts, tier: (index) => tiers[index]! };
          const byTier = (indexes: readonly number[]) => indexes.toSorted((a, b) => tiers[a]! - tiers[b]!);
          let state = beginRequest(byTier(tiers.map((_, index) => index)));
          const visits: { index: number; outcome: OutcomeClass }[] = [];
          for (let steps = 0; steps < 200; steps += 1) {
            const decision = decideInPool(policy, state, own);
            if (decision.kind === 'give-up') break;
            if (decision.kind === 'wait') {
              state = beginRound(state, decision, byTier(decision.eligible));
              continue;
            }
            const { upstreamIndex, isLastCandidate } = decision;
            const outcome = stream.next().value;
            // Nobody of a later tier, and nobody of its own who may be asked again.
            const mayFollow = tiers.some((tier) => tier > tiers[upstreamIndex]!);
            if (mayFollow && visits.length === 0) expect(isLastCandidate).toBe(false);
            if (
              visits.every(({ index }) => tiers[index]! < tiers[upstreamIndex]!) &&
              tiers.filter((tier) => tier >= tiers[upstreamIndex]!).length === 1
            )
              expect(isLastCandidate).toBe(true);
            visits.push({ index: upstreamIndex, outcome });
            const visit = beginVisit(state, upstreamIndex, tiers[upstreamIndex]!);
            state = endVisit(visit, upstreamIndex, verdictAs(outcome, failureOf(503)));
          }
          const order = visits.map(({ index }) => tiers[index]!);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
          const isCut = visits.some(({ outcome }) => outcome === 'too-big');
          for (const index of tiers.keys()) {
            const own = visits.filter((visit) => visit.index === index).map(({ outcome }) => outcome);
            expect(own.length).toBeLessThanOrEqual(maxRounds);
            if (isCut) continue;
            // Asked until its own outcome would not pass, or its rounds are over.
            const stays = own.findIndex((outcome) => outcome !== 'transient' && outcome !== 'throttled');
            expect(own.length).toBe(stays === -1 ? maxRounds : stays + 1);
          }
        },
      ),
    );
  });

  test('the wait is the jitter, or the shortest pause that was asked for, and never ends behind the deadline', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 4 }),
        fc.option(fc.integer({ min: 1, max: 500_000 }), { nil: undefined }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (held, deadlineAtMs, drawn) => {
          const own: PoolFacts = { ...facts, deadlineAtMs, random: () => drawn };
          const order = held.map((_, index) => index);
          const outcomes = held.map(() => 'throttled' as const);
          const { state } = playRound(order, outcomes, own);
          const decision = decideInPool(rounds, state, { ...own, heldForMs: (index) => held[index]! });
          const shortest = Math.min(...held);
          if (decision.kind === 'wait') {
            expect(decision.delayMs).toBeGreaterThanOrEqual(shortest);
            expect(decision.delayMs).toBeLessThanOrEqual(Math.max(500, shortest * 1.1 + 1));
            if (deadlineAtMs !== undefined) expect(decision.delayMs).toBeLessThan(deadlineAtMs);
          } else {
            expect(decision.kind).toBe('give-up');
            const isTooLong = shortest > rounds.maxPushbackMs;
            const isTooLate = deadlineAtMs !== undefined && Math.max(shortest * 1.1 + 1, 500) >= deadlineAtMs;
            expect(isTooLong || isTooLate).toBe(true);
          }
        },
      ),
    );
  });

  test('nobody is visited before the time that it named', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 100 }),
        (held, seed) => {
          const own: PoolFacts = { ...facts, heldForMs: (index) => held[index]! };
          const order = planOrder(
            held.map((_, index) => candidate(index)),
            seededRandom(seed),
          );
          const { visited } = playRound(
            order,
            held.map(() => 'slow' as const),
            own,
          );
          expect(visited.toSorted()).toEqual(held.flatMap((ms, index) => (ms === 0 ? [index] : [])));
        },
      ),
    );
  });
});

function candidate(index: number, more: Partial<Candidate> = {}): Candidate {
  return {
    index,
    consecutiveFailures: 0,
    tier: 0,
    weight: 1,
    ramp: 1,
    inFlight: 0,
    latencyMs: undefined,
    isEjected: false,
    isBenched: false,
    isProbe: false,
    ...more,
  };
}

describe('the plan', () => {
  const candidates = fc
    .array(
      fc.record({
        tier: fc.integer({ min: 0, max: 2 }),
        weight: fc.double({ min: 0.1, max: 5, noNaN: true }),
        inFlight: fc.integer({ min: 0, max: 50 }),
        latencyMs: fc.option(fc.double({ min: 0, max: 5_000, noNaN: true }), { nil: undefined }),
        isEjected: fc.boolean(),
        isBenched: fc.boolean(),
      }),
      { maxLength: 8 },
    )
    .map((parts) => parts.map((part, index) => candidate(index, part)));

  test('one that fails at once, and so has nothing in flight, does not draw the requests to itself', () => {
    const all = [candidate(0, { consecutiveFailures: 9, latencyMs: 1 }), candidate(1, { inFlight: 4, latencyMs: 1 })];
    const firsts = Array.from({ length: 1_000 }, (_, seed) => planOrder(all, seededRandom(seed))[0]);
    // Only where both draws fall on it.
    expect(firsts.filter((index) => index === 0).length).toBeLessThan(350);
  });

  test('names each once: those in service before the benched before the ejected, and lower tiers first', () => {
    fc.assert(
      fc.property(candidates, fc.integer(), (all, seed) => {
        const order = planOrder(all, seededRandom(seed));
        expect(order.toSorted((a, b) => a - b)).toEqual(all.map(({ index }) => index));
        const ranks = order.map((index) => {
          const { isEjected, isBenched, tier } = all[index]!;
          return [Number(isEjected), isEjected ? 0 : Number(isBenched), tier] as const;
        });
        expect(ranks).toEqual(ranks.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]));
      }),
    );
  });

  test('the same seed gives the same plan', () => {
    fc.assert(
      fc.property(candidates, fc.integer(), (all, seed) => {
        expect(planOrder(all, seededRandom(seed))).toEqual(planOrder(all, seededRandom(seed)));
      }),
    );
  });

  test('among equals the shares are the weights', () => {
    const weights = [1, 2, 5];
    const random = seededRandom(11);
    const first = [0, 0, 0];
    for (let i = 0; i < 16_000; i += 1) {
      const all = weights.map((weight, index) => candidate(index, { weight, latencyMs: 10 }));
      first[planOrder(all, random)[0]!]! += 1;
    }
    // Five standard deviations of a binomial around its mean.
    for (const [index, weight] of weights.entries()) {
      const share = weight / 8;
      expect(Math.abs(first[index]! - 16_000 * share)).toBeLessThan(5 * Math.sqrt(16_000 * share * (1 - share)));
    }
  });

  test('of two, the less loaded one goes first unless only the other one was drawn', () => {
    const random = seededRandom(5);
    let busyFirst = 0;
    for (let i = 0; i < 8_000; i += 1) {
      if (planOrder([candidate(0, { inFlight: 9 }), candidate(1)], random)[0] === 0) busyFirst += 1;
    }
    expect(Math.abs(busyFirst - 2_000)).toBeLessThan(5 * Math.sqrt(8_000 * 0.25 * 0.75));
  });
});

describe('the final error', () => {
  const endings = fc.array(
    fc.record({
      upstream: fc.string({ maxLength: 3 }),
      verdict: fc
        .tuple(
          anyClass,
          fc.option(fc.integer({ min: 400, max: 599 }), { nil: undefined }),
          fc.option(fc.nat(), { nil: undefined }),
        )
        .map(([name, status, pushbackMs]) => verdictAs(name, failureOf(status, pushbackMs))),
    }),
    { minLength: 1, maxLength: 6 },
  );

  test('is the same for every order', () => {
    fc.assert(
      fc.property(endings, fc.integer(), (all, seed) => {
        const random = seededRandom(seed);
        const other = all.map((one) => [random(), one] as const).toSorted((a, b) => a[0] - b[0]);
        const [left, right] = [chooseFinal(all)!, chooseFinal(other.map(([, one]) => one))!];
        expect([left.upstream, left.verdict.class, left.verdict.failure]).toEqual([
          right.upstream,
          right.verdict.class,
          right.verdict.failure,
        ]);
      }),
    );
  });

  test('is by class: caller, too big, throttled, transient, slow, credential', () => {
    const order: OutcomeClass[] = ['caller', 'too-big', 'throttled', 'transient', 'slow', 'credential'];
    for (const [rank, better] of order.entries()) {
      for (const worse of order.slice(rank + 1)) {
        const all = [worse, better].map((name) => ({ upstream: name, verdict: verdictAs(name, failureOf(500)) }));
        expect(chooseFinal(all)?.upstream).toBe(better);
      }
    }
  });

  test('says when to come back only if nobody can be asked before', () => {
    expect(comeBackMs([3_000, 1_000])).toBe(1_000);
    expect(comeBackMs([3_000, 0])).toBeUndefined();
    expect(comeBackMs([])).toBeUndefined();
  });
});

describe('pushback memory', () => {
  test('keeps the later of all wishes, each bounded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ atMs: fc.nat({ max: 100_000 }), pushbackMs: fc.nat({ max: 2_000_000 }) }), {
          minLength: 1,
        }),
        (wishes) => {
          let memory: number | undefined;
          for (const { atMs, pushbackMs } of wishes) memory = rememberPushback(memory, pushbackMs, atMs);
          const told = wishes.map(({ atMs, pushbackMs }) => atMs + Math.min(pushbackMs, MAX_PUSHBACK_MEMORY_MS));
          expect(memory).toBe(Math.max(...told));
          expect(heldForMs(memory, memory!)).toBe(0);
          expect(heldForMs(memory, memory! - 1)).toBe(1);
        },
      ),
    );
  });
});

describe('outcome classes', () => {
  test('every row has a reason and is reached by something that no earlier row takes', () => {
    for (const [index, row] of outcomeRows.entries()) {
      expect(row.why).toMatch(/\.$/);
      const sample: Failure = {
        ...failureOf(row.statuses?.[0]),
        origin: row.origins?.[0] ?? (row.kinds === undefined ? 'status' : 'http'),
        kind: row.kinds?.[0] ?? 'status',
        transient: row.transient ?? false,
      };
      const text = row.marker?.source.split('|')[0];
      const verdict = verdictOf(sample, { text, hadFullTime: row.hadFullTime });
      expect([index, verdict.why]).toEqual([index, row.why]);
      expect(verdict.health).toBe(row.health ?? outcomeClasses[row.class].health);
    }
  });

  test('statuses mean what the page says', () => {
    const expected: Record<string, readonly number[]> = {
      transient: [408, 425, 500, 502, 503, 504, 520, 524, 529],
      throttled: [429],
      credential: [401, 402, 403],
      'unavailable-here': [410, 451, 501, 505, 511],
      'too-big': [413],
      caller: [400, 404, 405, 409, 415, 422],
    };
    for (const [name, statuses] of Object.entries(expected)) {
      for (const status of statuses) {
        const transient = name === 'transient' || name === 'throttled';
        const kind = name === 'throttled' ? 'throttled' : 'status';
        expect([status, verdictOf({ ...failureOf(status), kind, transient }).class]).toEqual([status, name]);
      }
    }
  });

  test('markers in the text tell what a status does not', () => {
    const of = (status: number, text: string) =>
      verdictOf({ ...failureOf(status), transient: status === 429 }, { text }).class;
    expect(of(429, '{"error":{"code":"insufficient_quota"}}')).toBe('credential');
    expect(of(400, '{"error":{"code":"context_length_exceeded"}}')).toBe('too-big');
    expect(of(404, '{"error":{"code":"model_not_found"}}')).toBe('unavailable-here');
    expect(of(400, 'API key not valid. Please pass a valid API key.')).toBe('credential');
    expect(of(400, 'model_not_found is not in this list: insufficient')).toBe('unavailable-here');
    expect(of(500, 'insufficient_quota')).not.toBe('credential');
  });
});
