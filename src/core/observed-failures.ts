/** Failures that no error object tells: a driver sees them in an answer, in a clock, or in the caller's own stream. */
import type { Failure, Phase } from './failure.ts';

const inBody = { phase: 'body', transient: true, mayHaveRun: true } as const;

export function truncatedFailure(what: string): Failure {
  return { ...inBody, origin: 'http', kind: 'truncated', what };
}

export function badResume(what: string): Failure {
  return { ...inBody, origin: 'resume', kind: 'bad-resume', what: `an answer that cannot be joined (${what})` };
}

/** A change without a validator of its own is believed when it is seen twice: middleboxes invent answers. */
export function changedFailure(isCertain: boolean, what: string): Failure {
  const mark = isCertain ? {} : { mark: 'content-changed' };
  return {
    ...inBody,
    origin: 'resume',
    kind: 'content-changed',
    transient: !isCertain,
    ...mark,
    what: `the content changed (${what})`,
  };
}

export function deadlineFailure(phase: Phase): Failure {
  return { origin: 'clock', phase, kind: 'timed-out', transient: true, mayHaveRun: true, what: 'the deadline passed' };
}

/** The caller's own stream or function failed; it is told in its own words. */
export const unreadableBody: Failure = Object.freeze({
  origin: 'caller',
  phase: 'send',
  kind: 'invalid-request',
  transient: false,
  mayHaveRun: true,
  what: 'the request body could not be read',
});
