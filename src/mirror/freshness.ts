/** HTTP's caching rules (RFC 9111), for what several clients share. */
import CachePolicy from 'http-cache-semantics';
import type { Clock } from '../runtime/index.ts';
import { first, type HeaderRecord } from './head.ts';

/** What the rules read of a request. */
export interface AskedAs {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type StoredPolicy = CachePolicy.CachePolicyObject;

/**
 * Without an explicit lifetime nothing is fresh: a guess from `Last-Modified` would hide new releases for weeks. What is
 * proven by a digest needs no lifetime.
 */
const rules = { shared: true, cacheHeuristic: 0, trustServerDate: true } as const;

export class Freshness {
  readonly #clock: Clock;
  readonly #policy: CachePolicy;

  private constructor(clock: Clock, policy: CachePolicy) {
    this.#clock = clock;
    this.#policy = policy;
    // The library reads the wall clock by itself unless it is told otherwise.
    (policy as unknown as { now: () => number }).now = () => clock.wallMs();
  }

  static of(clock: Clock, asked: AskedAs, status: number, headers: HeaderRecord): Freshness {
    const { 'set-cookie': _cookies, ...shared } = headers;
    const request = { method: 'GET', url: asked.url, headers: { ...asked.headers } };
    const response = { status, headers: shared as CachePolicy.Headers };
    return new Freshness(clock, new CachePolicy(request, response, rules));
  }

  static revive(clock: Clock, stored: StoredPolicy): Freshness {
    return new Freshness(clock, CachePolicy.fromObject(stored));
  }

  /** May be kept for others. */
  get isStorable(): boolean {
    return this.#policy.storable();
  }

  answers(asked: AskedAs): boolean {
    return this.#policy.satisfiesWithoutRevalidation({ method: 'GET', url: asked.url, headers: { ...asked.headers } });
  }

  /** For how long it has been stale; negative while it is fresh. */
  get staleMs(): number {
    return (this.#policy.age() - this.#policy.maxAge()) * 1_000;
  }

  /** What the upstream is asked with, so that it can say that nothing has changed. */
  conditions(): Readonly<Record<string, string>> {
    const headers = this.#policy.responseHeaders() as HeaderRecord;
    const etag = first(headers, 'etag');
    const modified = first(headers, 'last-modified');
    return {
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
      ...(modified === undefined ? {} : { 'if-modified-since': modified }),
    };
  }

  /** After a 304; undefined where it is about another version. */
  renewed(asked: AskedAs, headers: HeaderRecord): Freshness | undefined {
    const request = { method: 'GET', url: asked.url, headers: { ...asked.headers } };
    const { 'set-cookie': _cookies, ...shared } = headers;
    const response = { status: 304, headers: shared as CachePolicy.Headers };
    const { policy, modified, matches } = this.#policy.revalidatedPolicy(request, response);
    const tellsNothing = first(headers, 'etag') === undefined && first(headers, 'last-modified') === undefined;
    if (modified || !(matches || tellsNothing)) return undefined;
    return matches ? new Freshness(this.#clock, policy) : this;
  }

  /** With `age`. */
  get headers(): HeaderRecord {
    return this.#policy.responseHeaders() as HeaderRecord;
  }

  toStored(): StoredPolicy {
    return this.#policy.toObject();
  }
}

/** An answer that is for one client only must not be given to those who wait beside it. */
export function isForAll(headers: HeaderRecord, isProven: boolean): boolean {
  const control = first(headers, 'cache-control') ?? '';
  if (/\b(?:private|no-store)\b/i.test(control) || first(headers, 'vary')?.trim() === '*') return false;
  // A cookie beside what a digest proves, or what says itself that caches may keep it, is dropped and nothing else.
  const saysSo = /\b(?:public|max-age|s-maxage)\b/i.test(control) || headers.expires !== undefined;
  return headers['set-cookie'] === undefined || isProven || saysSo;
}
