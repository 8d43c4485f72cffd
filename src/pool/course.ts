/**
 * One request's way through a pool: takes the steps that core decides, and keeps the books (state, ledger, health, budget,
 * events). It sends nothing and waits for nothing; its driver does, and says how it went. It holds no policy.
 *
 * It is long because the books change together: each end of an attempt moves all of them, and no other place may.
 */
import {
  type Attempt,
  type AttemptStart,
  beginRequest,
  beginRound,
  beginVisit,
  chooseFinal,
  comeBackMs,
  type Decision,
  decideInPool,
  endVisit,
  type Failure,
  freshTicket,
  type GiveUpReason,
  type HealthTicket,
  LedgerBook,
  type OutcomeClass,
  type PoolDecision,
  type PoolFacts,
  type PoolState,
  poolErrorFor,
  redactUrl,
  rememberLedger,
  type UpstreamVerdict,
} from '../core/index.ts';
import { tell } from '../runtime/index.ts';
import type { PoolEventDetails } from './events.ts';
import { judge } from './judge.ts';
import { type Member, noStanding } from './member.ts';
import { planFor } from './plan.ts';
import type { CourseRules, PoolShared } from './rules.ts';
import type { Upstream } from './upstream.ts';

/** What a driver does next. */
export type CourseStep<U> =
  | {
      readonly kind: 'attempt';
      readonly upstream: Upstream<U>;
      readonly roundNumber: number;
      /** Nobody else could use the time that is left: it may have all of it. */
      readonly isLastCandidate: boolean;
      readonly startedAtMs: number;
    }
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'give-up'; readonly error: unknown };

/** The attempt that runs now. */
interface Visit<U> {
  readonly member: Member<U>;
  readonly start: AttemptStart;
  readonly startedAtMs: number;
}

interface Ending {
  readonly upstream: string;
  readonly index: number;
  readonly verdict: UpstreamVerdict;
  readonly error: unknown;
}

export class Course<U> {
  readonly #pool: PoolShared<U>;
  readonly #rules: CourseRules<U>;
  readonly ledger: LedgerBook;
  #state: PoolState;
  readonly #facts: CourseFacts<U>;
  #awaited: (PoolDecision & { readonly kind: 'wait' }) | undefined;
  #visit: Visit<U> | undefined;
  #probe: { readonly index: number; readonly start: AttemptStart } | undefined;
  /** By the index of the upstream; made when there is something to keep: most requests end well at once. */
  #tickets: Map<number, HealthTicket> | undefined;
  #endings: Map<number, Ending> | undefined;
  /** What the last attempt came to, until it is told what follows from it. */
  #untold: Ending | undefined;
  #hasEnded = false;

  constructor(pool: PoolShared<U>, rules: CourseRules<U>) {
    this.#pool = pool;
    this.#rules = rules;
    const nowMs = this.#nowMs;
    this.#facts = new CourseFacts(pool, rules, nowMs);
    this.ledger = new LedgerBook(rules.method, rules.target, nowMs, redactUrl);
    pool.budget.earn();
    this.#state = beginRequest(this.#plan(pool.indexes));
  }

