/** What a pool's decisions rest on, resolved once: nothing in it is optional. */
import { ConfigError } from './errors.ts';
import { checkOption, show } from './options.ts';

/** The rounds of one request. */
export interface RoundPolicy {
  /** Rounds, the first included. */
  readonly maxRounds: number;
  /** Attempts over all rounds and upstreams, the first included. */
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A longer pause than this, asked for by everyone who is left, ends the request at once. */
  readonly maxPushbackMs: number;
  /**
   * How long rounds that reach nobody (no upstream took the connection, so nothing was sent) go on without counting, neither
   * as rounds nor as attempts: an upstream that is restarted is back in seconds. Only for requests with a deadline, `within`
   * the whole pool, and where there is more than one round; 0: all count.
   */
  readonly maxUnreachedMs: number;
  /** `each`: who failed for now is asked again. `all`: only if everyone failed for now. */
  readonly gate: 'each' | 'all';
  /**
   * `pool`: a round visits all tiers, the next one at once. `tier`: a tier has all of its rounds, waits included, before the
   * next one is asked: for a fallback that costs more, or answers otherwise.
   */
  readonly within: 'pool' | 'tier';
}

/** When an upstream is taken out, for how long, and how it comes back. */
export interface EjectionPolicy {
  readonly maxConsecutiveFailures: number;
  /** 0..1, of the requests of the window. */
  readonly errorRatio: number;
  /** Requests in the window before the ratio counts. */
  readonly minRequests: number;
  readonly windowMs: number;
  /** The first ejection; each further one takes twice as long. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** After the return, its share grows to the full one over this time. */
  readonly slowStartMs: number;
  /** A probe without an end frees the place for another after this time. */
  readonly probeMs: number;
}

export interface PoolPolicy {
  readonly rounds: RoundPolicy;
  readonly ejection: EjectionPolicy;
}

interface Row {
  readonly group: keyof PoolPolicy;
  readonly name: string;
  readonly unit: 'count' | 'ms' | 'ratio';
  readonly min: number;
  readonly fallback: number;
}

export const poolOptionRows: readonly Row[] = [
  { group: 'rounds', name: 'maxRounds', unit: 'count', min: 1, fallback: 3 },
  { group: 'rounds', name: 'maxAttempts', unit: 'count', min: 1, fallback: 6 },
  { group: 'rounds', name: 'baseDelayMs', unit: 'ms', min: 0, fallback: 500 },
  { group: 'rounds', name: 'maxDelayMs', unit: 'ms', min: 0, fallback: 5_000 },
  { group: 'rounds', name: 'maxPushbackMs', unit: 'ms', min: 0, fallback: 300_000 },
  { group: 'rounds', name: 'maxUnreachedMs', unit: 'ms', min: 0, fallback: 10_000 },
  { group: 'ejection', name: 'maxConsecutiveFailures', unit: 'count', min: 1, fallback: 10 },
  { group: 'ejection', name: 'errorRatio', unit: 'ratio', min: 0, fallback: 0.5 },
  { group: 'ejection', name: 'minRequests', unit: 'count', min: 1, fallback: 20 },
  { group: 'ejection', name: 'windowMs', unit: 'ms', min: 1, fallback: 30_000 },
  { group: 'ejection', name: 'baseMs', unit: 'ms', min: 1, fallback: 5_000 },
  { group: 'ejection', name: 'maxMs', unit: 'ms', min: 1, fallback: 120_000 },
  { group: 'ejection', name: 'slowStartMs', unit: 'ms', min: 0, fallback: 10_000 },
  { group: 'ejection', name: 'probeMs', unit: 'ms', min: 1, fallback: 60_000 },
];

/** The options of a pool's own decisions; each has its default in the table above. */
export interface PoolPolicyOptions {
  readonly rounds?: Partial<RoundPolicy>;
  readonly ejection?: Partial<EjectionPolicy>;
}

/** @throws ConfigError naming the field, what must hold and what came */
export function resolvePoolPolicy(options: PoolPolicyOptions, purpose: string): PoolPolicy {
  const groups = { rounds: {}, ejection: {} } as Record<keyof PoolPolicy, Record<string, unknown>>;
  for (const name of ['rounds', 'ejection'] as const) checkKnown(name, options[name], purpose);
  for (const row of poolOptionRows) {
    const given = (options[row.group] as Record<string, unknown> | undefined)?.[row.name];
    const asRow = { ...row, group: '' as const, flag: '', help: '' };
    groups[row.group][row.name] = given === undefined ? row.fallback : checkOption(asRow, given, purpose);
  }
  const gate = options.rounds?.gate ?? 'each';
  if (gate !== 'each' && gate !== 'all')
    throw new ConfigError(`Cannot ${purpose} as gate must be 'each' or 'all': received ${show(gate)}`);
  groups.rounds.gate = gate;
  const within = options.rounds?.within ?? 'pool';
  if (within !== 'pool' && within !== 'tier')
    throw new ConfigError(`Cannot ${purpose} as within must be 'pool' or 'tier': received ${show(within)}`);
  groups.rounds.within = within;
  return Object.freeze(groups) as unknown as PoolPolicy;
}

function checkKnown(group: keyof PoolPolicy, value: unknown, purpose: string): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null)
    throw new ConfigError(`Cannot ${purpose} as ${group} must be an object: received ${show(value)}`);
  const known = poolOptionRows.filter((row) => row.group === group).map(({ name }) => name);
  if (group === 'rounds') known.push('gate', 'within');
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      throw new ConfigError(`Cannot ${purpose} as there is no option ${group}.${key}: known are ${known.join(', ')}`);
  }
}
