/**
 * The decision after a failure: pure, total, and the only place where policy lives. The live client, the gateway and the
 * simulator call it; their drivers obey.
 */
import { jitteredDelayMs } from './back-off.ts';
import type { Failure } from './failure.ts';
import { MAX_ATTEMPTS_NAME_NOT_FOUND, type RetryPolicy } from './policy.ts';
import type { ResumePlan } from './resume.ts';

/** Why another attempt is made. */
export type Reason =
  | 'stale-connection'
  | 'progress'
  | 'transient-failure'
  | 'throttled'
  | 'pushback'
  | 'suspicious-answer'
  | 'another-upstream';

/** Why no other attempt is made. */
export type GiveUpReason =
  | 'permanent'
  | 'may-have-run'
  | 'body-not-replayable'
  | 'attempts-exhausted'
  | 'budget-exhausted'
  | 'deadline'
  | 'pushback-too-long'
  | 'deterministic'
  | 'content-changed'
  | 'live-body'
  | 'not-resumable'
  | 'upstreams-exhausted';

export type Decision =
  /** Send again from the start. `onFreshConnection`: not on a pooled one. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly because: Reason; readonly onFreshConnection: boolean }
  /** Continue the body; `plan` says how it will be asked for. */
  | {
      readonly kind: 'resume';
      readonly delayMs: number;
      readonly fromByte: number;
      readonly because: Reason;
      readonly plan: ResumePlan;
    }
  /** Another upstream. */
  | { readonly kind: 'fail-over'; readonly delayMs: number; readonly because: Reason }
  | { readonly kind: 'give-up'; readonly reason: GiveUpReason };

/** What is remembered of a request between its attempts. */
export interface RequestState {
  /** Attempts started, the number of the current one. */
  readonly attemptNumber: number;
  /** Attempts started since the last progress, the current one included; this is what `maxAttempts` limits. */
  readonly attemptsInRow: number;
  /** A free repeat after a stale connection has been used since the last progress. */
  readonly usedFreeRepeat: boolean;
  readonly lastMark: string | undefined;
  /** Lookups in a row that found no such name; the resolver's word is believed after a few. */
  readonly notFoundInRow: number;
}

export const freshState: RequestState = Object.freeze({
  attemptNumber: 1,
  attemptsInRow: 1,
  usedFreeRepeat: false,
  lastMark: undefined,
  notFoundInRow: 0,
});

/** What the reader holds of the answer. */
export type Delivery =
  | { readonly kind: 'nothing' }
  /** Headers were handed over, and no byte. */
  | { readonly kind: 'headers' }
  | { readonly kind: 'bytes'; readonly fromByte: number; readonly plan: ResumePlan };

export interface FailureFacts {
  readonly nowMs: number;
  /** On the clock of `nowMs`. */
  readonly deadlineAtMs: number | undefined;
  /** In [0, 1). */
  readonly random: () => number;
  /** Body bytes of this attempt that the reader had not had before. */
  readonly newBytes: number;
  /** Body bytes that were missing when the attempt began, where known. */
  readonly missingBytes: number | undefined;
  readonly isRepeatable: boolean;
  /** The request body can be produced again, whole. */
  readonly isReplayable: boolean;
  readonly delivery: Delivery;
  readonly hasBudget: boolean;
  /** Other requests of ours are with the same server now, and the driver can lower their number. */
  readonly isCrowded: boolean;
  /** As long as the reader holds nothing, whoever sent the request decides what comes next: a pool has other upstreams. */
  readonly repeatsAbove?: boolean | undefined;
}

export interface Step {
  readonly decision: Decision;
  readonly state: RequestState;
  /** The decision takes one retry from the budget. */
  readonly isCharged: boolean;
  /** Fewer requests of ours at once would help. */
  readonly wantsFewer: boolean;
}

export function decideAfterFailure(
  policy: RetryPolicy,
  state: RequestState,
  failure: Failure,
  facts: FailureFacts,
): Step {
  const madeProgress =
    facts.newBytes > 0 && facts.newBytes >= Math.min(policy.minProgressBytes, facts.missingBytes ?? Infinity);
  const row = madeProgress ? 0 : state.attemptsInRow;
  // Above a pool the others are not one crowd: they have other upstreams to go to.
  const wantsFewer = facts.isCrowded && facts.repeatsAbove !== true && isAboutNumber(failure);
  const next: RequestState = {
    attemptNumber: state.attemptNumber + 1,
    // A refusal that our own crowd brought is no attempt: their number falls by one with each, so they come to an end.
    attemptsInRow: wantsFewer ? Math.max(1, row) : row + 1,
    usedFreeRepeat: madeProgress ? false : state.usedFreeRepeat,
    lastMark: failure.mark,
    notFoundInRow: failure.kind === 'name-not-found' ? state.notFoundInRow + 1 : 0,
  };
  const refusal = findRefusal(policy, state, failure, facts);
  if (refusal !== undefined) return giveUp(refusal, state, wantsFewer);
  if (isFreeRepeat(policy, next, failure)) {
    const free = { ...next, attemptsInRow: Math.max(1, row), usedFreeRepeat: true };
    return { decision: again(facts, 0, 'stale-connection', true), state: free, isCharged: false, wantsFewer };
  }
  if (facts.repeatsAbove === true && facts.delivery.kind === 'nothing')
    return giveUp('attempts-exhausted', state, wantsFewer);
  const isUnknownName = next.notFoundInRow >= MAX_ATTEMPTS_NAME_NOT_FOUND;
  if (!madeProgress && !wantsFewer && (row >= policy.maxAttempts || isUnknownName))
    return giveUp('attempts-exhausted', state, wantsFewer);
  return waitAndRepeat(policy, failure, facts, next, state, wantsFewer);
}

