/** What one request may set for itself, whatever carries it. */
import { ConfigError } from './errors.ts';
import type { EventListener } from './events.ts';
import { checkStatuses, MAX_TIMER_MS, show } from './options.ts';
import type { Policy } from './policy.ts';

/** The settings of one request, beside what `fetch` or `undici.request` take. */
export interface RequestOptions {
  /** Sending it twice does no harm, or does; by default the method decides (RFC 9110, 9.2.2). */
  readonly repeatable?: boolean | undefined;
  /** Sent as `Idempotency-Key`; makes the request repeatable. */
  readonly idempotencyKey?: string | undefined;
  /** Bound of the whole request, waits and body included; ms. */
  readonly deadlineMs?: number | undefined;
  /** A final status of 400 and more rejects with `GaveUpError`, which `fetch` has as the cause. @default false */
  readonly throwOnStatus?: boolean | undefined;
  /** Replaces the statuses that are worth another attempt. */
  readonly transientStatuses?: Iterable<number> | undefined;
  /** The most bytes of a one-shot request body that are kept to be sent again. */
  readonly replayBufferBytes?: number | undefined;
  /** `overlap`: continue a body that has neither validator nor length by comparing its last 64 KiB. */
  readonly resumeWithoutValidator?: 'overlap' | undefined;
  /** Hears what happens to this request. */
  readonly onEvent?: EventListener | undefined;
}

/** The same, resolved. */
export interface RequestRules {
  readonly repeatable: boolean | undefined;
  readonly idempotencyKey: string | undefined;
  readonly deadlineMs: number | undefined;
  readonly throwOnStatus: boolean;
  readonly transientStatuses: ReadonlySet<number>;
  readonly replayBufferBytes: number;
  readonly mayOverlapBlindly: boolean;
  readonly onEvent: EventListener | undefined;
}

type Requirement = readonly [what: string, holds: (value: unknown) => boolean];

/** What must hold of an option that is given, in words and as a check. */
const requirements: Readonly<Record<keyof RequestOptions, Requirement>> = {
  repeatable: ['true or false', isBoolean],
  idempotencyKey: ['a non-empty header value', isFieldValue],
  deadlineMs: [`an integer from 1 to ${MAX_TIMER_MS}`, (value) => isCount(value, 1) && value <= MAX_TIMER_MS],
  throwOnStatus: ['true or false', isBoolean],
  transientStatuses: ['a list of statuses', () => true],
  replayBufferBytes: ['an integer >= 0', (value) => isCount(value, 0)],
  resumeWithoutValidator: ["'overlap' or absent", (value) => value === 'overlap'],
  onEvent: ['a function', (value) => typeof value === 'function'],
};

export const requestOptionNames = Object.keys(requirements) as readonly (keyof RequestOptions)[];

/** @throws ConfigError naming the field, what must hold and what came */
export function resolveRequestRules(options: RequestOptions, policy: Policy): RequestRules {
  for (const name of requestOptionNames) {
    const [what, holds] = requirements[name];
    const value = options[name];
    if (value !== undefined && !holds(value))
      throw new ConfigError(`Cannot send the request as ${name} must be ${what}: received ${show(value)}`);
  }
  return {
    repeatable: options.repeatable,
    idempotencyKey: options.idempotencyKey,
    deadlineMs: options.deadlineMs ?? policy.timeouts.deadlineMs,
    throwOnStatus: options.throwOnStatus ?? false,
    transientStatuses: checkStatuses(options.transientStatuses, 'send the request') ?? policy.retry.transientStatuses,
    replayBufferBytes: options.replayBufferBytes ?? policy.replayBufferBytes,
    mayOverlapBlindly: options.resumeWithoutValidator === 'overlap',
    onEvent: options.onEvent,
  };
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isCount(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
}

function isFieldValue(value: unknown): boolean {
  return typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]+$/.test(value) && value.trim() !== '';
}
