/**
 * The options of a client: one table of names, units, bounds and defaults, from which validation, the command line's
 * flags, the `REKNIT_…` variables and the reference are made. Options are resolved once, at the door.
 */
import { ConfigError } from './errors.ts';
import type { Policy } from './policy.ts';
import { defaultTransientStatuses } from './status.ts';

export interface RetryOptions {
  /** Attempts in a row without progress, the first included. @default 5 */
  readonly maxAttempts?: number;
  /** @default 500 */
  readonly baseDelayMs?: number;
  /** @default 20_000 */
  readonly maxDelayMs?: number;
  /** Base of the waits after 429 and its kin. @default 2_000 */
  readonly throttleDelayMs?: number;
  /** A longer `Retry-After` ends the request at once. @default 300_000 */
  readonly maxPushbackMs?: number;
  /** New body bytes that make an attempt free. @default 65_536 */
  readonly minProgressBytes?: number;
  /** Believe a 429, or a 503 with `Retry-After`, that the request was not run. @default true */
  readonly trustRefusals?: boolean;
  /** Statuses worth another attempt. @default 408, 425, 429, 500, 502, 503, 504, 520–524, 529 */
  readonly transientStatuses?: Iterable<number>;
}

export interface TimeoutOptions {
  /** Name lookup, connection and TLS handshake of one connection together. @default 10_000 */
  readonly connectMs?: number;
  /** From the request sent to the answer's headers. @default 30_000 */
  readonly headersMs?: number;
  /** Silence in a body that the reader is waiting for. @default 20_000 */
  readonly stallMs?: number;
  /** Floor of a body's rate over `stallMs`; 0 switches it off. @default 1_000 */
  readonly minBytesPerSecond?: number;
  /** Bound of the whole request, waits and body included. @default none */
  readonly deadlineMs?: number | undefined;
}

export interface ConnectionOptions {
  /** @default 16 */
  readonly maxPerOrigin?: number;
  /** @default true */
  readonly keepAlive?: boolean;
  /** @default 4_000 */
  readonly maxIdleMs?: number;
  /** Offer HTTP/2 in the TLS handshake. @default false */
  readonly http2?: boolean;
}

export interface PolicyOptions {
  readonly retry?: RetryOptions;
  readonly timeouts?: TimeoutOptions;
  /** @default \{ ratio: 0.2, capacity: 10 \} */
  readonly budget?: { readonly ratio?: number; readonly capacity?: number };
  readonly connections?: ConnectionOptions;
  /** The most bytes of a one-shot request body that are kept to be sent again. @default 1_048_576 */
  readonly replayBufferBytes?: number;
}

type Unit = 'count' | 'ms' | 'bytes' | 'bytes/s' | 'ratio' | 'boolean';

export interface OptionRow {
  readonly group: 'retry' | 'timeouts' | 'budget' | 'connections' | '';
  readonly name: string;
  readonly unit: Unit;
  readonly min: number;
  readonly fallback: number | boolean | undefined;
  /** Without the leading dashes. */
  readonly flag: string;
  readonly help: string;
}

