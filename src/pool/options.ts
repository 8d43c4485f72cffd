import {
  ConfigError,
  MAX_TIMER_MS,
  type OutcomeClass,
  outcomeClasses,
  type PoolPolicyOptions,
  show,
} from '../core/index.ts';
import type { ClientOptions } from '../http/index.ts';
import type { PoolEventListener } from './events.ts';
import type { Classify } from './judge.ts';

/** The settings of a pool. Those of a client apply to its connections, and to bodies that are healed behind their headers. */
export interface PoolOptions<U> extends Omit<ClientOptions, 'onEvent'>, PoolPolicyOptions {
  /**
   * One attempt of `run` while another upstream could use the time; the last candidate has all that is left.
   * @default none
   */
  readonly attemptMs?: number | undefined;
  readonly classify?: Classify<U> | undefined;
  /** Statuses that another upstream may answer differently: 404 where replicas lag. @default none */
  readonly failoverOn?: Iterable<number> | undefined;
  /** Hears what happens to every request. */
  readonly onEvent?: PoolEventListener | undefined;
}

/** What every request of a pool may set for itself. */
export interface PoolRequestOptions<U> {
  /** Ends every wait and attempt at once; the request rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
  /** Bound of the whole request, waits and body included; ms. @default the pool's `timeouts.deadlineMs` */
  readonly deadlineMs?: number | undefined;
  /** Sending it twice does no harm, or does. */
  readonly repeatable?: boolean | undefined;
  /** Only upstreams for which it is true are asked. */
  readonly mayUse?: ((upstream: U) => boolean) | undefined;
  readonly classify?: Classify<U> | undefined;
  readonly failoverOn?: Iterable<number> | undefined;
  /** Hears what happens to this request. */
  readonly onEvent?: PoolEventListener | undefined;
}

/**
 * A pool serves many callers, whose requests fail together when an upstream restarts: what Finagle's reserve of ten
 * retries a second amounts to over its ten seconds, but never refilled by time alone.
 */
export const poolBudget = { ratio: 0.2, capacity: 100 };

/** @throws ConfigError */
export function checkMs(name: string, value: unknown, purpose: string): number | undefined {
  if (value === undefined) return undefined;
  const isRight = Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_TIMER_MS;
  if (isRight) return value as number;
  throw new ConfigError(
    `Cannot ${purpose} as ${name} must be an integer from 1 to ${MAX_TIMER_MS}: received ${show(value)}`,
  );
}

/** @throws ConfigError */
export function checkFunction<T>(name: string, value: T | undefined, purpose: string): T | undefined {
  if (value === undefined || typeof value === 'function') return value;
  throw new ConfigError(`Cannot ${purpose} as ${name} must be a function: received ${show(value)}`);
}

/** A wrong name from `classify` would be taken for no class at all. */
export function withCheckedClass<U>(classify: Classify<U> | undefined): Classify<U> | undefined {
  if (classify === undefined) return undefined;
  return (error, facts) => {
    const named: OutcomeClass | undefined = classify(error, facts);
    if (named === undefined || Object.hasOwn(outcomeClasses, named)) return named;
    const known = Object.keys(outcomeClasses).join(', ');
    throw new ConfigError(`Cannot judge the outcome as classify must return one of ${known}: received ${show(named)}`);
  };
}
