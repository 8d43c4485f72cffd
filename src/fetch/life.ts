/** One request as its caller sees it: rules, deadline, ledger, events and what is remembered between its attempts. */
import {
  type Attempt,
  type BodyPlace,
  type Budget,
  decideAfterFailure,
  type EventDetails,
  type EventListener,
  errorFor,
  type Failure,
  type FailureFacts,
  freshState,
  type GiveUpReason,
  isRepeatable,
  LedgerBook,
  type Outcome,
  type Policy,
  type ReknitEvent,
  type RequestRules,
  type RequestState,
  redactUrl,
  type Step,
} from '../core/index.ts';
import { type Runtime, type Sweep, type Timer, tell } from '../runtime/index.ts';
import type { Fetch, Outgoing } from './outgoing.ts';

/** What all calls of one wrapped `fetch` share. */
export interface Shared {
  readonly fetch: Fetch;
  readonly policy: Policy;
  readonly runtime: Runtime;
  readonly sweep: Sweep;
  readonly budget: Budget;
  readonly onEvent: EventListener | undefined;
}

/** What the driver knows of a failure beside what the request itself knows. */
export type AttemptFacts = Pick<FailureFacts, 'newBytes' | 'missingBytes' | 'isReplayable' | 'delivery'>;

export class Life {
  readonly shared: Shared;
  readonly rules: RequestRules;
  readonly ledger: LedgerBook;
  /** As the caller gave it, credentials included. */
  readonly url: string;
  readonly isRepeatable: boolean;
  readonly deadlineAtMs: number | undefined;
  attempt: Attempt;
  #state: RequestState = freshState;
  readonly #deadlineTimer: Timer | undefined;

  constructor(shared: Shared, rules: RequestRules, outgoing: Outgoing, onDeadline: () => void) {
    const { method, url, hasIdempotencyKey } = outgoing;
    const { clock } = shared.runtime;
    const nowMs = clock.nowMs();
    this.shared = shared;
    this.rules = rules;
    this.url = url;
    this.ledger = new LedgerBook(method, url, nowMs, redactUrl);
    this.isRepeatable = isRepeatable({ method, declared: rules.repeatable, hasIdempotencyKey });
    if (rules.deadlineMs !== undefined) {
      this.deadlineAtMs = nowMs + rules.deadlineMs;
      this.#deadlineTimer = clock.after(rules.deadlineMs, onDeadline, 'idle');
    }
    shared.budget.earn();
    this.attempt = this.ledger.beginAttempt(nowMs);
  }

  get nowMs(): number {
    return this.shared.runtime.clock.nowMs();
  }

  /** An attempt behind the first, which begins with the request. */
  beginAttempt(fromByte: number | undefined): void {
    this.attempt = this.ledger.beginAttempt(this.nowMs);
    this.emit({ type: 'attempt', ...(fromByte === undefined ? {} : { fromByte }) });
  }

  decide(failure: Failure, facts: AttemptFacts): Step {
    const { policy, budget, runtime } = this.shared;
    return decideAfterFailure(policy.retry, this.#state, failure, {
      ...facts,
      nowMs: this.nowMs,
      deadlineAtMs: this.deadlineAtMs,
      random: runtime.random,
      isRepeatable: this.isRepeatable,
      hasBudget: budget.hasOne(),
      // The platform's `fetch` does not tell what else is on its way.
      isCrowded: false,
    });
  }

  /** Takes a decision over: state, budget, ledger, events. */
  accept(failure: Failure, step: Step): void {
    const { decision } = step;
    this.attempt.failure = failure;
    this.attempt.decision = decision;
    this.attempt.endedAtMs = this.nowMs;
    this.#state = step.state;
    if (step.isCharged) this.shared.budget.spend();
    else if (decision.kind !== 'give-up' && decision.because === 'progress') this.shared.budget.earn();
    if (decision.kind === 'give-up') return;
    this.ledger.waitedMs += decision.delayMs;
    this.emit({ type: 'wait', delayMs: decision.delayMs, decision });
  }

  /** The error for a request that ends here. */
  giveUp(reason: GiveUpReason, failure: Failure, error: unknown, place: BodyPlace): unknown {
    const { attempt, ledger, nowMs } = this;
    attempt.failure ??= failure;
    attempt.decision ??= { kind: 'give-up', reason };
    this.emit({ type: 'give-up', reason, failure });
    return errorFor(reason, failure, error, ledger, place, nowMs);
  }

  emit(details: EventDetails): void {
    const { onEvent } = this.rules;
    const { onEvent: onEveryEvent } = this.shared;
    if (onEvent === undefined && onEveryEvent === undefined) return;
    const { method, url } = this.ledger;
    const event = { ...details, method, url, attemptNumber: this.attempt.attemptNumber } as ReknitEvent;
    tell(onEvent, event);
    tell(onEveryEvent, event);
  }

  emitFailure(failure: Failure, { atByte, totalBytes }: BodyPlace): void {
    this.emit({ type: 'failure', failure, atByte, ...(totalBytes === undefined ? {} : { totalBytes }) });
  }

  end(outcome: Outcome): void {
    this.#deadlineTimer?.cancel();
    this.ledger.end(outcome, this.nowMs);
    const { integrity, attemptCount, deliveredBytes } = this.ledger;
    const proof = integrity === undefined ? {} : { integrity };
    this.emit({ type: 'end', outcome, attempts: attemptCount, deliveredBytes, ...proof });
  }
}
