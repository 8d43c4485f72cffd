/** Every option of a client as a flag: made from core's table, read as the `REKNIT_…` variables are. */
import { Option } from 'commander';
import { type OptionRow, optionRows } from '../core/index.ts';

/** What a download wants otherwise; shown in the help, and used. */
const defaultsOfGet: Readonly<Record<string, number>> = {
  maxAttempts: 10,
  ratio: 1,
  capacity: 1_000,
  maxPerOrigin: 8,
};

const placeholders: Readonly<Record<OptionRow['unit'], string>> = {
  ms: 'DURATION',
  bytes: 'SIZE',
  'bytes/s': 'RATE',
  count: 'N',
  ratio: 'RATIO',
  boolean: '',
};

export function defaultOf(row: OptionRow): number | boolean | undefined {
  return defaultsOfGet[row.name] ?? row.fallback;
}

export function clientFlags(): readonly Option[] {
  return optionRows.map((row) => {
    const shown = showDefault(row);
    const flag = row.unit === 'boolean' ? booleanFlag(row) : `--${row.flag} <${placeholders[row.unit]}>`;
    const help = row.fallback === true ? `do not ${row.help}` : row.help;
    return new Option(flag, shown === undefined ? help : `${help} (default: ${shown})`);
  });
}

function booleanFlag(row: OptionRow): string {
  return row.fallback === true ? `--no-${row.flag}` : `--${row.flag}`;
}

function showDefault(row: OptionRow): string | undefined {
  const value = defaultOf(row);
  if (typeof value !== 'number') return undefined;
  return row.unit === 'ms' ? showDuration(value) : row.unit === 'bytes' ? showSize(value) : String(value);
}

function showDuration(ms: number): string {
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 && ms > 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

function showSize(bytes: number): string {
  if (bytes % 1_048_576 === 0 && bytes > 0) return `${bytes / 1_048_576}MiB`;
  return bytes % 1_024 === 0 && bytes > 0 ? `${bytes / 1_024}KiB` : String(bytes);
}

/** How commander names the value of a flag. */
export function keyOf(row: OptionRow): string {
  return row.flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
