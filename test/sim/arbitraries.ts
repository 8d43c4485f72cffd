/** Schedules at random, in families that each press on one part of the laws. Plain records, so that failures shrink. */
import fc from 'fast-check';
import {
  type ConsumerPlan,
  type Fault,
  lies,
  type PolicyPlan,
  type Representation,
  type RequestPlan,
  type Schedule,
} from './schedule.ts';

const permille = fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.constantFrom(0, 1_000, 500, 999));
const retryAfter = fc.constantFrom(undefined, '0', '1', '0.25', '120', 'soon', 'Thu, 01 Jan 2026 00:00:03 GMT');

const arbitraryOf = {
  none: fc.constant<Fault>({ kind: 'none' }),
  connect: fc.oneof(
    fc.constantFrom<Fault>(
      { kind: 'connect-error', code: 'ECONNREFUSED' },
      { kind: 'connect-error', code: 'EAI_AGAIN' },
      { kind: 'connect-error', code: 'EHOSTUNREACH' },
      { kind: 'connect-timeout' },
    ),
    {
      arbitrary: fc.constantFrom<Fault>(
        { kind: 'connect-error', code: 'ENOTFOUND' },
        { kind: 'connect-error', code: 'CERT_HAS_EXPIRED' },
      ),
      weight: 1,
    },
  ),
  send: fc.constantFrom<Fault>({ kind: 'reset-after-send' }, { kind: 'stale' }, { kind: 'no-headers' }),
  status: fc.record({
    kind: fc.constant('status' as const),
    status: fc.constantFrom(500, 502, 503, 504, 429, 408, 404, 403, 501),
    retryAfter,
    body: fc.constantFrom('small' as const, 'large' as const, 'stalls' as const, 'cut' as const),
  }),
  cut: fc.record({
    kind: fc.constant('cut' as const),
    permille,
    how: fc.constantFrom('reset' as const, 'clean' as const, 'mismatch' as const),
  }),
  slow: fc.record({ kind: fc.constantFrom('stall' as const, 'trickle' as const), permille }),
  lie: fc.record({
    kind: fc.constant('lie' as const),
    how: fc.constantFrom(...lies),
    cutPermille: fc.option(permille, { nil: undefined, freq: 3 }),
  }),
  redirect: fc.record({
    kind: fc.constant('redirect' as const),
    status: fc.constantFrom(301, 302, 303, 307, 308),
    to: fc.constantFrom('same' as const, 'same' as const, 'other-origin' as const, 'nowhere' as const),
  }),
} as const;

type Weights = Partial<Record<keyof typeof arbitraryOf, number>>;

function faultsOf(weights: Weights, maxLength: number): fc.Arbitrary<Fault[]> {
  const parts = Object.entries(weights).map(([name, weight]) => ({
    arbitrary: arbitraryOf[name as keyof typeof arbitraryOf] as fc.Arbitrary<Fault>,
    weight,
  }));
  return fc.array(fc.oneof(...parts), { maxLength });
}

const smallBytes = fc.integer({ min: 0, max: 6_000 });
const largeBytes = fc.integer({ min: 60_000, max: 210_000 });
const framing = fc.constantFrom('length' as const, 'length' as const, 'chunked' as const, 'close' as const);

const representation: fc.Arbitrary<Representation> = fc.record({
  bytes: fc.oneof({ arbitrary: smallBytes, weight: 4 }, { arbitrary: largeBytes, weight: 1 }),
  framing,
  againFraming: framing,
  partFraming: framing,
  validator: fc.constantFrom(
    'strong' as const,
    'strong' as const,
    'weak' as const,
    'date' as const,
    'young-date' as const,
    'none' as const,
  ),
  ranges: fc.constantFrom(
    'honoured' as const,
    'honoured' as const,
    'ignored' as const,
    'refused' as const,
    'if-range-ignored' as const,
  ),
  repeatsValidator: fc.boolean(),
});

const change = fc.record({
  atSend: fc.integer({ min: 1, max: 5 }),
  how: fc.constantFrom(
    'other' as const,
    'other-length' as const,
    'grown' as const,
    'tail' as const,
    'tail-longer' as const,
    'islands' as const,
    'cut-at-place' as const,
  ),
});
const changes = fc.oneof(
  { arbitrary: fc.constant([]), weight: 3 },
  {
    arbitrary: fc
      .array(change, { minLength: 1, maxLength: 2 })
      .map((list) => list.toSorted((a, b) => a.atSend - b.atSend)),
    weight: 2,
  },
);

const plainRequest: RequestPlan = {
  method: 'GET',
  body: 'none',
  bodyBytes: 0,
  replayBufferBytes: 1_000,
  range: undefined,
  idempotencyKey: false,
  deadlineMs: undefined,
  mayOverlapBlindly: false,
};

