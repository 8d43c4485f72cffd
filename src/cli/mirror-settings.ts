/** Words and flags of `reknit mirror`, resolved: everything that can be wrong is found here, before anything listens. */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ConfigError, parseDuration, parseSize, redactUrl, show } from '../core/index.ts';
import { type MirrorOptions, type MirrorOrigin, type PresetName, presetNames } from '../mirror/index.ts';

/** Values of the flags as the command line gave them. */
export interface MirrorFlags {
  readonly upstream?: readonly string[];
  readonly listen?: string;
  /** True where neither `--cache` nor `--no-cache` was given. */
  readonly cache?: string | boolean;
  readonly cacheSize?: string;
  readonly staleIfError?: string;
  readonly maxConnections?: string;
  readonly maxAttempts?: string;
  readonly deadline?: string;
  readonly cacert?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

const DEFAULT_LISTEN = '127.0.0.1:8471';

/** @throws ConfigError naming the flag, what must hold and what came */
export function resolveMirror(words: readonly string[], flags: MirrorFlags): MirrorOptions {
  const { cache, cacheSize, staleIfError, maxConnections, maxAttempts, deadline, cacert } = flags;
  const attempts = read('--max-attempts', maxAttempts, parseCount, 'a whole number of at least 1');
  const deadlineMs = read('--deadline', deadline, parsePositive, 'a duration such as 10s or 5m');
  const maxCacheBytes = read('--cache-size', cacheSize, parseSize, 'a size such as 512MiB or 10GiB');
  const staleIfErrorMs = read('--stale-if-error', staleIfError, parseDuration, 'a duration such as 1h or 1d');
  const maxPerOrigin = read('--max-connections', maxConnections, parseCount, 'a whole number of at least 1');
  return {
    origins: readOrigins(words, flags.upstream ?? []),
    listen: readListen(flags.listen ?? DEFAULT_LISTEN),
    ...(typeof cache === 'string' && { cacheDirectory: cache }),
    ...(cache === false && { cacheDirectory: false as const }),
    ...(maxCacheBytes !== undefined && { maxCacheBytes }),
    ...(staleIfErrorMs !== undefined && { staleIfErrorMs }),
    ...(maxPerOrigin !== undefined && { maxPerOrigin }),
    ...(attempts !== undefined && { retry: { maxAttempts: attempts } }),
    ...(deadlineMs !== undefined && { timeouts: { deadlineMs } }),
    ...(cacert !== undefined && { tls: { ca: [...rootCertificates, readPem(cacert)] } }),
  };
}

interface Draft {
  readonly preset: PresetName;
  readonly name: string;
  readonly upstreams: string[];
}

function readOrigins(words: readonly string[], more: readonly string[]): readonly MirrorOrigin[] {
  const drafts = new Map<string, Draft>();
  for (const word of words) {
    const { name, preset, url } = readWord(word);
    const known = drafts.get(name);
    if (known === undefined) drafts.set(name, { name, preset, upstreams: url === undefined ? [] : [url] });
    else if (known.preset !== preset || url === undefined || known.upstreams.length === 0)
      throw new ConfigError(
        `Cannot mirror ${redactUrl(word)} as ${name} is an origin already: give it another name, NAME:PRESET=URL`,
      );
    else known.upstreams.push(url);
  }
  for (const text of more) {
    const [, name = '', url = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    const known = drafts.get(name);
    if (known === undefined)
      throw new ConfigError(
        `Cannot use --upstream as it must be NAME=URL of one of the origins: received ${show(redactUrl(text))}`,
      );
    known.upstreams.push(url);
  }
  if (drafts.size === 0)
    throw new ConfigError(
      'Cannot start the mirror as at least one origin must be given, for instance pypi or npm=URL: received none',
    );
  return [...drafts.values()].map(({ name, preset, upstreams }) =>
    upstreams.length === 0 ? { name, preset } : { name, preset, upstreams },
  );
}

function readWord(word: string): {
  readonly name: string;
  readonly preset: PresetName;
  readonly url: string | undefined;
} {
  const [, alias, preset = '', url] = /^(?:([\w.-]+):(?!\/\/))?([a-z]+)(?:=(.*))?$/is.exec(word) ?? [];
  const isKnown = (presetNames as readonly string[]).includes(preset);
  if (!isKnown)
    throw new ConfigError(
      `Cannot mirror ${redactUrl(word)} as an origin must be PRESET, PRESET=URL or NAME:PRESET=URL, with a preset of ${presetNames.join(', ')}`,
    );
  return { name: alias ?? preset, preset: preset as PresetName, url };
}

function readListen(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(\[[0-9a-f:.]+\]|[^:\s]+):(\d{1,5})$/i.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw new ConfigError(
      `Cannot use --listen as it must be HOST:PORT, for instance 127.0.0.1:8471: received ${show(text)}`,
    );
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function read(
  flag: string,
  text: string | undefined,
  parse: (text: string) => number | undefined,
  must: string,
): number | undefined {
  if (text === undefined) return undefined;
  const value = parse(text.trim());
  if (value !== undefined) return value;
  throw new ConfigError(`Cannot use ${flag} as it must be ${must}: received ${show(text)}`);
}

function parseCount(text: string): number | undefined {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined;
}

function parsePositive(text: string): number | undefined {
  return parseDuration(text) || undefined;
}

function readPem(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
  } catch {}
  throw new ConfigError(`Cannot use --cacert as it must be a readable PEM file: received ${show(path)}`);
}
