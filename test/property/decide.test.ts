import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createBudget,
  decideAfterFailure,
  type Failure,
  type FailureFacts,
  freshState,
  type RequestState,
  type RetryPolicy,
  resolvePolicy,
  type Step,
} from '../../src/core/index.ts';

const policy: fc.Arbitrary<RetryPolicy> = fc
  .record({
    maxAttempts: fc.integer({ min: 1, max: 8 }),
    baseDelayMs: fc.integer({ min: 0, max: 2_000 }),
    maxDelayMs: fc.integer({ min: 0, max: 30_000 }),
    throttleDelayMs: fc.integer({ min: 0, max: 5_000 }),
    maxPushbackMs: fc.integer({ min: 0, max: 400_000 }),
    minProgressBytes: fc.integer({ min: 1, max: 100_000 }),
  })
  .map((retry) => resolvePolicy({ retry }, 'test').retry);

const failure: fc.Arbitrary<Failure> = fc.record(
  {
    origin: fc.constantFrom('tcp' as const, 'status' as const, 'resume' as const, 'dns' as const),
    phase: fc.constantFrom('connect' as const, 'wait' as const, 'body' as const),
    kind: fc.constantFrom(
      'reset' as const,
      'throttled' as const,
      'content-changed' as const,
      'name-not-found' as const,
      'suspicious' as const,
      'h2-calm' as const,
    ),
    transient: fc.oneof({ arbitrary: fc.constant(true), weight: 5 }, { arbitrary: fc.constant(false), weight: 1 }),
    mayHaveRun: fc.boolean(),
    what: fc.constant('trouble'),
    staleSocket: fc.boolean(),
    pushbackMs: fc.integer({ min: 0, max: 500_000 }),
    mark: fc.constantFrom('a', 'b'),
  },
  { requiredKeys: ['origin', 'phase', 'kind', 'transient', 'mayHaveRun', 'what'] },
);

const state: fc.Arbitrary<RequestState> = fc.record({
  attemptNumber: fc.integer({ min: 1, max: 30 }),
  attemptsInRow: fc.integer({ min: 1, max: 10 }),
  usedFreeRepeat: fc.boolean(),
  lastMark: fc.constantFrom(undefined, 'a', 'b'),
  notFoundInRow: fc.integer({ min: 0, max: 3 }),
});

const facts: fc.Arbitrary<FailureFacts> = fc.record({
  nowMs: fc.integer({ min: 0, max: 100_000 }),
  deadlineAtMs: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: undefined }),
  random: fc.double({ min: 0, max: 0.999_999, noNaN: true }).map((value) => () => value),
  newBytes: fc.constantFrom(0, 0, 1, 500, 100_000),
  missingBytes: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: undefined }),
  isRepeatable: fc.boolean(),
  isReplayable: fc.boolean(),
  delivery: fc.constantFrom(
    { kind: 'nothing' } as const,
    { kind: 'headers' } as const,
    { kind: 'bytes', fromByte: 9, plan: { kind: 'range', fromByte: 9, ifRange: '"v"' } } as const,
    { kind: 'bytes', fromByte: 9, plan: { kind: 'impossible', because: 'live-body' } } as const,
  ),
  hasBudget: fc.boolean(),
  isCrowded: fc.boolean(),
});

/** Asks for a decision and hands over the delay of those that repeat. */
function whenRepeated(
  check: (
    step: Step,
    all: { policy: RetryPolicy; state: RequestState; failure: Failure; facts: FailureFacts; delayMs: number },
  ) => void,
): void {
  fc.assert(
    fc.property(policy, state, failure, facts, (...[p, s, f, x]) => {
      const step = decideAfterFailure(p, s, f, x);
      if (step.decision.kind === 'give-up') return;
      check(step, { policy: p, state: s, failure: f, facts: x, delayMs: step.decision.delayMs });
    }),
    { numRuns: 3_000 },
  );
}

function madeProgress({ minProgressBytes }: RetryPolicy, { newBytes, missingBytes }: FailureFacts): boolean {
  return newBytes > 0 && (newBytes >= minProgressBytes || (missingBytes !== undefined && newBytes >= missingBytes));
}

