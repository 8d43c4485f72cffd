import { ConfigError, redactUrl, show } from '../core/index.ts';

/** A URL as dispatch wants it. */
export interface Target {
  readonly origin: string;
  readonly path: string;
  /** From `user:password@` in the URL; it never stays in it. */
  readonly authorization: string | undefined;
}

/** @throws ConfigError if it is no absolute http or https URL */
export function parseTarget(input: string | URL): Target {
  const url = typeof input === 'string' ? parse(input) : input;
  const { href = '', username, password } = url ?? noUrl;
  if (!href.startsWith('http:') && !href.startsWith('https:')) return refuse(input);
  const path = url.pathname + url.search;
  // Without a login the origin is the beginning of the whole; its getter puts it together from parts.
  if (!username && !password)
    return { origin: href.slice(0, href.indexOf('/', 'https://'.length)), path, authorization: undefined };
  return { origin: url.origin, path, authorization: authorizationOf(url) };
}

const noUrl: Partial<URL> = {};

/** The login of a URL as the value of a header, if there is one. */
export function authorizationOf(url: URL): string | undefined {
  return url.username === '' ? undefined : basicAuthorizationOf(url);
}

/** The same for a URL that is known to have one, if only a password. */
export function basicAuthorizationOf({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decodeLogin(username)}:${decodeLogin(password)}`).toString('base64')}`;
}

/** A bare `%` is allowed in a URL, and common in passwords: then it was not encoded. */
function decodeLogin(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Once: asking first whether it can be parsed would parse it twice. */
function parse(input: string): URL {
  try {
    return new URL(input);
  } catch {
    return refuse(input);
  }
}

function refuse(input: unknown): never {
  throw new ConfigError(
    `Cannot send the request as url must be an absolute http or https URL: received ${show(typeof input === 'string' ? redactUrl(input) : String(input))}`,
  );
}
