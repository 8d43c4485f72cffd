/** One request as its caller sees it: it outlives attempts, hops and, under `fetch`, the dispatches of its redirects. */
import {
  type Attempt,
  type Budget,
  decideAfterFailure,
  type EventDetails,
  type EventListener,
  type Failure,
  type FailureFacts,
  freshState,
  isRepeatable,
  LedgerBook,
  type Outcome,
  type Policy,
  type ReknitEvent,
  type RequestState,
  redactUrl,
  type Step,
} from '../core/index.ts';
import { type Runtime, type Sweep, tell } from '../runtime/index.ts';
import { type DeadlineListener, DeadlineWatch } from './deadline-watch.ts';
import { eventChannel } from './event-channel.ts';
import { createRequestBody, type RequestBody } from './request-body.ts';
import { headerOf, type RequestHeaders } from './request-headers.ts';
import type { RequestRules } from './request-options.ts';
import type { DispatchOptions, Transport } from './transport.ts';

/** What all requests of a client share. */
export interface Shared {
  readonly policy: Policy;
  readonly runtime: Runtime;
  readonly sweep: Sweep;
  readonly budget: Budget;
  readonly transport: Transport;
  /**
   * Under an unmodified program: our limits on headers and silence hold only where another attempt is allowed, else
   * undici's own 300 s stay.
   */
  readonly isGentle: boolean;
  readonly onEvent: EventListener | undefined;
}

/** What the requests of one operation of `retry` have in common: one ledger, one count of attempts. */
export interface Operation {
  readonly ledger: LedgerBook;
  state: RequestState;
  /** Of the operation as a whole; its requests share it. */
  readonly deadlineAtMs: number | undefined;
  /** Whoever decides above about everything before an answer: a pool. */
  readonly above?: Above | undefined;
}

/** What somebody above, who may take a request elsewhere, says about one attempt at it and hears of it. */
export interface Above {
  /** Where the request body outlives the attempt: what one read of a one-shot body, the next can send. */
  readonly kept: KeptBody | undefined;
  /** Replaces the limit of the wait for headers. */
  readonly headersMs: number | undefined;
  /** Sending the request again does no harm; absent: its own rules say so. */
  isRepeatable?(): boolean;
  /** The answer with this final status is not handed on: its attempt fails. */
  refuses(failure: Failure): boolean;
  /** An attempt starts; also one that continues a body. */
  onAttempt(attempt: Attempt): void;
  /** No byte comes any more, nor any attempt. */
  onOutcome(outcome: Outcome): void;
}

/** A request body between attempts; whoever made the keeper releases it. */
export interface KeptBody {
  body: RequestBody | undefined;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

export class Life implements DeadlineListener {
  readonly shared: Shared;
  readonly rules: RequestRules;
  readonly ledger: LedgerBook;
  /** What was asked for at first; resumes and repeats after a redirect start here. */
  readonly home: DispatchOptions;
  readonly #homeUrl: string;
  readonly body: RequestBody;
  readonly deadlineAtMs: number | undefined;
  state: RequestState;
  attempt: Attempt;
  /** Called when the deadline comes, by whoever works for this request then. */
  deadlineListener: DeadlineListener | undefined;
  #deadlineWatch: DeadlineWatch | undefined;
  readonly #isWatched: boolean;
  readonly #operation: Operation | undefined;
  readonly #above: Above | undefined;
  #hasEnded = false;
  /** Whoever made this request decides itself when it has ended. */
  isHeldOpen = false;

