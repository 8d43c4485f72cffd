/** Every option has a `REKNIT_…` variable of the same name; flag before variable before default. */
import { ConfigError, type OptionRow, optionRows, parseDuration, parseSize, show } from '../core/index.ts';
import type { ClientOptions } from './client.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `max-attempts` → `REKNIT_MAX_ATTEMPTS`. */
export function variableOf(row: OptionRow): string {
  return `REKNIT_${row.flag.replaceAll('-', '_').toUpperCase()}`;
}

/**
 * Reads one option as a person writes it: `30s`, `64KiB`, `10`, `true`.
 *
 * @param name the flag or variable, for the message
 * @throws ConfigError
 */
export function parseOption(row: OptionRow, text: string, name: string): number | boolean {
  const value = convert(row, text.trim());
  if (value === undefined)
    throw new ConfigError(`Cannot use ${name} as it must be ${describeUnit(row)}: received ${show(text)}`);
  if (typeof value === 'number' && value < row.min) {
    throw new ConfigError(`Cannot use ${name} as it must be at least ${row.min}: received ${show(text)}`);
  }
  return value;
}

function convert(row: OptionRow, text: string): number | boolean | undefined {
  switch (row.unit) {
    case 'ms':
      return parseDuration(text);
    case 'bytes':
    case 'bytes/s':
      return parseSize(text.replace(/\/s$/, ''));
    case 'count':
      return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    case 'ratio':
      return /^(0(\.\d+)?|1(\.0+)?)$/.test(text) ? Number(text) : undefined;
    case 'boolean':
      return /^(1|true|yes|on)$/i.test(text) ? true : /^(0|false|no|off)$/i.test(text) ? false : undefined;
  }
}

const unitText: Readonly<Record<OptionRow['unit'], string>> = {
  ms: 'a duration with its unit, for instance 500ms, 30s, 5m',
  bytes: 'a size, for instance 65536, 64KiB, 10MB',
  'bytes/s': 'bytes per second, for instance 1000, 10KiB',
  count: 'a whole number',
  ratio: 'a number from 0 to 1',
  boolean: 'true or false',
};

function describeUnit(row: OptionRow): string {
  return unitText[row.unit];
}

/** Builds client options from values by row, and leaves out what was not given. */
export function optionsFromValues(givenFor: (row: OptionRow) => number | boolean | undefined): ClientOptions {
  const options: Record<string, Record<string, unknown>> = {};
  const own: Record<string, unknown> = {};
  for (const row of optionRows) {
    const value = givenFor(row);
    if (value === undefined) continue;
    if (row.group === '') own[row.name] = value;
    else options[row.group] = { ...options[row.group], [row.name]: value };
  }
  return { ...options, ...own };
}

/** @throws ConfigError naming the variable */
export function optionsFromEnvironment(environment: Environment): ClientOptions {
  return optionsFromValues((row) => {
    const name = variableOf(row);
    const text = environment[name];
    return text === undefined || text === '' ? undefined : parseOption(row, text, name);
  });
}