function giveUp(reason: GiveUpReason, state: RequestState, wantsFewer: boolean): Step {
  return { decision: { kind: 'give-up', reason }, state, isCharged: false, wantsFewer };
}

/** 503 is what limits of connections answer as often as 429 (nginx's `limit_conn`, haproxy's full queue). */
function isAboutNumber(failure: Failure): boolean {
  return isThrottle(failure) || failure.kind === 'too-many-files' || failure.status === 503;
}

/** Reasons that hold however many attempts are left. */
function findRefusal(
  policy: RetryPolicy,
  state: RequestState,
  failure: Failure,
  facts: FailureFacts,
): GiveUpReason | undefined {
  const isChange = failure.kind === 'content-changed';
  if (!failure.transient) return isChange ? 'content-changed' : 'permanent';
  if (policy.maxAttempts === 1) return 'attempts-exhausted';
  if (failure.mark !== undefined && failure.mark === state.lastMark)
    return isChange ? 'content-changed' : 'deterministic';
  if (facts.deadlineAtMs !== undefined && facts.nowMs >= facts.deadlineAtMs) return 'deadline';
  if (failure.mayHaveRun && !facts.isRepeatable) return 'may-have-run';
  if (!facts.isReplayable) return 'body-not-replayable';
  if (facts.delivery.kind === 'bytes' && facts.delivery.plan.kind === 'impossible') {
    return facts.delivery.plan.because === 'live-body' ? 'live-body' : 'not-resumable';
  }
  return undefined;
}

/** The first repeat after a stale keep-alive connection costs nothing: it says nothing about the server's health. */
function isFreeRepeat(policy: RetryPolicy, next: RequestState, failure: Failure): boolean {
  return failure.staleSocket === true && !next.usedFreeRepeat && policy.maxAttempts > 1;
}

function waitAndRepeat(
  policy: RetryPolicy,
  failure: Failure,
  facts: FailureFacts,
  next: RequestState,
  state: RequestState,
  wantsFewer: boolean,
): Step {
  const isFirstAfterProgress = next.attemptsInRow === 1 && !wantsFewer;
  const waitNumber = wantsFewer ? next.attemptsInRow : next.attemptsInRow - 1;
  const delayMs = delayBefore(policy, failure, facts, waitNumber);
  if (failure.pushbackMs !== undefined && failure.pushbackMs > policy.maxPushbackMs)
    return giveUp('pushback-too-long', state, wantsFewer);
  if (facts.deadlineAtMs !== undefined && facts.nowMs + delayMs >= facts.deadlineAtMs)
    return giveUp('deadline', state, wantsFewer);
  // Who is refused for our own crowd is paid for by the lowered number: a limit of connections is no failing server.
  const isCharged = !isFirstAfterProgress && !wantsFewer;
  if (isCharged && !facts.hasBudget) return giveUp('budget-exhausted', state, wantsFewer);
  const because = reasonFor(failure, isFirstAfterProgress);
  return { decision: again(facts, delayMs, because, false), state: next, isCharged, wantsFewer };
}

function delayBefore(policy: RetryPolicy, failure: Failure, facts: FailureFacts, waitNumber: number): number {
  const { pushbackMs } = failure;
  if (waitNumber === 0 && pushbackMs === undefined) return 0;
  const baseDelayMs = isThrottle(failure) ? policy.throttleDelayMs : policy.baseDelayMs;
  const ownMs = waitNumber === 0 ? 0 : jitteredDelayMs(waitNumber, baseDelayMs, policy.maxDelayMs, facts.random);
  if (pushbackMs === undefined) return ownMs;
  // Never earlier than told, and not everybody at the same instant.
  const spreadMs = Math.round(facts.random() * Math.min(policy.baseDelayMs, pushbackMs / 10));
  return Math.max(ownMs, pushbackMs + spreadMs);
}

function isThrottle(failure: Failure): boolean {
  return failure.kind === 'throttled' || failure.kind === 'proxy-throttled' || failure.kind === 'h2-calm';
}

function reasonFor(failure: Failure, isFirstAfterProgress: boolean): Reason {
  if (failure.pushbackMs !== undefined) return 'pushback';
  if (isThrottle(failure)) return 'throttled';
  if (failure.kind === 'suspicious') return 'suspicious-answer';
  return isFirstAfterProgress ? 'progress' : 'transient-failure';
}

function again(facts: FailureFacts, delayMs: number, because: Reason, onFreshConnection: boolean): Decision {
  const { delivery } = facts;
  if (delivery.kind !== 'bytes') return { kind: 'retry', delayMs, because, onFreshConnection };
  const fromByte = 'fromByte' in delivery.plan ? delivery.plan.fromByte : 0;
  return { kind: 'resume', delayMs, fromByte, because, plan: delivery.plan };
}
