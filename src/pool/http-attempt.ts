/** One attempt over HTTP: one request at one upstream; behind its headers a body heals below, at the same upstream. */
import { type Failure, failureOf, freshState, type Outcome } from '../core/index.ts';
import { type Above, type Client, clientForAttempt, type KeptBody } from '../http/index.ts';
import type { Course } from './course.ts';
import { type Attempted, type AttemptStep, throwIfAborted } from './drive.ts';

export interface HttpSettings {
  readonly signal: AbortSignal | undefined;
  readonly deadlineAtMs: number | undefined;
  readonly client: Client;
  readonly kept: KeptBody;
}

/** @param send makes the request with a client that tries once before an answer */
export async function attemptHttp<T, U>(
  course: Course<U>,
  step: AttemptStep<U>,
  settings: HttpSettings,
  send: (client: Client) => Promise<T>,
): Promise<Attempted<T>> {
  const end = new AnswerEnd(course, settings.kept);
  const { timeLeftMs } = course;
  const above: Above = {
    kept: settings.kept,
    headersMs: step.isLastCandidate ? timeLeftMs : undefined,
    refuses: (failure: Failure) => !course.isFinal(failure),
    onAttempt: (attempt) => course.tellAttempt(attempt),
    onOutcome: end.onEnd,
  };
  try {
    const { deadlineAtMs, client } = settings;
    const operation = { ledger: course.ledger, state: freshState, deadlineAtMs, above };
    const value = await send(clientForAttempt(step.upstream.client ?? client, operation));
    course.answered();
    end.handOn();
    return { value };
  } catch (error) {
    throwIfAborted(course, settings.signal);
    course.failed(error, failureOf(error));
    return undefined;
  }
}

/** The end of an answer's body may come before its head has been handed on, and counts from then. */
class AnswerEnd<U> {
  readonly #course: Course<U>;
  readonly #kept: KeptBody;
  #outcome: Outcome | undefined;
  #isHandedOn = false;

  constructor(course: Course<U>, kept: KeptBody) {
    this.#course = course;
    this.#kept = kept;
  }

  readonly onEnd = (outcome: Outcome): void => {
    this.#outcome = outcome;
    if (this.#isHandedOn) this.#settle(outcome);
  };

  handOn(): void {
    this.#isHandedOn = true;
    if (this.#outcome !== undefined) this.#settle(this.#outcome);
  }

  #settle(outcome: Outcome): void {
    const attempt = this.#course.ledger.attempts.at(-1);
    this.#kept.body?.release();
    switch (outcome) {
      case 'complete':
        this.#course.succeeded();
        return;
      case 'status':
        this.#course.handedOn(attempt!.failure!);
        return;
      case 'aborted':
        this.#course.cancelled();
        return;
      case 'failed':
      case 'open': {
        const decision = attempt?.decision;
        const reason = decision?.kind === 'give-up' ? decision.reason : 'permanent';
        this.#course.brokenOff(attempt?.failure, reason);
      }
    }
  }
}
