/**
 * Sixteen ways in which a provider of models fails, and what a gateway in front of it must do. The idea, the faults and the
 * rules of scoring are those of Failover Bench (github.com/failoverbench/failoverbench, methodology v0.1, MIT); the plans
 * and the checks are the lab's own.
 */
import { modelStream, type StreamPlan } from '../model-streams.ts';
import type { Fault, Scenario } from '../scenario.ts';

/** How long things take. `full` is what scores are published with; another one is for tests that cannot wait. */
export interface FailoverTiming {
  readonly retryAfterMs: number;
  readonly slowFirstTokenMs: number;
  readonly stallMs: number;
  readonly silenceMs: number;
  readonly outageMs: number;
  readonly tokenMs: number;
  readonly sequence: { readonly count: number; readonly intervalMs: number };
  /** The caller waits so long at most. */
  readonly maxWaitMs: number;
}

export const fullTiming: FailoverTiming = {
  retryAfterMs: 2_000,
  slowFirstTokenMs: 20_000,
  stallMs: 30_000,
  silenceMs: 120_000,
  outageMs: 60_000,
  tokenMs: 15,
  sequence: { count: 20, intervalMs: 4_000 },
  maxWaitMs: 130_000,
};

/** What both sides saw. */
export interface FailoverView {
  readonly calls: readonly FailoverCall[];
  /** When each request reached the primary; ms since it could. */
  readonly primaryAtMs: readonly number[];
  /** Of those, the ones that it answered well. */
  readonly primaryServedAtMs: readonly number[];
  readonly fallbackCount: number;
  /** What the fallback got is what the caller had said, and nothing that was put into its mouth. */
  readonly fallbackGotTheRequest: boolean;
  /** A healthy call through the same system ended well afterwards. */
  readonly isAliveAfter: boolean;
  /** The system could go elsewhere at all. */
  readonly hasFallback: boolean;
  readonly timing: FailoverTiming;
}

export interface FailoverCall {
  readonly outcome: 'success' | 'error' | 'hang';
  /** The content is the whole answer, word for word. */
  readonly isComplete: boolean;
  readonly sentAtMs: number;
  readonly durationMs: number;
  readonly reportedModel: string | undefined;
  readonly hasUsage: boolean;
  readonly error: string | undefined;
}

export interface FailoverCheck {
  readonly name: string;
  /** Where it fails, the verdict is `partial` and not `fail`. */
  readonly isAdvisory?: boolean;
  holds(view: FailoverView): boolean;
}

export interface FailoverFault {
  readonly id: string;
  readonly title: string;
  readonly primary: (timing: FailoverTiming) => Scenario;
  /** What a caller should end with. @default 'success' */
  readonly ideal?: 'success' | 'error';
  readonly isSequence?: boolean;
  readonly checks: readonly FailoverCheck[];
}

export const primaryModel = 'primary-model';
export const fallbackModel = 'fallback-model';
export const answerTokens = 60;

const cutAfter = 40;
const stallAfter = 20;
const damageAt = 10;

function scenario(name: string, timing: FailoverTiming, trouble?: StreamPlan['trouble'], on?: StreamPlan['on']) {
  const plan: StreamPlan = { name, model: primaryModel, tokens: answerTokens, tokenMs: timing.tokenMs };
  return modelStream({ ...plan, ...(trouble === undefined ? {} : { trouble }), ...(on === undefined ? {} : { on }) });
}

function refusal(name: string, status: number, code: string, on: StreamPlan['on'] = 'every') {
  return (timing: FailoverTiming) => scenario(name, timing, { kind: 'status', status, code }, on);
}

/** An outage by the clock: 503 for a time from the beginning on. */
function down(name: string, timing: FailoverTiming): Scenario {
  const well = scenario(name, timing);
  const refuse: Fault = { kind: 'status', status: 503, contentType: 'application/json', bodyText: '{"error":{}}' };
  const outage = { on: 'every', where: { method: 'POST', withinMs: timing.outageMs }, do: refuse } as const;
  return { ...well, requests: [outage, ...(well.requests ?? [])] };
}

const only = ({ calls }: FailoverView) => calls[0]!;
const primaryAttempts = (name: string, holds: (count: number) => boolean, isAdvisory = false): FailoverCheck => ({
  name,
  isAdvisory,
  holds: ({ primaryAtMs }) => holds(primaryAtMs.length),
});
const atMostWithin = (count: number, windowMs: number): FailoverCheck => ({
  name: `at most ${count} attempts in ${windowMs / 1_000} s`,
  holds: ({ primaryAtMs }) => primaryAtMs.filter((atMs) => atMs - primaryAtMs[0]! < windowMs).length <= count,
});
const atMostSix = primaryAttempts('at most 6 attempts', (count) => count <= 6);
const asksOnce = primaryAttempts('the same model is asked once', (count) => count === 1);
const noTruncatedSuccess: FailoverCheck = {
  name: 'no part is passed off as the whole',
  holds: ({ calls }) => calls.every(({ outcome, isComplete }) => outcome !== 'success' || isComplete),
};
const aliveAfter: FailoverCheck = { name: 'alive afterwards', holds: ({ isAliveAfter }) => isAliveAfter };
const endsWithin = (name: string, limitMs: (timing: FailoverTiming) => number, isAdvisory = false): FailoverCheck => ({
  name,
  isAdvisory,
  holds: (view) => only(view).durationMs <= limitMs(view.timing),
});
const usage: FailoverCheck = { name: 'usage is reported', isAdvisory: true, holds: (view) => only(view).hasUsage };

