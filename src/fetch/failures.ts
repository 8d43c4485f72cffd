/** Failures that the driver sees itself, as classified data. */
import { classify, type Failure, type Phase, rowOf } from '../core/index.ts';

const inBody = { phase: 'body', transient: true, mayHaveRun: true } as const;

/** Damage that comes back at the same byte is in the content, not on the wire. */
const damageKinds: ReadonlySet<Failure['kind']> = new Set(['decoding', 'bad-chunking']);

/** What a rejection of the wrapped `fetch`, or of a body of its, means. It never tells whether anything was sent. */
export function fetchFailure(error: unknown, phase: 'wait' | 'body', atByte: number): Failure {
  const failure = classify({ phase, error, unsent: false, reusedSocket: false, answered: phase === 'body' });
  return damageKinds.has(failure.kind) ? { ...failure, mark: `${failure.kind} at byte ${atByte}` } : failure;
}

/** The one rejection behind which a browser hides everything, a CORS refusal of `Range` included. */
export function hidesItsReason(error: unknown): boolean {
  return rowOf(error, 'wait')?.id === 'browser-network-error';
}

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

/** The caller's own stream or function failed; it is told in its own words. */
export const unreadableBody: Failure = Object.freeze({
  origin: 'caller',
  phase: 'send',
  kind: 'invalid-request',
  transient: false,
  mayHaveRun: true,
  what: 'the request body could not be read',
});

export function deadlineFailure(phase: Phase): Failure {
  return { origin: 'clock', phase, kind: 'timed-out', transient: true, mayHaveRun: true, what: 'the deadline passed' };
}