  get #nowMs(): number {
    return this.#pool.runtime.clock.nowMs();
  }

  /** Time until the deadline, in ms; `undefined` where there is none. */
  get timeLeftMs(): number | undefined {
    const { deadlineAtMs } = this.#rules;
    return deadlineAtMs === undefined ? undefined : Math.max(0, deadlineAtMs - this.#nowMs);
  }

  get roundNumber(): number {
    return this.#state.roundNumber;
  }

  /** What to do now: after the start, after a wait, and after an attempt that failed. */
  next(): CourseStep<U> {
    if (this.#awaited !== undefined) {
      const order = this.#plan(this.#awaited.eligible);
      this.#state = beginRound(this.#state, this.#awaited, order);
      this.#awaited = undefined;
    }
    this.#facts.nowMs = this.#nowMs;
    const decision = decideInPool(this.#pool.policy.rounds, this.#state, this.#facts);
    switch (decision.kind) {
      case 'attempt':
        return this.#begin(decision);
      case 'wait':
        return this.#wait(decision);
      case 'give-up':
        return { kind: 'give-up', error: this.#giveUp(decision.reason) };
    }
  }

  #plan(eligible: readonly number[]): readonly number[] {
    this.#returnProbe();
    const plan = planFor(this.#pool, this.#rules, eligible);
    if (plan.probe !== undefined) {
      this.#probe = plan.probe;
      this.#emit({ type: 'probe', upstream: this.#pool.members[plan.probe.index]!.upstream.name });
    }
    return plan.order;
  }

  // Attempts.

  #begin(decision: PoolDecision & { readonly kind: 'attempt' }): CourseStep<U> {
    const { upstreamIndex, isCharged, isLastCandidate } = decision;
    const member = this.#pool.members[upstreamIndex]!;
    const { upstream } = member;
    if (isCharged) this.#pool.budget.spend();
    this.#tellRetry(
      0,
      'another-upstream',
      { kind: 'fail-over', delayMs: 0, because: 'another-upstream' },
      upstream.name,
    );
    this.#state = beginVisit(this.#state, upstreamIndex, upstream.tier);
    const isProbe = this.#probe?.index === upstreamIndex && this.#probe.start.generation === member.circuit.generation;
    if (isProbe) this.#probe = undefined;
    const startedAtMs = this.#facts.nowMs;
    this.#visit = { member, start: member.begin(isProbe), startedAtMs };
    const { roundNumber } = this.#state;
    this.ledger.place = { upstream: upstream.name, roundNumber };
    return { kind: 'attempt', upstream, roundNumber, isLastCandidate, startedAtMs };
  }

  /** An attempt goes out; attempts are counted here, where they start. A transport that keeps the ledger calls `tellAttempt`. */
  beginAttempt(): Attempt {
    const attempt = this.ledger.beginAttempt(this.#nowMs);
    this.tellAttempt(attempt);
    return attempt;
  }

  tellAttempt(attempt: Attempt): void {
    const { upstream = '', fromByte, attemptNumber } = attempt;
    if (this.#visit !== undefined) this.#visit.member.attempts += 1;
    if (fromByte === undefined) this.#emit({ type: 'attempt', upstream }, attemptNumber);
    else this.#emit({ type: 'attempt', upstream, fromByte }, attemptNumber);
  }

  /** The upstream has begun to answer. */
  answered(): void {
    if (this.#visit !== undefined) this.#visit.member.sampleLatency(this.#nowMs - this.#visit.startedAtMs);
  }

  /** Whether a failure stops the request: nobody else would do better. */
  isStopping(failure: Failure): boolean {
    if (this.#visit === undefined) return true;
    return this.#judge(undefined, failure).nextUpstream === 'none';
  }

  /** Whether an answer with this status ends the request for its own sake, and is handed on as it came. */
  isFinal(failure: Failure): boolean {
    if (this.isStopping(failure)) return true;
    return (failure.mayHaveRun && !this.#rules.isRepeatable()) || !this.#rules.isReplayable();
  }

  /** The attempt failed; `next` says what follows. */
  failed(error: unknown, failure: Failure | undefined): void {
    const verdict = this.#judge(error, failure);
    const visit = this.#leave(verdict.health === 'charged' ? 'failed' : 'neutral');
    if (visit === undefined) return;
    const { member, startedAtMs } = visit;
    const { index, name } = member.upstream;
    if (verdict.failure.pushbackMs !== undefined) member.hold(verdict.failure.pushbackMs);
    if (verdict.class === 'credential') member.bench();
    this.#noteFailure(verdict, startedAtMs);
    const ending = { upstream: name, index, verdict, error };
    this.#endings ??= new Map();
    this.#endings.set(index, ending);
    this.#untold = ending;
    this.#state = endVisit(this.#state, index, verdict);
    this.#emit({ type: 'failure', upstream: name, outcomeClass: verdict.class, failure: verdict.failure });
  }

  #judge(error: unknown, failure: Failure | undefined): UpstreamVerdict {
    const attempt = this.ledger.attempts.at(-1);
    const startedAtMs = this.#visit?.startedAtMs ?? this.#nowMs;
    return judge(this.#rules, error, failure, {
      upstream: this.#visit!.member.upstream.value,
      text: attempt?.answerText,
      hadFullTime: this.#nowMs - startedAtMs >= this.#pool.headersMs,
    });
  }

  #noteFailure(verdict: UpstreamVerdict, startedAtMs: number): void {
    const attempt = this.ledger.attempts.at(-1);
    // Nothing was attempted where the request could not even be made.
    if (attempt === undefined || attempt.startedAtMs < startedAtMs) return;
    attempt.failure ??= verdict.failure;
    attempt.outcomeClass = verdict.class;
    attempt.endedAtMs ??= this.#nowMs;
  }

  /** The attempt holds nothing of its upstream any more. */
  #leave(health: 'failed' | 'succeeded' | 'neutral'): Visit<U> | undefined {
    const visit = this.#visit;
    if (visit === undefined) return undefined;
    this.#visit = undefined;
    const { member, start } = visit;
    member.inFlight -= 1;
    const { index, name } = member.upstream;
    const before = member.circuit;
    const standing = health === 'failed' ? member.standingAmong(this.#pool.members) : noStanding;
    const ticket = member.settle(this.#tickets?.get(index) ?? freshTicket, start, health, standing);
    // A credited ticket of a request that is over is never looked at again.
    if (health !== 'succeeded') {
      this.#tickets ??= new Map();
      this.#tickets.set(index, ticket);
    }
    const after = member.circuit;
    if (after.kind === 'ejected' && (before.kind === 'closed' || after.strikes > before.strikes))
      this.#emit({ type: 'ejected', upstream: name, forMs: after.untilMs - this.#nowMs });
    else if (after.kind === 'closed' && before.kind === 'ejected') this.#emit({ type: 'returned', upstream: name });
    return visit;
  }

  // Waits.

  #wait(decision: PoolDecision & { readonly kind: 'wait' }): CourseStep<U> {
    const { delayMs, because } = decision;
    this.#awaited = decision;
    if (decision.isCharged) this.#pool.budget.spend();
    this.ledger.waitedMs += delayMs;
    if (this.#untold === undefined) this.#emit({ type: 'wait', delayMs, because });
    else this.#tellRetry(delayMs, because, { kind: 'retry', delayMs, because, onFreshConnection: false });
    return { kind: 'wait', delayMs };
  }

  #tellRetry(
    delayMs: number,
    because: Extract<Decision, { delayMs: number }>['because'],
    decision: Decision,
    upstream?: string,
  ): void {
    if (this.#untold === undefined) return;
    const { failure } = this.#untold.verdict;
    this.#untold = undefined;
    const attempt = this.ledger.attempts.at(-1);
    if (attempt !== undefined) attempt.decision = decision;
    this.#emit({ type: 'retry', delayMs, because, failure, ...(upstream === undefined ? {} : { upstream }) });
  }

  // Ends. Each request has exactly one.

  /** The answer has ended as it should: its terminal event, the last byte of its body. */
  succeeded(): void {
    const visit = this.#leave('succeeded');
    if (visit === undefined || !this.#end('complete')) return;
    const { totalAttempts, totalRounds } = this.#total;
    this.#emit({ type: 'success', upstream: visit.member.upstream.name, totalAttempts, totalRounds });
  }

  /** An answer with a final status was handed on, and has ended. */
  handedOn(failure: Failure): void {
    const verdict = this.#judge(undefined, failure);
    const startedAtMs = this.#visit!.startedAtMs;
    const visit = this.#leave(verdict.health === 'charged' ? 'failed' : 'neutral');
    this.#noteFailure(verdict, startedAtMs);
    const upstream = visit!.member.upstream.name;
    if (!this.#end('status')) return;
    this.#emit({ type: 'failure', upstream, outcomeClass: verdict.class, failure });
    this.#emit({ type: 'stopped', outcomeClass: verdict.class, upstream, ...this.#total });
  }

  /** An answer that was begun has broken off, and its reader knows: nobody else is asked. */
  brokenOff(failure: Failure | undefined, reason: GiveUpReason): void {
    if (this.#visit === undefined) return;
    this.failed(undefined, failure);
    const { verdict } = this.#untold!;
    this.#untold = undefined;
    if (!this.#end('failed')) return;
    const { class: outcomeClass, failure: seen } = verdict;
    this.#emit({ type: 'all-failed', reason, outcomeClass, failure: seen, ...this.#total });
  }

  /** Nobody wants the answer any more: charged to nobody. */
  cancelled(): void {
    this.#leave('neutral');
    const attempt = this.ledger.attempts.at(-1);
    if (attempt !== undefined && attempt.endedAtMs === undefined) attempt.outcomeClass = 'cancelled';
    if (this.#end('aborted')) this.#emit({ type: 'stopped', outcomeClass: 'cancelled', ...this.#total });
  }

  #giveUp(reason: GiveUpReason): unknown {
    const { last } = this.#state;
    this.#untold = undefined;
    const chosen = this.#chooseEnding();
    const decision: Decision = { kind: 'give-up', reason };
    const attempt = this.ledger.attempts.at(-1);
    if (attempt !== undefined) attempt.decision = decision;
    if (last?.nextUpstream === 'none') return this.#stop(last.class, chosen?.error);
    const failure = this.#finalFailure(chosen?.verdict.failure);
    const outcomeClass = chosen?.verdict.class ?? (failure.kind === 'throttled' ? 'throttled' : 'caller');
    const cause = chosen?.error;
    const error = poolErrorFor(reason, failure, cause, this.ledger, this.#nowMs);
    if (this.#end('failed')) this.#emit({ type: 'all-failed', reason, outcomeClass, failure, ...this.#total });
    return error;
  }

  /** The caller's error, or a bug: told in its own words, with the ledger where `ledgerOf` finds it. */
  #stop(outcomeClass: OutcomeClass, error: unknown): unknown {
    if (typeof error === 'object' && error !== null) rememberLedger(error, this.ledger);
    if (this.#end(outcomeClass === 'cancelled' ? 'aborted' : 'failed'))
      this.#emit({ type: 'stopped', outcomeClass, ...this.#total });
    return error;
  }

  #chooseEnding(): Ending | undefined {
    return chooseFinal([...(this.#endings?.values() ?? [])]);
  }

  #finalFailure(chosen: Failure | undefined): Failure {
    const { members } = this.#pool;
    const allowed = members.filter(({ upstream }) => this.#isAllowed(upstream));
    const mayComeBack = [...(this.#endings?.values() ?? [])]
      .filter(({ verdict }) => verdict.nextRound)
      .map(({ index }) => index);
    const asked = mayComeBack.length > 0 ? mayComeBack.map((index) => members[index]!) : allowed;
    const pushbackMs = comeBackMs(asked.map((member) => member.heldForMs));
    const { pushbackMs: _old, ...failure } = chosen ?? (allowed.length === 0 ? nobodyAllowed : everybodyHeld);
    return pushbackMs === undefined ? failure : { ...failure, pushbackMs };
  }

  #isAllowed({ weight, value }: Upstream<U>): boolean {
    return weight > 0 && (this.#rules.mayUse?.(value) ?? true);
  }

  #end(outcome: 'complete' | 'status' | 'failed' | 'aborted'): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.ledger.end(outcome, this.#nowMs);
    this.#returnProbe();
    return true;
  }

  #returnProbe(): void {
    if (this.#probe !== undefined) this.#pool.members[this.#probe.index]!.returnProbe(this.#probe.start);
    this.#probe = undefined;
  }

  // Events.

  get #total(): { readonly totalAttempts: number; readonly totalRounds: number } {
    return { totalAttempts: this.ledger.attemptCount, totalRounds: this.#state.roundNumber };
  }

  #emit(details: PoolEventDetails, attempt = this.ledger?.attemptCount ?? 0): void {
    const { onEvent } = this.#rules;
    if (onEvent === undefined && this.#pool.onEvent === undefined) return;
    // The details are made for this event alone: to copy them would cost more than all listeners.
    const event = details as PoolEventDetails & { operation: string; round: number; attempt: number };
    event.operation = this.#rules.operation;
    event.round = this.#state?.roundNumber ?? 1;
    event.attempt = attempt;
    tell(onEvent, event);
    tell(this.#pool.onEvent, event);
  }
}

/** What core asks about a request and its pool: one object for all of its decisions, and what is not asked costs nothing. */
class CourseFacts<U> implements PoolFacts {
  readonly #pool: PoolShared<U>;
  readonly #rules: CourseRules<U>;
  /** Set before each decision, which sees one instant. */
  nowMs: number;

  constructor(pool: PoolShared<U>, rules: CourseRules<U>, nowMs: number) {
    this.#pool = pool;
    this.#rules = rules;
    this.nowMs = nowMs;
  }

  get deadlineAtMs(): number | undefined {
    return this.#rules.deadlineAtMs;
  }

  get random(): () => number {
    return this.#pool.runtime.random;
  }

  get hasBudget(): boolean {
    return this.#pool.budget.hasOne();
  }

  get isRepeatable(): boolean {
    return this.#rules.isRepeatable();
  }

  get isReplayable(): boolean {
    return this.#rules.isReplayable();
  }

  heldForMs(index: number): number {
    return this.#pool.members[index]!.heldForMs;
  }

  inputLimit(index: number): number | undefined {
    return this.#pool.members[index]!.upstream.inputLimit;
  }

  tier(index: number): number {
    return this.#pool.members[index]!.upstream.tier;
  }
}

const everybodyHeld: Failure = Object.freeze({
  origin: 'status',
  phase: 'wait',
  kind: 'throttled',
  transient: true,
  mayHaveRun: false,
  what: 'every upstream has asked for a pause',
});

const nobodyAllowed: Failure = Object.freeze({
  origin: 'caller',
  phase: 'connect',
  kind: 'invalid-request',
  transient: false,
  mayHaveRun: false,
  what: 'no upstream may take this request',
});