const generousPolicy: fc.Arbitrary<PolicyPlan> = fc.record({
  maxAttempts: fc.constant(40),
  capacity: fc.constant(100),
  minProgressBytes: fc.constantFrom(1, 1_000, 65_536),
});
const tightPolicy: fc.Arbitrary<PolicyPlan> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 5 }),
  capacity: fc.integer({ min: 0, max: 4 }),
  minProgressBytes: fc.constantFrom(1, 1_000, 65_536),
});

const pausing = { pausesEvery: fc.constantFrom(0, 0, 0, 1, 3), pauseMs: fc.constantFrom(0, 5, 300, 4_000) };
const abort = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 3 },
  { arbitrary: fc.record({ atChunk: fc.integer({ min: 1, max: 6 }) }), weight: 1 },
  { arbitrary: fc.record({ atMs: fc.integer({ min: 0, max: 3_000 }) }), weight: 1 },
);
const deadlineMs = fc.option(fc.integer({ min: 1, max: 6_000 }), { nil: undefined });
const range = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  'bytes=100-',
  'bytes=0-999',
  'bytes=700-1900',
  'bytes=-500',
  'bytes=9999999-',
  'bytes=0-1,5-9',
);

function consumerOf(
  kinds: readonly ConsumerPlan['kind'][],
  aborting: fc.Arbitrary<ConsumerPlan['abort']>,
): fc.Arbitrary<ConsumerPlan> {
  return fc.record({ kind: fc.constantFrom(...kinds), ...pausing, abort: aborting });
}

const never = fc.constant(undefined);
const base = { seed: fc.nat(), chunkBytes: fc.constantFrom(20, 1_000, 7_000, 40_000) };

/** Reading, with all the patience in the world: what can heal must heal. */
const patient: fc.Arbitrary<Schedule> = fc.record({
  ...base,
  representation,
  changes,
  faults: faultsOf({ none: 1, connect: 1, send: 2, status: 1, cut: 6, slow: 2, lie: 4 }, 9),
  request: fc
    .record({
      method: fc.constantFrom('GET' as const, 'GET' as const, 'GET' as const, 'GET' as const, 'HEAD' as const),
      mayOverlapBlindly: fc.boolean(),
      range,
    })
    .map((own) => ({ ...plainRequest, ...own })),
  consumer: consumerOf(['dispatch', 'call', 'fetch', 'whole'], never),
  policy: generousPolicy,
});

/** Deadlines, aborts, few attempts, a small budget. */
const hurried: fc.Arbitrary<Schedule> = fc.record({
  ...base,
  representation,
  changes,
  faults: faultsOf({ none: 1, connect: 2, send: 3, status: 3, cut: 5, slow: 2, lie: 2, redirect: 1 }, 9),
  request: fc.record({ deadlineMs, range }).map((own) => ({ ...plainRequest, ...own })),
  consumer: consumerOf(['dispatch', 'call', 'fetch', 'whole'], abort),
  policy: tightPolicy,
});

/** Requests that act, with bodies of every kind. */
const unsafe: fc.Arbitrary<Schedule> = fc.record({
  ...base,
  representation,
  changes: fc.constant([]),
  faults: faultsOf({ none: 1, connect: 3, send: 4, status: 4, cut: 2, slow: 1, redirect: 3 }, 6),
  request: fc
    .record({
      method: fc.constantFrom('POST' as const, 'POST' as const, 'PUT' as const),
      body: fc.constantFrom(
        'none' as const,
        'string' as const,
        'one-shot' as const,
        'slow-one-shot' as const,
        'factory' as const,
        'iterable' as const,
        'failing-factory' as const,
      ),
      bodyBytes: fc.integer({ min: 0, max: 1_500 }),
      replayBufferBytes: fc.integer({ min: 0, max: 1_600 }),
      idempotencyKey: fc.boolean(),
      deadlineMs: fc.option(fc.integer({ min: 1, max: 4_000 }), { nil: undefined, freq: 2 }),
    })
    .map((own) => ({ ...plainRequest, ...own })),
  consumer: consumerOf(
    ['dispatch', 'call', 'fetch', 'whole'],
    fc.oneof({ arbitrary: never, weight: 4 }, { arbitrary: abort, weight: 1 }),
  ),
  policy: fc.oneof(generousPolicy, tightPolicy),
});

/** Redirects on the way to a body that is cut. */
const redirected: fc.Arbitrary<Schedule> = fc.record({
  ...base,
  representation,
  changes: fc.constant([]),
  faults: faultsOf({ none: 1, redirect: 6, connect: 1, send: 1, cut: 4, lie: 1, status: 1 }, 12),
  request: fc.constant(plainRequest),
  consumer: consumerOf(['call', 'fetch', 'whole'], never),
  policy: generousPolicy,
});

export const families = { patient, hurried, unsafe, redirected } as const;
export type Family = keyof typeof families;
