/** Failures that a download finds itself, tagged so that `retry` knows what they are. */
import {
  type Failure,
  type FailureKind,
  GaveUpError,
  IntegrityError,
  type Ledger,
  type Origin,
  tagFailure,
} from '../core/index.ts';

/** What the words are about. */
export interface About {
  /** Without credentials. */
  readonly url: string;
  readonly ledger: Ledger | undefined;
}

/** An attempt that failed; whether there is another one is decided by `retry`. */
export function failedAttempt(origin: Origin, kind: FailureKind, what: string): Error {
  const error = new Error(what);
  tagFailure(error, { origin, phase: 'body', kind, transient: true, mayHaveRun: true, what });
  return error;
}

/** The bytes are there and are wrong; more attempts would bring the same. */
export function wrongContent(what: string, { url, ledger }: About): IntegrityError {
  const failure: Failure = {
    origin: 'integrity',
    phase: 'body',
    kind: 'digest-mismatch',
    transient: false,
    mayHaveRun: true,
    what,
  };
  const error = new IntegrityError(`The content is wrong: ${what} · ${url}`, { ledger, failure });
  tagFailure(error, failure);
  return error;
}

/** An answer that brings no file, and that another attempt would not change. */
export function refused(status: number, what: string, { url, ledger }: About): GaveUpError {
  const failure: Failure = {
    origin: 'status',
    phase: 'wait',
    kind: 'status',
    transient: false,
    mayHaveRun: true,
    status,
    what,
  };
  const error = new GaveUpError('permanent', `Cannot download ${url}: ${what}`, { ledger, failure });
  tagFailure(error, failure);
  return error;
}

/** The same wrong answer to every request for the rest (a signed URL that expired, a broken cache): the whole may still come. */
export function isStuckResume(error: unknown): error is GaveUpError {
  return error instanceof GaveUpError && error.reason === 'deterministic' && error.failure?.kind === 'bad-resume';
}

/** A connection to one address of the file came to nothing, and there are others. */
export class SourceFailed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.what);
    this.failure = failure;
    tagFailure(this, { ...failure, transient: true });
  }
}

/** Carries an error past `retry`: a stream that has written cannot begin anew, so nothing under it is worth a repeat. */
export class Final extends Error {
  readonly inner: unknown;
  constructor(inner: unknown) {
    super('final');
    this.inner = inner;
  }
}
