/** Flags resolved into settings: everything that can be wrong is found here, before anything is started. */
import { ConfigError, parseDuration, parseSize, show } from '../core/index.ts';
import {
  type CatalogueEntry,
  checkCommand,
  chooseEntries,
  defaultLimitMs,
  leastSizeBytes,
  loadScenarios,
  MissingPeerError,
  type Preset,
} from '../lab/index.ts';
import type { ConformanceFlags } from './conformance-flags.ts';
import { allPresets } from './conformance-presets.ts';

/** One column of the scorecard. */
export interface ConformanceClient {
  readonly name: string;
  readonly title: string;
  readonly how: string;
  readonly command: readonly string[];
  readonly versionCommand: readonly string[] | undefined;
}

export interface ConformanceSettings {
  readonly clients: readonly ConformanceClient[];
  /** Presets of `all` that cannot be called here, and why. */
  readonly missing: readonly string[];
  readonly entries: readonly CatalogueEntry[];
  readonly seed: number;
  readonly jobs: number | undefined;
  readonly limitMs: number;
}

/**
 * @throws ConfigError naming the flag, what must hold and what came; TypeError, ScenarioFileError and MissingPeerError
 * of the lab say the same of commands, files and packages
 */
export async function resolveConformance(
  command: readonly string[],
  flags: ConformanceFlags,
  folder: string,
): Promise<ConformanceSettings> {
  const { clients, missing } = clientsFrom(command, flags.preset ?? [], folder);
  for (const client of clients) checkCommand(client.command);
  const sizeBytes = read('--size', flags.size, parseSize, leastSizeBytes, 'a size of at least 64KiB');
  const limitMs = read('--timeout', flags.timeout, parseDuration, 100, 'a duration of at least 100ms, such as 60s');
  return {
    clients,
    missing,
    entries: await entriesFrom(flags, sizeBytes),
    seed: read('--seed', flags.seed, parseWhole, 0, 'a whole number') ?? 1,
    jobs: read('--jobs', flags.jobs, parseWhole, 1, 'a whole number of at least 1'),
    limitMs: limitMs ?? defaultLimitMs,
  };
}

export async function entriesFrom(
  { scenarios, only, except }: ConformanceFlags,
  sizeBytes?: number,
): Promise<readonly CatalogueEntry[]> {
  const entries = scenarios === undefined ? undefined : await loadScenarios(scenarios);
  return chooseEntries({
    ...(entries && { entries }),
    ...(only && { only }),
    ...(except && { except }),
    ...(sizeBytes !== undefined && { sizeBytes }),
  });
}

function clientsFrom(
  command: readonly string[],
  names: readonly string[],
  folder: string,
): Pick<ConformanceSettings, 'clients' | 'missing'> {
  const missing: string[] = [];
  const clients = names.includes('all')
    ? allPresets.flatMap((preset) => clientIfThere(preset, folder, missing))
    : names.map((name) => clientOf(presetNamed(name), folder));
  if (command.length > 0) {
    clients.push({ name: 'command', title: command[0]!, how: command.join(' '), command, versionCommand: undefined });
  }
  if (clients.length > 0) return { clients, missing };
  throw new ConfigError('Cannot judge a client as there must be a command behind -- or a --preset: received neither');
}

function clientOf(preset: Preset, folder: string): ConformanceClient {
  const { name, title, how } = preset;
  return { name, title, how, command: preset.command(folder), versionCommand: preset.versionCommand(folder) };
}

function clientIfThere(preset: Preset, folder: string, missing: string[]): readonly ConformanceClient[] {
  try {
    return [clientOf(preset, folder)];
  } catch (error) {
    if (!(error instanceof MissingPeerError)) throw error;
    missing.push(error.message);
    return [];
  }
}

function presetNamed(name: string): Preset {
  const preset = allPresets.find((each) => each.name === name);
  if (preset !== undefined) return preset;
  const names = allPresets.map((each) => each.name).join(', ');
  throw new ConfigError(`Cannot use --preset as it must be all, or of ${names}: received ${show(name)}`);
}

export function parseWhole(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function read(
  flag: string,
  text: string | undefined,
  parse: (text: string) => number | undefined,
  least: number,
  must: string,
): number | undefined {
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value !== undefined && value >= least && value <= 2 ** 31 - 1) return value;
  throw new ConfigError(`Cannot use ${flag} as it must be ${must}: received ${show(text)}`);
}