export const failoverFaults: readonly FailoverFault[] = [
  {
    id: 'S01',
    title: '429 with Retry-After, once',
    primary: (timing) => {
      const retryAfter = String(timing.retryAfterMs / 1_000);
      return scenario('s01', timing, { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter }, 1);
    },
    checks: [
      primaryAttempts('tried again', (count) => count >= 2, true),
      {
        name: 'Retry-After is kept',
        isAdvisory: true,
        holds: ({ primaryAtMs: [first, second], timing }) =>
          second !== undefined && second - first! >= timing.retryAfterMs * 0.9,
      },
      atMostWithin(2, 1_500),
    ],
  },
  {
    id: 'S02',
    title: '429 without Retry-After, always',
    primary: refusal('s02', 429, 'rate_limit_exceeded'),
    checks: [atMostWithin(4, 3_000), atMostSix],
  },
  {
    id: 'S03',
    title: '500 once, then well',
    primary: refusal('s03', 500, 'server_error', 1),
    checks: [primaryAttempts('the same provider is tried again', (count) => count >= 2, true)],
  },
  { id: 'S04', title: '503 always', primary: refusal('s04', 503, 'overloaded'), checks: [atMostSix] },
  {
    id: 'S05',
    title: 'TCP reset before the headers, once',
    primary: (timing) => {
      const well = scenario('s05', timing);
      const reset = { on: 1, do: { kind: 'cut', by: 'rst', at: 'request' } } as const;
      return { ...well, requests: [reset, ...(well.requests ?? [])] };
    },
    checks: [],
  },
  {
    id: 'S06',
    title: 'the request is taken, and nothing comes',
    primary: (timing) => scenario('s06', timing, { kind: 'silence', forMs: timing.silenceMs }),
    checks: [
      endsWithin('ends within the budget', ({ silenceMs }) => (silenceMs * 100) / 120),
      primaryAttempts('the silent route is not tried again', (count) => count <= 1, true),
    ],
  },
  {
    id: 'S07',
    title: 'the first token takes 20 s',
    primary: (timing) => scenario('s07', timing, { kind: 'slow-first-token', delayMs: timing.slowFirstTokenMs }),
    checks: [endsWithin('has a limit on the first token', ({ slowFirstTokenMs }) => slowFirstTokenMs * 0.75, true)],
  },
  {
    id: 'S08',
    title: 'the stream is cut after 40 of 60 tokens',
    primary: (timing) => scenario('s08', timing, { kind: 'cut', atToken: cutAfter, by: 'fin' }),
    checks: [noTruncatedSuccess],
  },
  {
    id: 'S09',
    title: 'the stream falls silent after 20 tokens',
    primary: (timing) => scenario('s09', timing, { kind: 'stall', atToken: stallAfter, forMs: timing.stallMs }),
    checks: [endsWithin('bounded', ({ stallMs }) => stallMs * 1.5), noTruncatedSuccess, aliveAfter],
  },
  {
    id: 'S10',
    title: 'an event that is broken JSON, between two tokens',
    primary: (timing) => scenario('s10', timing, { kind: 'damaged-event', atToken: damageAt }),
    checks: [aliveAfter, noTruncatedSuccess],
  },
  {
    id: 'S11',
    title: 'the stream ends without [DONE]',
    primary: (timing) => scenario('s11', timing, { kind: 'no-last-word' }),
    checks: [endsWithin('ends in time', () => 8_000), usage],
  },
  {
    id: 'S12',
    title: 'context length exceeded',
    primary: refusal('s12', 400, 'context_length_exceeded'),
    checks: [asksOnce],
  },
  {
    id: 'S13',
    title: 'content filter',
    primary: refusal('s13', 400, 'content_policy_violation'),
    ideal: 'error',
    checks: [asksOnce],
  },
  {
    id: 'S14',
    title: 'cut after 40 tokens, and the fallback takes no prefill',
    primary: (timing) => scenario('s14', timing, { kind: 'cut', atToken: cutAfter, by: 'fin' }),
    checks: [
      { name: 'the fallback gets the request and nothing else', holds: (view) => view.fallbackGotTheRequest },
      noTruncatedSuccess,
    ],
  },
  {
    id: 'S15',
    title: 'down for 60 s, then well',
    primary: (timing) => down('s15', timing),
    isSequence: true,
    checks: [
      {
        name: 'served during the outage',
        holds: ({ calls, timing, hasFallback }) =>
          !hasFallback || calls.every(({ sentAtMs, outcome }) => sentAtMs >= timing.outageMs || outcome === 'success'),
      },
      {
        name: 'the primary is used again within half of the outage',
        holds: ({ primaryServedAtMs: [first], timing, hasFallback }) =>
          !hasFallback || (first !== undefined && first <= timing.outageMs * 1.5),
      },
    ],
  },
  {
    id: 'S16',
    title: '503 always: who answered, and for how much',
    primary: refusal('s16', 503, 'overloaded'),
    checks: [
      {
        name: 'the model that answered is named',
        holds: (view) => view.fallbackCount === 0 || only(view).reportedModel === fallbackModel,
      },
      { ...usage, holds: (view) => view.fallbackCount === 0 || only(view).hasUsage },
      atMostSix,
    ],
  },
];
