/** `fetch` that heals: the platform's own, over a dispatcher made for this one call. */
import { ConfigError, redactUrl, rememberLedger, show } from '../core/index.ts';
import { CallDispatcher } from './healing.ts';
import type { Operation, Shared } from './life.ts';
import { asFetchBody, type BodySource } from './request-body.ts';
import {
  defaultRules,
  hasOwnSettings,
  type RequestOptions,
  type RequestRules,
  resolveRules,
} from './request-options.ts';

/** What `fetch` takes, and what one request may set for itself. A body may also be a function that makes it. */
export interface FetchInit extends Omit<RequestInit, 'body' | 'dispatcher'>, RequestOptions {
  readonly body?: BodySource;
}

/** The platform's `fetch` as it was when this module was loaded, whatever is installed later. */
const platformFetch = globalThis.fetch;

export async function healingFetch(
  shared: Shared,
  input: string | URL | Request,
  init?: FetchInit,
  operation?: Operation,
): Promise<Response> {
  if (typeof input === 'string' && !usableScheme.test(input)) refuseUrl(input);
  const source = init?.body;
  const made = asFetchBody(typeof source === 'function' ? source() : source);
  const bodySource = typeof source === 'function' ? firstThenAnew(made, source) : made;
  const dispatcher = new CallDispatcher(shared, rulesFor(shared, init, bodySource), operation);
  try {
    const response = await callPlatform(input, init, made, dispatcher);
    const { life } = dispatcher;
    if (life !== undefined) rememberLedger(response, life.ledger);
    // `fetch` keeps the dispatcher until the next full collection, and must not keep the request's life.
    dispatcher.life = undefined;
    return response;
  } catch (error) {
    // `fetch` has parsed it; who asks beforehand parses every URL twice.
    if (typeof input === 'string' && !URL.canParse(input)) refuseUrl(input);
    refuseLogin(input);
    // Too many redirects, or one that was forbidden: then `fetch` fails above us, and nothing may be left here.
    dispatcher.life?.end(init?.signal?.aborted === true ? 'aborted' : 'failed');
    throw error;
  }
}

const usableScheme = /^(https?|data|blob|about):/i;

/** The platform refuses it as well, and puts the password into its message. */
function refuseLogin(input: string | URL | Request): void {
  if (input instanceof Request) return;
  const url = String(input);
  if (!URL.canParse(url)) return;
  const { username, password } = new URL(url);
  if (username === '' && password === '') return;
  throw new ConfigError(
    `Cannot send the request as url must hold no login in fetch (give an authorization header): received ${show(redactUrl(url))}`,
  );
}

function refuseUrl(input: string): never {
  throw new ConfigError(
    `Cannot send the request as url must be an absolute http or https URL: received ${show(redactUrl(input))}`,
  );
}

/** Most calls set nothing of ours: they share one object of rules. */
function rulesFor(shared: Shared, init: FetchInit | undefined, bodySource: BodySource): RequestRules {
  const redirectsAbove = init?.redirect !== 'manual' && init?.redirect !== 'error';
  if (init === undefined || !hasOwnSettings(init))
    return redirectsAbove ? followingRules(shared) : defaultRules(shared.policy);
  return resolveRules(init, shared.policy, { redirectsAbove, bodySource });
}

const followingByShared = new WeakMap<Shared, RequestRules>();

function followingRules(shared: Shared): RequestRules {
  let rules = followingByShared.get(shared);
  if (rules === undefined) {
    rules = { ...defaultRules(shared.policy), redirectsAbove: true };
    followingByShared.set(shared, rules);
  }
  return rules;
}

function callPlatform(
  input: string | URL | Request,
  init: FetchInit | undefined,
  made: BodySource,
  dispatcher: CallDispatcher,
): Promise<Response> {
  if (init === undefined) return platformFetch(input, { dispatcher } as object);
  const { body: _source, ...rest } = init;
  const platformInit: Record<string, unknown> = { ...rest, dispatcher };
  if (made !== undefined && made !== null) {
    const isStream = isStreamed(made);
    // `fetch` only looks at the kind of body and its length; the bytes of each attempt come from the source.
    // A stream itself would be locked by it.
    platformInit.body = isStream ? iterate(made as AsyncIterable<unknown>) : made;
    if (isStream) platformInit.duplex = 'half';
  }
  return platformFetch(input, platformInit as RequestInit);
}

function isStreamed(body: BodySource): boolean {
  if (typeof body !== 'object' || body === null) return false;
  if (body instanceof Blob || body instanceof FormData || body instanceof URLSearchParams) return false;
  return (
    body instanceof ReadableStream ||
    Symbol.asyncIterator in body ||
    (Symbol.iterator in body && !ArrayBuffer.isView(body))
  );
}

async function* iterate(source: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  yield* source;
}

/** A body made for the platform is the first attempt's: what a function opens is opened once for each attempt. */
function firstThenAnew(made: BodySource, make: () => BodySource): () => BodySource {
  let first: BodySource = made;
  return () => {
    const body = first ?? make();
    first = undefined;
    return body;
  };
}
