import type { GiveUpReason } from './decide.ts';
import type { Failure } from './failure.ts';
import type { Ledger } from './ledger.ts';
import { type TrailEntry, trailOfLedger } from './trail.ts';

const brand = Symbol.for('reknit.error');

export type ReknitErrorCode =
  | 'ERR_REKNIT_GAVE_UP'
  | 'ERR_REKNIT_CONTENT_CHANGED'
  | 'ERR_REKNIT_INTEGRITY'
  | 'ERR_REKNIT_DEADLINE'
  | 'ERR_REKNIT_CONFIG'
  | 'ERR_REKNIT_LOCAL';

interface ErrorParts {
  readonly cause?: unknown;
  readonly ledger?: Ledger | undefined;
  readonly failure?: Failure | undefined;
}

/** What every error of reknit has in common. Recognise one with `isReknitError`, which also knows other copies' errors. */
export class ReknitError extends Error {
  readonly code: ReknitErrorCode;
  /** What happened, attempt by attempt. Absent where there was no request yet. */
  readonly ledger: Ledger | undefined;
  /** The last failure, classified. */
  readonly failure: Failure | undefined;

  constructor(code: ReknitErrorCode, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.ledger = parts.ledger;
    this.failure = parts.failure;
    Object.defineProperty(this, brand, { value: true });
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** The request ended without an answer that counts; `reason` says why no other attempt was made. */
export class GaveUpError extends ReknitError {
  readonly reason: GiveUpReason;

  constructor(reason: GiveUpReason, message: string, parts: ErrorParts = {}) {
    super('ERR_REKNIT_GAVE_UP', message, parts);
    this.reason = reason;
  }

  /** The attempts as a pool made them, with upstream and round; the ledger has their hops. */
  get trail(): readonly TrailEntry[] {
    return this.ledger === undefined ? [] : trailOfLedger(this.ledger);
  }
}

/** The content changed under a reader that already held bytes of it. Start again to get the new version. */
export class ContentChangedError extends ReknitError {
  constructor(message: string, parts: ErrorParts = {}) {
    super('ERR_REKNIT_CONTENT_CHANGED', message, parts);
  }
}

/** The bytes are there and are wrong: a digest, a length or a content-coding does not agree with them. */
export class IntegrityError extends ReknitError {
  constructor(message: string, parts: ErrorParts = {}) {
    super('ERR_REKNIT_INTEGRITY', message, parts);
  }
}

/** The deadline came first. */
export class DeadlineError extends ReknitError {
  constructor(message: string, parts: ErrorParts = {}) {
    super('ERR_REKNIT_DEADLINE', message, parts);
  }
}

/** An option, a URL, a header or a checksum that cannot be used; nothing was sent and nothing written. */
export class ConfigError extends ReknitError {
  constructor(message: string, parts: ErrorParts = {}) {
    super('ERR_REKNIT_CONFIG', message, parts);
  }
}

export function isReknitError(value: unknown): value is ReknitError {
  return typeof value === 'object' && value !== null && brand in value;
}
