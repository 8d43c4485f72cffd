/** The options of a mirror, resolved once at the door. */
import { ConfigError, redactUrl, show } from '../core/index.ts';
import type { ClientOptions } from '../http/index.ts';
import { isPresetName, type PresetName, presetNames, presets } from './presets.ts';

/** One origin that the mirror stands in front of. */
export interface MirrorOrigin {
  readonly preset: PresetName;
  /** Equal places of the same content; asked in order of health. @default the preset's public one, where it has one */
  readonly upstreams?: readonly (string | URL)[];
  /** In `urlFor`, events and headers; unique in its mirror. @default the preset's name */
  readonly name?: string;
  /** Where clients find it. @default `/` and the name */
  readonly prefix?: string;
}

export interface MirrorOptions extends Pick<ClientOptions, 'tls' | 'proxy'> {
  readonly origins: readonly MirrorOrigin[];
  /** @default \{ host: '127.0.0.1', port: 0 \}: any free port of the loopback */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** Where answers are kept; false keeps none. @default `mirror` in the state folder (`REKNIT_STATE_DIR`) */
  readonly cacheDirectory?: string | false;
  /** Least recently used answers beyond that are removed. @default 10 GiB */
  readonly maxCacheBytes?: number;
  /** What is kept may be served so long after it has become stale, where no upstream answers; ms. @default 0 */
  readonly staleIfErrorMs?: number;
  /** As a client's; `deadlineMs` bounds one request to an upstream, its body included. */
  readonly timeouts?: ClientOptions['timeouts'];
  /** Attempts at each upstream, and the waits between them. @default \{ maxAttempts: 10, baseDelayMs: 500, maxDelayMs: 5_000 \} */
  readonly retry?: ClientOptions['retry'];
  /** Connections to one host, for all users of the mirror together; fewer where it refuses. @default 8 */
  readonly maxPerOrigin?: number;
  /** Hears what happens; must not throw. */
  readonly onEvent?: MirrorListener;
}

export type MirrorEvent =
  | {
      readonly type: 'request';
      readonly origin: string | undefined;
      readonly method: string;
      /** Path and query, without secret parameters. */
      readonly target: string;
      readonly status: number;
      readonly bytes: number;
      readonly durationMs: number;
      readonly outcome: 'complete' | 'broken' | 'client-left' | 'refused';
      /** How it was had: fetched, joined, from the cache, or passed through. */
      readonly from: string;
    }
  | {
      readonly type: 'fetch';
      readonly origin: string;
      readonly url: string;
      readonly status: number;
      readonly attempts: number;
    }
  | { readonly type: 'trouble'; readonly origin: string; readonly url: string; readonly message: string };

export type MirrorListener = (event: MirrorEvent) => void;

export interface ResolvedOrigin {
  readonly name: string;
  readonly preset: PresetName;
  readonly prefix: string;
  /** Without a slash at the end; credentials in them. */
  readonly upstreams: readonly string[];
}

const purpose = 'create a mirror';
const GiB = 1_073_741_824;

export interface ResolvedOptions {
  readonly origins: readonly ResolvedOrigin[];
  readonly host: string;
  readonly port: number;
  readonly cacheDirectory: string | false | undefined;
  readonly maxCacheBytes: number;
  readonly staleIfErrorMs: number;
  readonly maxPerOrigin: number;
  readonly client: Pick<ClientOptions, 'retry' | 'timeouts' | 'tls' | 'proxy'>;
  readonly onEvent: MirrorListener | undefined;
}

