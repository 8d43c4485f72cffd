/** What an attempt's end means: the tagged failure below its error counts, or what the caller's `classify` says. */
import {
  type Failure,
  failureOf,
  type OutcomeClass,
  redactUrl,
  type UpstreamVerdict,
  verdictAs,
  verdictOf,
} from '../core/index.ts';

export interface ClassifyFacts<U> {
  /** As the transport classified it; undefined for errors that did not come from the network. */
  readonly failure: Failure | undefined;
  readonly upstream: U;
  /** The beginning of what the server said with a final status, where it was read. */
  readonly text: string | undefined;
}

/**
 * Names the class of an outcome, or leaves it to the table with `undefined`. For an answer with a final status it is asked
 * before its text is read, with no error, and once more after.
 */
export type Classify<U> = (error: unknown, facts: ClassifyFacts<U>) => OutcomeClass | undefined;

export interface Judging<U> {
  readonly classify: Classify<U> | undefined;
  /** Statuses that another upstream may answer differently: 404 where replicas lag. */
  readonly failoverOn: ReadonlySet<number> | undefined;
}

export interface JudgeFacts<U> {
  readonly upstream: U;
  readonly text: string | undefined;
  readonly hadFullTime: boolean;
}

export function judge<U>(
  { classify, failoverOn }: Judging<U>,
  error: unknown,
  observed: Failure | undefined,
  { upstream, text, hadFullTime }: JudgeFacts<U>,
): UpstreamVerdict {
  const failure = observed ?? failureOf(error);
  const named = classify?.(error, { failure, upstream, text });
  if (named !== undefined) return verdictAs(named, failure ?? foreignFailure(error, named));
  // A bug, a JSON parse error: nobody's network, and the same at every upstream.
  if (failure === undefined) return verdictAs('internal', foreignFailure(error, 'internal'));
  return verdictOf(failure, { text, hadFullTime, failoverOn });
}

function foreignFailure(error: unknown, outcomeClass: OutcomeClass): Failure {
  const { message, code } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly message?: unknown;
    readonly code?: unknown;
  };
  const text = typeof message === 'string' ? message : String(error);
  return {
    origin: 'consumer',
    phase: 'body',
    kind: 'consumer',
    transient: outcomeClass === 'transient' || outcomeClass === 'throttled',
    mayHaveRun: true,
    ...(typeof code === 'string' ? { code } : {}),
    what: redactUrl(text.split('\n', 1)[0]!.slice(0, MAX_TEXT)) || 'the operation failed',
  };
}

/** Characters of a foreign error's message that a failure repeats. */
const MAX_TEXT = 200;