/** The longest timer of the platforms, 2^31 − 1 ms; a longer wait would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

export const optionRows: readonly OptionRow[] = [
  {
    group: 'retry',
    name: 'maxAttempts',
    unit: 'count',
    min: 1,
    fallback: 5,
    flag: 'max-attempts',
    help: 'attempts in a row without progress, the first included',
  },
  {
    group: 'retry',
    name: 'baseDelayMs',
    unit: 'ms',
    min: 0,
    fallback: 500,
    flag: 'retry-delay',
    help: 'base of the growing, jittered wait between attempts',
  },
  {
    group: 'retry',
    name: 'maxDelayMs',
    unit: 'ms',
    min: 0,
    fallback: 20_000,
    flag: 'max-delay',
    help: 'longest wait between attempts',
  },
  {
    group: 'retry',
    name: 'throttleDelayMs',
    unit: 'ms',
    min: 0,
    fallback: 2_000,
    flag: 'throttle-delay',
    help: 'base of the wait after 429 and its kin',
  },
  {
    group: 'retry',
    name: 'maxPushbackMs',
    unit: 'ms',
    min: 0,
    fallback: 300_000,
    flag: 'max-pushback',
    help: 'give up at once when the server asks for a longer pause',
  },
  {
    group: 'retry',
    name: 'minProgressBytes',
    unit: 'bytes',
    min: 1,
    fallback: 65_536,
    flag: 'min-progress',
    help: 'new bytes that make an attempt free',
  },
  {
    group: 'retry',
    name: 'trustRefusals',
    unit: 'boolean',
    min: 0,
    fallback: true,
    flag: 'trust-refusals',
    help: 'believe that a refused request was not run',
  },
  {
    group: 'timeouts',
    name: 'connectMs',
    unit: 'ms',
    min: 1,
    fallback: 10_000,
    flag: 'connect-timeout',
    help: 'bound of lookup, connection and TLS handshake',
  },
  {
    group: 'timeouts',
    name: 'headersMs',
    unit: 'ms',
    min: 1,
    fallback: 30_000,
    flag: 'headers-timeout',
    help: "bound of the wait for an answer's headers",
  },
  {
    group: 'timeouts',
    name: 'stallMs',
    unit: 'ms',
    min: 1,
    fallback: 20_000,
    flag: 'stall-timeout',
    help: 'longest silence in a body',
  },
  {
    group: 'timeouts',
    name: 'minBytesPerSecond',
    unit: 'bytes/s',
    min: 0,
    fallback: 1_000,
    flag: 'min-rate',
    help: 'slower than this over the stall timeout is a failed attempt; 0 for no floor',
  },
  {
    group: 'timeouts',
    name: 'deadlineMs',
    unit: 'ms',
    min: 1,
    fallback: undefined,
    flag: 'deadline',
    help: 'bound of the whole request, waits included',
  },
  {
    group: 'budget',
    name: 'ratio',
    unit: 'ratio',
    min: 0,
    fallback: 0.2,
    flag: 'budget-ratio',
    help: 'retries earned by one first attempt',
  },
  {
    group: 'budget',
    name: 'capacity',
    unit: 'count',
    min: 0,
    fallback: 10,
    flag: 'budget-capacity',
    help: 'retries that can be saved up',
  },
  {
    group: 'connections',
    name: 'maxPerOrigin',
    unit: 'count',
    min: 1,
    fallback: 16,
    flag: 'max-connections',
    help: 'connections to one origin at once',
  },
  {
    group: 'connections',
    name: 'keepAlive',
    unit: 'boolean',
    min: 0,
    fallback: true,
    flag: 'keepalive',
    help: 'use a connection for more than one request',
  },
  {
    group: 'connections',
    name: 'maxIdleMs',
    unit: 'ms',
    min: 1,
    fallback: 4_000,
    flag: 'max-idle',
    help: 'an idle connection older than this is not used again',
  },
  {
    group: 'connections',
    name: 'http2',
    unit: 'boolean',
    min: 0,
    fallback: false,
    flag: 'http2',
    help: 'offer HTTP/2',
  },
  {
    group: '',
    name: 'replayBufferBytes',
    unit: 'bytes',
    min: 0,
    fallback: 1_048_576,
    flag: 'replay-buffer',
    help: 'bytes of a one-shot request body that are kept to be sent again',
  },
];

const groups = ['retry', 'timeouts', 'budget', 'connections'] as const;

/**
 * Validates and fills in options.
 *
 * @param purpose what cannot be made if they are wrong, `create a client`
 * @throws ConfigError naming the field, what must hold and what came
 */