/** @throws ConfigError naming the field, what must hold and what came */
export function resolveOptions(options: MirrorOptions): ResolvedOptions {
  const { origins, listen = {}, cacheDirectory, retry, timeouts, tls, proxy, onEvent } = options;
  if (!Array.isArray(origins) || origins.length === 0) must('origins', 'a list of at least one', origins);
  const resolved = (origins as readonly MirrorOrigin[]).map(resolveOrigin);
  checkUnique('name', resolved);
  checkUnique('prefix', resolved);
  const { host = '127.0.0.1', port = 0 } = listen;
  if (typeof host !== 'string' || host === '') must('listen.host', 'an address', host);
  if (
    cacheDirectory !== undefined &&
    cacheDirectory !== false &&
    (typeof cacheDirectory !== 'string' || cacheDirectory === '')
  )
    must('cacheDirectory', 'a path or false', cacheDirectory);
  if (onEvent !== undefined && typeof onEvent !== 'function') must('onEvent', 'a function', onEvent);
  return {
    origins: resolved,
    host,
    port: whole('listen.port', port, 0, 65_535),
    cacheDirectory,
    maxCacheBytes: whole('maxCacheBytes', options.maxCacheBytes ?? 10 * GiB, 0, Number.MAX_SAFE_INTEGER),
    staleIfErrorMs: whole('staleIfErrorMs', options.staleIfErrorMs ?? 0, 0, Number.MAX_SAFE_INTEGER),
    maxPerOrigin: whole('maxPerOrigin', options.maxPerOrigin ?? 8, 1, 10_000),
    client: {
      retry: { maxAttempts: MIRROR_ATTEMPTS, ...retry },
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(tls === undefined ? {} : { tls }),
      ...(proxy === undefined ? {} : { proxy }),
    },
    onEvent,
  };
}

/** DESIGN 6.1: `get`, `run` and `mirror` have more patience than a single request. */
export const MIRROR_ATTEMPTS = 10;

function resolveOrigin(origin: MirrorOrigin): ResolvedOrigin {
  const { preset } = origin ?? {};
  if (typeof preset !== 'string' || !isPresetName(preset)) must('preset', `one of ${presetNames.join(', ')}`, preset);
  const { publicUpstream } = presets[preset as PresetName];
  const { name = preset, upstreams = publicUpstream === undefined ? [] : [publicUpstream] } = origin;
  if (typeof name !== 'string' || !/^[a-z0-9][\w.-]*$/i.test(name))
    must('name', 'letters, digits, dots, dashes and underscores', name);
  const { prefix = `/${name}` } = origin;
  if (typeof prefix !== 'string' || !/^(?:\/[\w.-]+)+$/.test(prefix) || /\/\.{1,2}(?:\/|$)/.test(prefix))
    must('prefix', 'a path such as /pypi', prefix);
  if (!Array.isArray(upstreams) || upstreams.length === 0)
    must(`upstreams of ${name}`, 'a list of at least one URL', upstreams);
  const roots = upstreams.map((url) => resolveUpstream(name, url));
  if (new Set(roots).size < roots.length) must(`upstreams of ${name}`, 'different URLs', upstreams);
  return { name, preset: preset as PresetName, prefix, upstreams: roots };
}

function resolveUpstream(name: string, given: unknown): string {
  const text = String(given);
  const isUrl = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  const { search, hash } = isUrl ? new URL(text) : { search: '', hash: '' };
  if (!isUrl || search !== '' || hash !== '')
    must(`an upstream of ${name}`, 'an http or https URL without a query', redactUrl(text));
  return new URL(text).href.replace(/\/+$/, '');
}

function checkUnique(field: 'name' | 'prefix', origins: readonly ResolvedOrigin[]): void {
  const seen = new Set<string>();
  for (const origin of origins) {
    if (seen.has(origin[field])) must(field, 'different for each origin', origin[field]);
    seen.add(origin[field]);
  }
}

function whole(field: string, value: unknown, min: number, max: number): number {
  const isRight = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  if (!isRight) must(field, `a whole number from ${min} to ${max}`, value);
  return value as number;
}

function must(field: string, what: string, given: unknown): never {
  throw new ConfigError(`Cannot ${purpose} as ${field} must be ${what}: received ${show(given)}`);
}
