/** One attempt of any operation: bounded, abortable at once, and heard to its end. */
import {
  deadlineFailure,
  type Failure,
  failureOf,
  freshState,
  GaveUpError,
  LedgerBook,
  redactUrl,
  tagFailure,
} from '../core/index.ts';
import { type Client, clientForAttempt } from '../http/index.ts';
import type { Runtime, Timer } from '../runtime/index.ts';
import type { Course } from './course.ts';
import type { Attempted, AttemptStep } from './drive.ts';
import { throwIfAborted } from './drive.ts';

/** What an operation is given beside its upstream. */
export interface OperationContext {
  /** Aborted when the caller leaves, when the time is over, and when the attempt has failed. */
  readonly signal: AbortSignal;
  /** 1-based, over all rounds and upstreams. */
  readonly attemptNumber: number;
  /** 1-based. */
  readonly roundNumber: number;
  /** Until the deadline, when the attempt begins; undefined without a deadline. */
  readonly timeLeftMs: number | undefined;
  /**
   * Makes single attempts over the upstream's connections: what it cannot reach, and every final status that the pool
   * would take elsewhere, rejects. A body that breaks heals.
   */
  readonly client: Client;
}

export type PoolOperation<T, U> = (upstream: U, context: OperationContext) => Promise<T> | T;

export interface RunSettings {
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  readonly deadlineAtMs: number | undefined;
  readonly attemptMs: number | undefined;
  /** The pool's own, for upstreams without one. */
  readonly client: Client;
  /** A request below that may have run must not be sent again by another name. */
  readonly onMayHaveRun: () => void;
}

export async function attemptOperation<T, U>(
  course: Course<U>,
  step: AttemptStep<U>,
  operation: PoolOperation<T, U>,
  settings: RunSettings,
): Promise<Attempted<T>> {
  const { signal } = settings;
  const attempt = course.beginAttempt();
  const stop = new AbortController();
  const ledger = new LedgerBook('RUN', step.upstream.name, attempt.startedAtMs, redactUrl);
  const context = contextFor(course, step, stop.signal, attempt.attemptNumber, ledger, settings);
  try {
    const value = await bounded(() => operation(step.upstream.value, context), stop, course, step, settings);
    takeHops(course, ledger);
    attempt.endedAtMs = settings.runtime.clock.nowMs();
    course.answered();
    course.succeeded();
    return { value };
  } catch (error) {
    // What the operation left running would compete with its next attempt.
    if (!stop.signal.aborted) stop.abort(error);
    takeHops(course, ledger);
    throwIfAborted(course, signal);
    if (hasRefusedToRepeat(error)) settings.onMayHaveRun();
    course.failed(error, failureOf(error));
    return undefined;
  }
}

function contextFor<U>(
  course: Course<U>,
  step: AttemptStep<U>,
  signal: AbortSignal,
  attemptNumber: number,
  ledger: LedgerBook,
  settings: RunSettings,
): OperationContext {
  const { upstream, roundNumber } = step;
  const above = {
    kept: undefined,
    headersMs: undefined,
    refuses: (failure: Failure) => !course.isStopping(failure),
    onAttempt: () => {},
    onOutcome: () => {},
  };
  return {
    signal,
    attemptNumber,
    roundNumber,
    timeLeftMs: course.timeLeftMs,
    get client() {
      const operation = { ledger, state: freshState, deadlineAtMs: settings.deadlineAtMs, above };
      return clientForAttempt(upstream.client ?? settings.client, operation);
    },
  };
}

/** The operation, the caller's abort or a clock, whichever comes first; what comes later is not heard. */
function bounded<T, U>(
  operation: () => Promise<T> | T,
  stop: AbortController,
  course: Course<U>,
  step: AttemptStep<U>,
  settings: RunSettings,
): Promise<T> {
  const { signal, runtime } = settings;
  return new Promise<T>((resolve, reject) => {
    let timer: Timer | undefined;
    const end = (error: unknown) => {
      stop.abort(error);
      reject(error);
    };
    const onAbort = () => end(signal?.reason);
    const limit = limitOf(course, step, settings);
    if (limit !== undefined) timer = runtime.clock.after(limit.afterMs, () => end(timeoutError(limit)));
    signal?.addEventListener('abort', onAbort, { once: true });
    const settled = () => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    // In a promise of its own: an operation that throws at once is one that rejects.
    const running = (async () => operation())();
    running.then(resolve, reject);
    running.then(settled, settled);
    stop.signal.addEventListener('abort', settled, { once: true });
  });
}

interface Limit {
  readonly afterMs: number;
  readonly isDeadline: boolean;
}

function limitOf<U>(course: Course<U>, step: AttemptStep<U>, { attemptMs }: RunSettings): Limit | undefined {
  const { timeLeftMs } = course;
  const hasAllTime = step.isLastCandidate && timeLeftMs !== undefined;
  if (attemptMs !== undefined && !hasAllTime && attemptMs < (timeLeftMs ?? Number.POSITIVE_INFINITY))
    return { afterMs: attemptMs, isDeadline: false };
  return timeLeftMs === undefined ? undefined : { afterMs: timeLeftMs, isDeadline: true };
}

function timeoutError({ afterMs, isDeadline }: Limit): Error {
  const failure: Failure = isDeadline
    ? deadlineFailure('wait')
    : {
        origin: 'clock',
        phase: 'wait',
        kind: 'headers-timeout',
        transient: true,
        mayHaveRun: true,
        code: 'ERR_REKNIT_ATTEMPT_TIMEOUT',
        what: 'no answer in time',
      };
  const error = Object.assign(new Error(`the attempt took longer than ${Math.round(afterMs)} ms`), {
    name: 'TimeoutError',
  });
  tagFailure(error, failure);
  return error;
}

/** What went out on the wire for this attempt belongs to it. */
function takeHops<U>(course: Course<U>, below: LedgerBook): void {
  const attempt = course.ledger.attempts.at(-1);
  for (const { hops } of below.attempts) attempt?.hops.push(...hops);
  course.ledger.hopCount += below.hopCount;
}

function hasRefusedToRepeat(error: unknown): boolean {
  let link = error;
  for (let depth = 0; depth < MAX_LINKS && typeof link === 'object' && link !== null; depth += 1) {
    if (link instanceof GaveUpError && link.reason === 'may-have-run') return true;
    link = (link as { readonly cause?: unknown }).cause;
  }
  return false;
}

const MAX_LINKS = 16;