export function resolvePolicy(options: PolicyOptions, purpose: string, extraKeys: readonly string[] = []): Policy {
  checkKeys(options, purpose, extraKeys);
  const resolved: Record<string, Record<string, unknown>> = {
    retry: {},
    timeouts: {},
    budget: {},
    connections: {},
    '': {},
  };
  for (const row of optionRows) {
    const source = row.group === '' ? options : (options as Record<string, object | undefined>)[row.group];
    const given = (source as Record<string, unknown> | undefined)?.[row.name];
    resolved[row.group]![row.name] = given === undefined ? row.fallback : checkOption(row, given, purpose);
  }
  resolved.retry!.transientStatuses =
    checkStatuses(options.retry?.transientStatuses, purpose) ?? defaultTransientStatuses;
  for (const group of groups) Object.freeze(resolved[group]);
  const { retry, timeouts, budget, connections } = resolved;
  return Object.freeze({ retry, timeouts, budget, connections, ...resolved[''] }) as unknown as Policy;
}

function checkKeys(options: unknown, purpose: string, extraKeys: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(`Cannot ${purpose} as options must be an object: received ${show(options)}`);
  }
  const known = new Set([...groups, 'replayBufferBytes', ...extraKeys]);
  for (const key of Object.keys(options)) {
    if (!known.has(key))
      throw new ConfigError(`Cannot ${purpose} as there is no option ${key}${suggestFor(key, known)}`);
  }
  for (const group of groups) checkGroup(group, (options as Record<string, unknown>)[group], purpose);
}

function checkGroup(group: (typeof groups)[number], value: unknown, purpose: string): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null) {
    throw new ConfigError(`Cannot ${purpose} as ${group} must be an object: received ${show(value)}`);
  }
  const known = new Set(optionRows.filter((row) => row.group === group).map((row) => row.name));
  if (group === 'retry') known.add('transientStatuses');
  for (const key of Object.keys(value)) {
    if (!known.has(key))
      throw new ConfigError(`Cannot ${purpose} as there is no option ${group}.${key}${suggestFor(key, known)}`);
  }
}

function suggestFor(key: string, known: ReadonlySet<string>): string {
  const lower = key.toLowerCase();
  const near = [...known].find((name) => name.toLowerCase().startsWith(lower) || lower.startsWith(name.toLowerCase()));
  const owner = optionRows.find((row) => row.name === key);
  if (owner !== undefined && owner.group !== '') return `: did you mean ${owner.group}.${key}?`;
  return near === undefined ? `: known are ${[...known].join(', ')}` : `: did you mean ${near}?`;
}

/** @throws ConfigError */
export function checkOption(row: OptionRow, value: unknown, purpose: string): unknown {
  const must = (what: string): never => {
    throw new ConfigError(`Cannot ${purpose} as ${row.name} must be ${what}: received ${show(value)}`);
  };
  if (row.unit === 'boolean') return typeof value === 'boolean' ? value : must('true or false');
  if (row.unit === 'ratio') {
    return typeof value === 'number' && value >= 0 && value <= 1 ? value : must('a number from 0 to 1');
  }
  const isWhole = typeof value === 'number' && Number.isSafeInteger(value) && value >= row.min;
  if (!isWhole) return must(`an integer >= ${row.min}`);
  if (row.unit === 'ms' && value > MAX_TIMER_MS) return must(`at most ${MAX_TIMER_MS}`);
  return value;
}

export function checkStatuses(value: unknown, purpose: string): ReadonlySet<number> | undefined {
  if (value === undefined) return undefined;
  const isIterable = typeof value === 'object' && value !== null && Symbol.iterator in value;
  const statuses = isIterable ? [...(value as Iterable<unknown>)] : undefined;
  const isRight = statuses?.every(
    (status) => Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599,
  );
  if (isRight !== true) {
    throw new ConfigError(
      `Cannot ${purpose} as transientStatuses must be a list of statuses from 400 to 599: received ${show(value)}`,
    );
  }
  return new Set(statuses as number[]);
}

/** A value as a person would write it, short. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(show).join(', ')}]`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
