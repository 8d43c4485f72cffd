/** `--extract DIR` and what belongs to it: checked before anything happens. */
import { Option } from 'commander';
import { ConfigError, parseSize, show } from '../core/index.ts';
import type { ExtractLimits } from '../extract/index.ts';
import type { GetFlags } from './get-flags.ts';

export interface ExtractPlan {
  readonly into: string;
  /** `stream` unpacks what arrives; `file` downloads and proves first, and can be continued after an interruption. */
  readonly mode: 'stream' | 'file';
  readonly limits: ExtractLimits;
}

export function extractFlags(): readonly Option[] {
  return [
    new Option(
      '--extract <DIR>',
      'unpack the tar, tar.gz, tar.zst or zip into this new folder; it appears whole or not at all',
    ),
    new Option(
      '--extract-mode <MODE>',
      'stream: unpack while downloading; file: download and prove first (default: stream; file for zip)',
    ).choices(['stream', 'file']),
    new Option('--extract-max-size <SIZE>', 'refuse to unpack more than this (default: 64GiB)'),
    new Option('--extract-max-ratio <N>', 'refuse to unpack more than N bytes for each of the archive (default: 200)'),
    new Option('--extract-max-entries <N>', 'refuse archives of more files, folders and links (default: 1000000)'),
  ];
}

/** @throws ConfigError naming the flag, what must hold and what came */
export function resolveExtract(urls: readonly URL[], flags: GetFlags): ExtractPlan | undefined {
  const { extract: into, extractMode, output } = flags;
  if (into === undefined) {
    const alone = Object.keys(flags).find((key) => key.startsWith('extract') && flags[key] !== undefined);
    if (alone === undefined) return undefined;
    throw new ConfigError(`Cannot use ${flagOf(alone)} as it says how to extract: received no --extract`);
  }
  if (into === '') throw new ConfigError('Cannot use --extract as it must be a path: received ""');
  if (output !== undefined) {
    throw new ConfigError(`Cannot use --extract with -o as each says where the result goes: received both`);
  }
  if (urls.length > 1) {
    throw new ConfigError(`Cannot use --extract as there must be one URL: received ${urls.length} URLs`);
  }
  const isZip = /\.zip$/i.test(urls[0]!.pathname);
  return { into, mode: extractMode ?? (isZip ? 'file' : 'stream'), limits: limitsFrom(flags) };
}

function limitsFrom({ extractMaxSize, extractMaxRatio, extractMaxEntries }: GetFlags): ExtractLimits {
  return {
    ...limit('maxBytes', '--extract-max-size', extractMaxSize, parseSize),
    ...limit('maxRatio', '--extract-max-ratio', extractMaxRatio, Number),
    ...limit('maxEntries', '--extract-max-entries', extractMaxEntries, Number),
  };
}

function limit(
  name: keyof ExtractLimits,
  flag: string,
  text: string | undefined,
  parse: (text: string) => number | undefined,
): ExtractLimits {
  if (text === undefined) return {};
  const value = parse(text);
  if (value !== undefined && Number.isSafeInteger(value) && value >= 1) return { [name]: value };
  const must = name === 'maxBytes' ? 'a size of at least 1 byte, as 10GiB' : 'an integer >= 1';
  throw new ConfigError(`Cannot use ${flag} as it must be ${must}: received ${show(text)}`);
}

function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
