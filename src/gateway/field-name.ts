/** What a gateway must know of a field by its name, found once for each spelling of it. */

export interface FieldName {
  readonly lower: string;
  /** Of one connection only (RFC 9110, 7.6.1), or made anew for each. */
  readonly isOfTheHop: boolean;
  /** Ours, which nobody else may set. */
  readonly isOurs: boolean;
  /** What is told of the client's connection. */
  readonly isForwarded: boolean;
  /** What a client proves itself with; an upstream that has a credential of its own does not see it. */
  readonly isCredential: boolean;
}

const ofTheHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
  'content-length',
  'http2-settings',
]);

const credentials: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'api-key']);

/** Clients choose the names: what is kept of them has a bound, and so has the length of each. */
const MAX_KNOWN = 1_024;
const MAX_KNOWN_CHARACTERS = 64;

const known = new Map<string, FieldName>();

/** @param name as it was sent */
export function fieldNameOf(name: string): FieldName {
  return known.get(name) ?? learn(name);
}

function learn(name: string): FieldName {
  const lower = name.toLowerCase();
  const field: FieldName = {
    lower,
    isOfTheHop: ofTheHop.has(lower),
    isOurs: lower.startsWith('x-reknit-'),
    isForwarded: lower.startsWith('x-forwarded-'),
    isCredential: credentials.has(lower),
  };
  if (known.size < MAX_KNOWN && name.length <= MAX_KNOWN_CHARACTERS) known.set(name, field);
  return field;
}
