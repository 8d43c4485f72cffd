/** What is wrong with a request that nobody can send: the field, what must hold, and what came. Values may be credentials. */
import { ConfigError, show } from '../core/index.ts';
import { headerPairs, type RequestHeaders } from './request-headers.ts';

interface Described {
  readonly method?: unknown;
  readonly headers?: unknown;
}

/** @throws ConfigError if what is looked at before sending is none of its kind */
export function checkRequest(options: Described | null): void {
  if (typeof options !== 'object' || options === null) refuse('options must be an object', options);
  const { method } = options;
  if (method !== undefined && typeof method !== 'string') refuse('method must be text such as GET', method);
}

/** @throws ConfigError if it is neither */
export function checkRedirect(redirect: unknown): void {
  if (redirect !== 'follow' && redirect !== 'manual') refuse('redirect must be follow or manual', redirect);
}

function refuse(what: string, received: unknown, cause?: unknown): never {
  throw new ConfigError(`Cannot send the request as ${what}: received ${show(received)}`, { cause });
}

/** `token` and field values of RFC 9110, 5.6.2 and 5.5. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be in there
const notInValue = /[\0-\x08\x0a-\x1f\x7f\u0100-\uffff]/;

/**
 * The same error, or one that names the field where an argument was refused below. Only then is it looked for: headers
 * that are right are not read twice.
 */
export function explainRefusal(error: unknown, { method, headers }: Described): unknown {
  const isRefusal = (error as { readonly code?: unknown } | null)?.code === 'UND_ERR_INVALID_ARG';
  if (!isRefusal && !(error instanceof TypeError)) return error;
  const what = findWrongMethod(method) ?? findWrongHeader(headers as RequestHeaders);
  return what === undefined ? error : new ConfigError(`Cannot send the request as ${what}`, { cause: error });
}

function findWrongMethod(method: unknown): string | undefined {
  if (method === undefined || (typeof method === 'string' && token.test(method))) return undefined;
  return `method must be one word such as GET: received ${show(method)}`;
}

function findWrongHeader(headers: RequestHeaders): string | undefined {
  for (const [name, value] of headerPairs(headers)) {
    if (!token.test(name)) return `headers must have names of letters, digits and hyphens: received ${show(name)}`;
    if (notInValue.test(value)) return `headers must have values of one line of Latin-1: ${name} has other characters`;
  }
  return undefined;
}
