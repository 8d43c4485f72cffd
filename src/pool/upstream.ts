/** One place that an attempt can go to, as its owner describes it. */
import { ConfigError, MAX_TIER, redactUrl, show } from '../core/index.ts';
import type { Client } from '../http/index.ts';

/** What a pool reads of an upstream; whatever else it holds is the operation's business. */
export interface UpstreamSpec {
  /** In events, trails and metrics; unique in its pool. @default the host of `url` */
  readonly name?: string;
  /** What paths are appended to, and, with a query, what queries are added to; needed by `fetch` and `request`. */
  readonly url?: string | URL;
  /** Its share among those of its tier; 0 takes it out of service. @default 1 */
  readonly weight?: number;
  /** Higher tiers are asked when all of the lower ones have failed. @default 0 */
  readonly tier?: number;
  /** The most input that it takes, in a unit that all upstreams of the pool share (tokens, bytes). */
  readonly inputLimit?: number;
  /** Sent to this upstream only, in the place of equal ones of the request: its credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose connections to use. @default the pool's own */
  readonly client?: Client;
}

/** An upstream, resolved: nothing in it is optional. */
export interface Upstream<U> {
  readonly index: number;
  readonly name: string;
  /** As it was given. */
  readonly value: U;
  readonly base: string | undefined;
  readonly weight: number;
  readonly tier: number;
  readonly inputLimit: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly client: Client | undefined;
}

/** @throws ConfigError naming the field, what must hold and what came */
export function resolveUpstreams<U>(values: readonly U[]): readonly Upstream<U>[] {
  if (!Array.isArray(values) || values.length === 0)
    throw new ConfigError(`Cannot create a pool as upstreams must be a list of at least one: received ${show(values)}`);
  const upstreams = values.map((value, index) => resolveUpstream(value as U, index));
  const names = new Set<string>();
  for (const { name } of upstreams) {
    if (names.has(name)) throw new ConfigError(`Cannot create a pool as two upstreams are named ${show(name)}`);
    names.add(name);
  }
  return upstreams;
}

function resolveUpstream<U>(value: U, index: number): Upstream<U> {
  const spec = specOf(value);
  const base = spec.url === undefined ? undefined : resolveBase(spec.url);
  const { weight = 1, tier = 0, inputLimit, headers = {}, client } = spec;
  const must = (field: string, what: string, given: unknown): never => {
    throw new ConfigError(`Cannot create a pool as ${field} must be ${what}: received ${show(given)}`);
  };
  if (spec.name !== undefined && (typeof spec.name !== 'string' || spec.name === ''))
    must('name', 'a non-empty string', spec.name);
  if (typeof weight !== 'number' || !(weight >= 0 && weight <= 1e6)) must('weight', 'a number >= 0', weight);
  if (!Number.isInteger(tier) || tier < 0 || tier > MAX_TIER) must('tier', `an integer from 0 to ${MAX_TIER}`, tier);
  if (inputLimit !== undefined && !(typeof inputLimit === 'number' && inputLimit > 0))
    must('inputLimit', 'a number > 0', inputLimit);
  const name = spec.name ?? (base === undefined ? `upstream-${index + 1}` : new URL(base).host);
  return Object.freeze({ index, name, value, base, weight, tier, inputLimit, headers, client });
}

/** An object with a name or a URL describes itself; anything else is the operation's own and has a number for a name. */
function specOf(value: unknown): UpstreamSpec {
  if (typeof value === 'string') return URL.canParse(value) ? { url: value } : { name: value };
  if (value instanceof URL) return { url: value };
  if (typeof value !== 'object' || value === null) return {};
  const { name, url } = value as UpstreamSpec;
  return typeof name === 'string' || typeof url === 'string' || url instanceof URL ? (value as UpstreamSpec) : {};
}

function resolveBase(given: string | URL): string {
  const text = String(given);
  const isUsable = URL.canParse(text) && /^https?:/i.test(text);
  if (!isUsable)
    throw new ConfigError(
      `Cannot create a pool as url must be an absolute http or https URL: received ${show(redactUrl(text))}`,
    );
  const url = new URL(text);
  url.hash = '';
  return url.href;
}

/**
 * The address of a path at an upstream: appended to its URL, and never outside of it.
 *
 * @throws ConfigError
 */
export function urlAt(upstream: Upstream<unknown>, path: string): string {
  const { base, name } = upstream;
  if (base === undefined)
    throw new ConfigError(`Cannot send the request as upstream ${show(name)} has no url: use \`run\``);
  if (typeof path !== 'string' || !/^(?:$|[/?])/.test(path))
    throw new ConfigError(
      `Cannot send the request as path must be empty or begin with / or ?: received ${show(typeof path === 'string' ? redactUrl(path) : path)}`,
    );
  const url = new URL(base);
  const root = url.pathname.replace(/\/$/, '');
  const [, ownPath = '', ownQuery = ''] = /^([^?]*)\??(.*)$/s.exec(path)!;
  if (ownPath !== '') url.pathname = root + ownPath;
  url.search = [url.search.slice(1), ownQuery].filter((part) => part !== '').join('&');
  if (`${url.pathname}/`.startsWith(`${root}/`)) return url.href;
  throw new ConfigError(`Cannot send the request as path must stay below the upstream's url: received ${show(path)}`);
}
