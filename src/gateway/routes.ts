/** Which pool a request goes to: the first route that fits. */
import type { IncomingHttpHeaders } from 'node:http';
import type { RouteConfig } from './config-schema.ts';

export interface RouteFacts {
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** In the JSON body; undefined where there is none. */
  readonly model: string | undefined;
}

export interface Route {
  readonly pool: string;
  readonly stripPrefix: string | undefined;
  readonly repeatable: boolean | undefined;
  readonly api: 'auto' | 'openai' | 'anthropic' | 'bytes';
  /** Whether the body must be read before it is known. */
  readonly readsModel: boolean;
  fits(facts: RouteFacts): boolean;
}

export function createRoute(config: RouteConfig): Route {
  const { host, path, methods, headers = {}, model } = config;
  const isHost = host === undefined ? undefined : hostMatcher(host.toLowerCase());
  const prefix = path === undefined || path === '/' ? undefined : path.replace(/\/$/, '');
  const wanted = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const models = model === undefined ? undefined : (Array.isArray(model) ? model : [model]).map(patternOf);
  return {
    pool: config.pool ?? 'default',
    stripPrefix: config.stripPrefix?.replace(/\/$/, ''),
    repeatable: config.repeatable,
    api: config.api ?? 'auto',
    readsModel: models !== undefined,
    fits(facts) {
      if (isHost !== undefined && !isHost(facts.host)) return false;
      if (prefix !== undefined && !isBelow(facts.path, prefix)) return false;
      if (methods !== undefined && !methods.includes(facts.method)) return false;
      for (const [name, value] of wanted) {
        const given = facts.headers[name];
        if (given === undefined || (value !== '*' && String(given) !== value)) return false;
      }
      return models === undefined || (facts.model !== undefined && models.some((one) => one.test(facts.model!)));
    },
  };
}

function hostMatcher(wanted: string): (host: string) => boolean {
  if (!wanted.startsWith('*.')) return (host) => host === wanted;
  const end = wanted.slice(1);
  return (host) => host.length > end.length && host.endsWith(end);
}

/** Whole segments: `/v1` is no prefix of `/v10`. */
export function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

function patternOf(text: string): RegExp {
  const source = text.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 's');
}