describe('every repeat', () => {
  test('starts before the deadline', () => {
    whenRepeated((_, { facts: { nowMs, deadlineAtMs }, delayMs }) => {
      if (deadlineAtMs !== undefined) expect(nowMs + delayMs).toBeLessThan(deadlineAtMs);
    });
  });

  test('waits at least as long as the server asked for, and never longer than is allowed', () => {
    whenRepeated((step, { failure: { pushbackMs }, policy: { maxPushbackMs, maxDelayMs, baseDelayMs }, delayMs }) => {
      expect(Number.isInteger(delayMs) && delayMs >= 0).toBe(true);
      if (step.decision.kind !== 'give-up' && step.decision.because === 'stale-connection') return;
      if (pushbackMs === undefined) expect(delayMs).toBeLessThanOrEqual(maxDelayMs);
      else {
        expect(delayMs).toBeGreaterThanOrEqual(pushbackMs);
        expect(pushbackMs).toBeLessThanOrEqual(maxPushbackMs);
        expect(delayMs).toBeLessThanOrEqual(Math.max(maxDelayMs, pushbackMs + baseDelayMs));
      }
    });
  });

  test('is of a transient failure, and harmless', () => {
    whenRepeated((_, { failure: f, facts: x }) => {
      expect(f.transient).toBe(true);
      expect(f.mayHaveRun && !x.isRepeatable).toBe(false);
      expect(x.isReplayable).toBe(true);
    });
  });

  test('has an attempt left, and is charged for unless it gained something or met a stale connection', () => {
    whenRepeated((step, { policy: p, state: s, facts: x }) => {
      const because = step.decision.kind === 'give-up' ? '' : step.decision.because;
      expect(step.state.attemptNumber).toBe(s.attemptNumber + 1);
      expect(step.isCharged).toBe(because !== 'stale-connection' && !madeProgress(p, x) && !step.wantsFewer);
      if (step.isCharged) {
        expect(x.hasBudget).toBe(true);
        expect(s.attemptsInRow).toBeLessThan(p.maxAttempts);
        expect(step.state.attemptsInRow).toBe(s.attemptsInRow + 1);
      } else if (madeProgress(p, x)) expect(step.state.attemptsInRow).toBe(1);
    });
  });

  test('of a stale connection without a wait happens once until there is progress', () => {
    whenRepeated((step, { policy: p, state: s, facts: x }) => {
      const isFree = step.decision.kind !== 'give-up' && step.decision.because === 'stale-connection';
      if (isFree && !madeProgress(p, x)) expect(s.usedFreeRepeat).toBe(false);
      if (isFree) expect(step.state.usedFreeRepeat).toBe(true);
    });
  });

  test('of a failure with a mark has not seen that mark just before', () => {
    whenRepeated((_, { state: s, failure: f }) => {
      if (f.mark !== undefined) expect(f.mark).not.toBe(s.lastMark);
    });
  });
});

test('the first repeat after progress is at once, unless the peer asked for a pause', () => {
  whenRepeated((step, { policy: p, facts: x, failure: f, delayMs }) => {
    // A refusal of our own crowd asks for one, whether it says for how long or not.
    if (madeProgress(p, x) && f.pushbackMs === undefined && !step.wantsFewer) expect(delayMs).toBe(0);
  });
});

test('over any sequence, charged repeats stay within capacity + ratio · (first attempts and progress)', () => {
  const events = fc.array(fc.record({ isNew: fc.boolean(), failure, facts }), { maxLength: 120 });
  fc.assert(
    fc.property(
      policy,
      events,
      fc.record({ ratio: fc.double({ min: 0, max: 1, noNaN: true }), capacity: fc.nat({ max: 10 }) }),
      (p, list, options) => {
        const budget = createBudget(options);
        let at = freshState;
        let earned = 0;
        let charged = 0;
        for (const event of list) {
          if (event.isNew) {
            at = freshState;
            budget.earn();
            earned += 1;
          }
          const step = decideAfterFailure(p, at, event.failure, { ...event.facts, hasBudget: budget.hasOne() });
          at = step.state;
          if (step.isCharged) {
            budget.spend();
            charged += 1;
          } else if (step.decision.kind !== 'give-up' && step.decision.because === 'progress') {
            budget.earn();
            earned += 1;
          }
        }
        expect(charged).toBeLessThanOrEqual(options.capacity + options.ratio * earned + 1e-6);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('attempts in a row that gain nothing never exceed maxAttempts and the one free repeat', () => {
  fc.assert(
    fc.property(policy, fc.array(fc.tuple(failure, facts), { maxLength: 60 }), (p, list) => {
      let at = freshState;
      let row = 1;
      for (const [f, x] of list) {
        const idle = { ...x, newBytes: 0, hasBudget: true, isCrowded: false };
        const step = decideAfterFailure(p, at, f, idle);
        if (step.decision.kind === 'give-up') return;
        row += 1;
        at = step.state;
        expect(row).toBeLessThanOrEqual(p.maxAttempts + 1);
      }
    }),
    { numRuns: 1_000 },
  );
});

describe('a name that does not exist', () => {
  const notFound: Failure = {
    origin: 'dns',
    phase: 'resolve',
    kind: 'name-not-found',
    transient: true,
    mayHaveRun: false,
    what: 'no such name',
  };
  const reset: Failure = { ...notFound, origin: 'tcp', phase: 'connect', kind: 'reset' };
  const patient = resolvePolicy({ retry: { maxAttempts: 20 } }, 'test').retry;
  const plain: FailureFacts = {
    nowMs: 0,
    deadlineAtMs: undefined,
    random: () => 0,
    newBytes: 0,
    missingBytes: undefined,
    isRepeatable: true,
    isReplayable: true,
    delivery: { kind: 'nothing' },
    hasBudget: true,
    isCrowded: false,
  };
  const decisionsAfter = (failures: readonly Failure[]) =>
    failures.reduce<{ kinds: string[]; state: RequestState }>(
      ({ kinds, state }, failure) => {
        const step = decideAfterFailure(patient, state, failure, plain);
        return { kinds: [...kinds, step.decision.kind], state: step.state };
      },
      { kinds: [], state: freshState },
    ).kinds;

  test('is believed when the resolver has said so three times in a row', () => {
    expect(decisionsAfter([notFound, notFound, notFound])).toEqual(['retry', 'retry', 'give-up']);
  });

  test('is looked up again where other failures came between: then it did exist', () => {
    expect(decisionsAfter([reset, reset, notFound, reset, notFound, notFound])).not.toContain('give-up');
  });
});
