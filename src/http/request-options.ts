import { ConfigError, checkStatuses, MAX_TIMER_MS, type Policy, show } from '../core/index.ts';
import type { EventListener } from './events.ts';
import type { BodySource } from './request-body.ts';

/** What one request may set for itself, beside what `fetch` or `undici.request` take. */
export interface RequestOptions {
  /** Sending it twice does no harm, or does; by default the method decides (RFC 9110, 9.2.2). */
  readonly repeatable?: boolean | undefined;
  /** Sent as `Idempotency-Key`; makes the request repeatable. */
  readonly idempotencyKey?: string | undefined;
  /** Bound of the whole request, waits and body included; ms. */
  readonly deadlineMs?: number | undefined;
  /** A final status of 400 and more rejects with `GaveUpError`. @default false */
  readonly throwOnStatus?: boolean | undefined;
  /** Replaces the statuses that are worth another attempt. */
  readonly transientStatuses?: Iterable<number> | undefined;
  /** The most bytes of a one-shot request body that are kept to be sent again. */
  readonly replayBufferBytes?: number | undefined;
  /** `overlap`: continue a body that has neither validator nor length by comparing its last 64 KiB. */
  readonly resumeWithoutValidator?: 'overlap' | undefined;
  /** An end that cannot be proven is asked for again in a way that can: HTTP/2 without a length goes over HTTP/1.1. */
  readonly requireProof?: boolean | undefined;
  /** Hears what happens to this request. */
  readonly onEvent?: EventListener | undefined;
}

/** A request's own settings, resolved. */
export interface RequestRules {
  readonly repeatable: boolean | undefined;
  readonly idempotencyKey: string | undefined;
  readonly deadlineMs: number | undefined;
  readonly throwOnStatus: boolean;
  readonly transientStatuses: ReadonlySet<number>;
  readonly replayBufferBytes: number;
  readonly mayOverlapBlindly: boolean;
  readonly requireProof: boolean;
  readonly onEvent: EventListener | undefined;
  /** Redirects are followed below, since nobody above does. */
  readonly followRedirects: boolean;
  /** `fetch` follows redirects above us, each as a dispatch of its own. */
  readonly redirectsAbove: boolean;
  /** Where the body comes from, when dispatch only sees a stream made of it. */
  readonly bodySource: BodySource;
}

export const requestOptionNames = [
  'repeatable',
  'idempotencyKey',
  'deadlineMs',
  'throwOnStatus',
  'transientStatuses',
  'replayBufferBytes',
  'resumeWithoutValidator',
  'requireProof',
  'onEvent',
] as const;

/** Whether a request sets anything that rules are made of, its body included. */
export function hasOwnSettings(options: RequestOptions & { readonly body?: BodySource }): boolean {
  if (options.body !== undefined && options.body !== null) return true;
  for (const name of requestOptionNames) if (options[name] !== undefined) return true;
  return false;
}

const defaultsByPolicy = new WeakMap<Policy, RequestRules>();

/** Most requests set nothing: they share one object. */
export function defaultRules(policy: Policy): RequestRules {
  let rules = defaultsByPolicy.get(policy);
  if (rules === undefined) {
    rules = resolveRules({}, policy);
    defaultsByPolicy.set(policy, rules);
  }
  return rules;
}

/** @throws ConfigError naming the field, what must hold and what came */
export function resolveRules(
  options: RequestOptions,
  policy: Policy,
  extra: {
    readonly followRedirects?: boolean;
    readonly redirectsAbove?: boolean;
    readonly bodySource?: BodySource;
  } = {},
): RequestRules {
  const must = (name: string, what: string, value: unknown): never => {
    throw new ConfigError(`Cannot send the request as ${name} must be ${what}: received ${show(value)}`);
  };
  const { repeatable, idempotencyKey, deadlineMs, throwOnStatus, replayBufferBytes, resumeWithoutValidator, onEvent } =
    options;
  if (repeatable !== undefined && typeof repeatable !== 'boolean') must('repeatable', 'true or false', repeatable);
  if (throwOnStatus !== undefined && typeof throwOnStatus !== 'boolean')
    must('throwOnStatus', 'true or false', throwOnStatus);
  if (idempotencyKey !== undefined && !isFieldValue(idempotencyKey))
    must('idempotencyKey', 'a non-empty header value', idempotencyKey);
  if (deadlineMs !== undefined && !isCount(deadlineMs, 1)) must('deadlineMs', 'an integer >= 1', deadlineMs);
  if (deadlineMs !== undefined && deadlineMs > MAX_TIMER_MS) must('deadlineMs', `at most ${MAX_TIMER_MS}`, deadlineMs);
  if (replayBufferBytes !== undefined && !isCount(replayBufferBytes, 0))
    must('replayBufferBytes', 'an integer >= 0', replayBufferBytes);
  if (resumeWithoutValidator !== undefined && resumeWithoutValidator !== 'overlap') {
    must('resumeWithoutValidator', "'overlap' or absent", resumeWithoutValidator);
  }
  if (onEvent !== undefined && typeof onEvent !== 'function') must('onEvent', 'a function', onEvent);
  return {
    repeatable,
    idempotencyKey,
    deadlineMs: deadlineMs ?? policy.timeouts.deadlineMs,
    throwOnStatus: throwOnStatus ?? false,
    transientStatuses: checkStatuses(options.transientStatuses, 'send the request') ?? policy.retry.transientStatuses,
    replayBufferBytes: replayBufferBytes ?? policy.replayBufferBytes,
    mayOverlapBlindly: resumeWithoutValidator === 'overlap',
    requireProof: options.requireProof ?? false,
    onEvent,
    followRedirects: extra.followRedirects ?? false,
    redirectsAbove: extra.redirectsAbove ?? false,
    bodySource: extra.bodySource,
  };
}

function isCount(value: unknown, min: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
}

function isFieldValue(value: unknown): boolean {
  return typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]+$/.test(value) && value.trim() !== '';
}
