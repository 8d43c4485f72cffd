/** What the requests of a pool rest on: what they share, and what each has set for itself. */
import type { Budget, PoolPolicy } from '../core/index.ts';
import type { Runtime } from '../runtime/index.ts';
import type { PoolEventListener } from './events.ts';
import type { Judging } from './judge.ts';
import type { Member } from './member.ts';

/** What all requests of a pool share. */
export interface PoolShared<U> {
  readonly members: readonly Member<U>[];
  /** Of all members, in order. */
  readonly indexes: readonly number[];
  readonly policy: PoolPolicy;
  readonly runtime: Runtime;
  readonly budget: Budget;
  /** The usual time to answer, which a deadline must have left before a silence is charged to anybody. */
  readonly headersMs: number;
  readonly onEvent: PoolEventListener | undefined;
}

/** What one request has set for itself, resolved. */
export interface CourseRules<U> extends Judging<U> {
  /** In events, errors and logs. */
  readonly operation: string;
  readonly method: string;
  /** What is asked for: a path, or the operation's name. */
  readonly target: string;
  readonly deadlineAtMs: number | undefined;
  /** Sending again does no harm. */
  isRepeatable(): boolean;
  /** The request body can be produced again, whole. */
  isReplayable(): boolean;
  readonly mayUse: ((upstream: U) => boolean) | undefined;
  readonly onEvent: PoolEventListener | undefined;
}