  constructor(shared: Shared, rules: RequestRules, home: DispatchOptions, operation?: Operation) {
    const { clock } = shared.runtime;
    const nowMs = clock.nowMs();
    this.shared = shared;
    this.rules = rules;
    this.home = home;
    this.#operation = operation;
    this.state = operation?.state ?? freshState;
    this.#homeUrl = `${home.origin}${home.path}`;
    this.ledger = operation?.ledger ?? new LedgerBook(home.method, this.#homeUrl, nowMs, redactUrl);
    this.#above = operation?.above;
    const kept = this.#above?.kept;
    this.body = kept?.body ?? createRequestBody(rules.bodySource ?? (home.body as never), rules.replayBufferBytes);
    if (kept !== undefined) kept.body = this.body;
    this.#isWatched = rules.onEvent !== undefined || shared.onEvent !== undefined;
    this.deadlineAtMs = earlier(
      rules.deadlineMs === undefined ? undefined : nowMs + rules.deadlineMs,
      operation?.deadlineAtMs,
    );
    if (this.deadlineAtMs !== undefined) {
      this.#deadlineWatch = new DeadlineWatch(this.deadlineAtMs, nowMs, clock, shared.sweep, this);
    }
    // Above, one request may be several of ours, and is one first attempt.
    if (this.#above === undefined) shared.budget.earn();
    this.attempt = this.beginAttempt(undefined, nowMs);
  }

  onDeadline(): void {
    this.deadlineListener?.onDeadline();
  }

  /** Sending it again does no harm. Found when somebody asks: most requests end well at once. */
  get isRepeatable(): boolean {
    return this.#above?.isRepeatable?.() ?? this.#isRepeatableByRules;
  }

  get #isRepeatableByRules(): boolean {
    const { rules, home } = this;
    const hasIdempotencyKey = rules.repeatable === undefined && (rules.idempotencyKey !== undefined || hasKey(home));
    return isRepeatable({ method: home.method, declared: rules.repeatable, hasIdempotencyKey });
  }

  get nowMs(): number {
    return this.shared.runtime.clock.nowMs();
  }

  get headersMs(): number {
    return this.#above?.headersMs ?? this.shared.policy.timeouts.headersMs;
  }

  /** A final status that rejects. */
  isRefused(failure: Failure): boolean {
    return this.rules.throwOnStatus || this.#above?.refuses(failure) === true;
  }

  get isPastDeadline(): boolean {
    return this.deadlineAtMs !== undefined && this.nowMs >= this.deadlineAtMs;
  }

  /** With credentials. Most hops go where the request began: their ledger entries share its string. */
  urlOf({ origin, path }: DispatchOptions): string {
    const isHome = path === this.home.path && origin === this.home.origin;
    return isHome ? this.#homeUrl : `${origin}${path}`;
  }

  beginAttempt(fromByte: number | undefined, nowMs = this.nowMs): Attempt {
    this.attempt = this.ledger.beginAttempt(nowMs, fromByte);
    this.#above?.onAttempt(this.attempt);
    if (this.isWatched) this.emit({ type: 'attempt', ...(fromByte === undefined ? {} : { fromByte }) });
    return this.attempt;
  }

  decide(
    failure: Failure,
    facts: Omit<FailureFacts, 'nowMs' | 'deadlineAtMs' | 'random' | 'isRepeatable' | 'hasBudget'>,
  ): Step {
    const { policy, budget, runtime } = this.shared;
    return decideAfterFailure(policy.retry, this.state, failure, {
      ...facts,
      nowMs: this.nowMs,
      deadlineAtMs: this.deadlineAtMs,
      random: runtime.random,
      isRepeatable: this.isRepeatable,
      hasBudget: budget.hasOne(),
      repeatsAbove: this.#above !== undefined,
    });
  }

  /** Takes a decision over: state, budget, ledger, events. */
  accept(failure: Failure, step: Step): void {
    const { decision } = step;
    this.attempt.failure = failure;
    this.attempt.decision = decision;
    this.attempt.endedAtMs = this.nowMs;
    this.state = step.state;
    if (this.#operation !== undefined) this.#operation.state = step.state;
    if (step.isCharged) this.shared.budget.spend();
    else if (decision.kind !== 'give-up' && decision.because === 'progress') this.shared.budget.earn();
    if (decision.kind === 'give-up') return;
    this.ledger.waitedMs += decision.delayMs;
    if (this.isWatched) this.emit({ type: 'wait', delayMs: decision.delayMs, decision });
  }

  get isWatched(): boolean {
    return this.#isWatched || eventChannel.hasSubscribers;
  }

  /** Ask `isWatched` first: details are not made for nobody. */
  emit(details: EventDetails): void {
    const { method, url } = this.ledger;
    const event = { ...details, method, url, attemptNumber: this.attempt.attemptNumber } as ReknitEvent;
    tell(this.rules.onEvent, event);
    tell(this.shared.onEvent, event);
    if (eventChannel.hasSubscribers) eventChannel.publish(event);
  }

  /** A redirect's own body has ended, and whoever follows it above us will dispatch again. */
  staysOpen(status: number): boolean {
    return this.isHeldOpen || (this.rules.redirectsAbove && status >= 300 && status < 400 && status !== 304);
  }

  end(outcome: Outcome, nowMs = this.nowMs): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#deadlineWatch?.cancel();
    this.deadlineListener = undefined;
    if (this.#above?.kept === undefined) this.body.release();
    if (this.#operation === undefined) this.ledger.end(outcome, nowMs);
    if (this.isWatched) this.#emitEnd(outcome);
    this.#above?.onOutcome(outcome);
  }

  #emitEnd(outcome: Outcome): void {
    const { integrity, attemptCount, deliveredBytes } = this.ledger;
    const proof = integrity === undefined ? {} : { integrity };
    this.emit({ type: 'end', outcome, attempts: attemptCount, deliveredBytes, ...proof });
  }
}

function hasKey(home: DispatchOptions): boolean {
  // Only methods that are not idempotent need one; the headers of all others are never looked at.
  if (home.method === 'GET' || home.method === 'HEAD') return false;
  return headerOf(home.headers as RequestHeaders, 'idempotency-key') !== undefined;
}
