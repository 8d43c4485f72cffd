/** Flags, variables and defaults resolved into options: everything that can be wrong is found here, before anything runs. */
import { ConfigError, parseDuration, show } from '../core/index.ts';
import type { RunOptions } from '../run/index.ts';
import type { RunFlags } from './run-flags.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError naming the flag or variable, what must hold and what came */
export function resolveRun(flags: RunFlags, environment: Environment): RunOptions {
  const read = (flag: string, given: string | undefined, parse: (text: string) => number | undefined, must: string) => {
    const variable = `REKNIT_${flag.replaceAll('-', '_').toUpperCase()}`;
    const [name, text] = given === undefined ? [variable, environment[variable]] : [`--${flag}`, given];
    if (text === undefined || text === '') return undefined;
    const value = parse(text.trim());
    if (value !== undefined) return value;
    throw new ConfigError(`Cannot use ${name} as it must be ${must}: received ${show(text)}`);
  };
  const duration = 'a duration with its unit, for instance 500ms, 30s, 5m';
  const maxAttempts = read('max-attempts', flags.maxAttempts, parseCount, 'a whole number of at least 1');
  const baseDelayMs = read('retry-delay', flags.retryDelay, parseDuration, duration);
  const maxDelayMs = read('max-delay', flags.maxDelay, parseDuration, duration);
  const deadlineMs = read('deadline', flags.deadline, parsePositive, duration);
  return {
    retry: {
      ...(maxAttempts !== undefined && { maxAttempts }),
      ...(baseDelayMs !== undefined && { baseDelayMs }),
      ...(maxDelayMs !== undefined && { maxDelayMs }),
    },
    ...(deadlineMs !== undefined && { deadlineMs }),
    retryOnExit: (flags.retryOnExit ?? []).flatMap((text) => text.split(',')).map(parseExit),
    retryOnOutput: flags.retryOnOutput ?? [],
    via: parseVia(flags.via ?? []),
    repeatable: flags.repeatable === true,
    stdin: flags.stdin === false ? 'ignore' : 'inherit',
    forwardSignals: true,
  };
}

function parseCount(text: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

function parsePositive(text: string): number | undefined {
  return parseDuration(text) || undefined;
}

/** The same name again is another place of the same content. */
function parseVia(texts: readonly string[]): NonNullable<RunOptions['via']> {
  const via: Record<string, string[] | true> = {};
  for (const text of texts) {
    const [, name, url] = /^([^=]+?)(?:=(.*))?$/s.exec(text.trim()) ?? [];
    if (name === undefined || url === '') {
      throw new ConfigError(`Cannot use --via as it must be NAME or NAME=URL: received ${show(text)}`);
    }
    const before = via[name];
    if (url === undefined) via[name] = before ?? true;
    else via[name] = [...(Array.isArray(before) ? before : []), url];
  }
  return via;
}

function parseExit(text: string): number {
  const code = parseCount(text.trim());
  if (code !== undefined && code <= 255) return code;
  throw new ConfigError(`Cannot use --retry-on-exit as it must be exit codes from 1 to 255: received ${show(text)}`);
}
