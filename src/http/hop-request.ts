/** What goes out on the wire for one hop: the caller's request, with what a resume or a redirect changes in it. */
import { isSecretHeader, type Representation, type ResumePlan } from '../core/index.ts';
import type { WireBody } from './request-body.ts';
import { headerOf, headerPairs, type RequestHeaders, withHeaders } from './request-headers.ts';
import type { DispatchOptions } from './transport.ts';

/** A resume must be answered with bytes: conditions of the caller's would answer it with 304 or 412. */
const conditional: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
]);

export function resumeRequest(
  home: DispatchOptions,
  plan: ResumePlan,
  representation: Representation,
): DispatchOptions {
  const headers = home.headers as RequestHeaders;
  if (plan.kind !== 'range' && plan.kind !== 'overlap') {
    return { ...home, headers: withHeaders(headers, conditional, {}) };
  }
  // Only a caller who asked for a part gets an end: an open range also tells whether the whole has grown.
  const askedForPart = headerOf(headers, 'range') !== undefined;
  const last = askedForPart && representation.endByte !== undefined ? String(representation.endByte - 1) : '';
  const range = `bytes=${plan.fromByte}-${last}`;
  const ifRange = plan.kind === 'range' ? plan.ifRange : undefined;
  return { ...home, headers: withHeaders(headers, conditional, { range, 'if-range': ifRange }) };
}

export function withBody(options: DispatchOptions, body: WireBody, contentType: string | undefined): DispatchOptions {
  const headers = options.headers as RequestHeaders;
  return {
    ...options,
    body: body as never,
    ...(contentType === undefined
      ? {}
      : { headers: withHeaders(headers, new Set(['content-type']), { 'content-type': contentType }) }),
  };
}

export function withIdempotencyKey(options: DispatchOptions, key: string): DispatchOptions {
  const headers = withHeaders(options.headers as RequestHeaders, new Set(), { 'idempotency-key': key });
  return { ...options, headers };
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number, location: string | undefined): location is string {
  return location !== undefined && redirectStatuses.has(status);
}

const ofTheOrigin: ReadonlySet<string> = new Set(['host', 'authorization', 'cookie', 'proxy-authorization']);
/** Credentials never cross origins: the well-known ones, and whatever is named like one (`X-Api-Key`). */
function credentialsIn(options: DispatchOptions): readonly string[] {
  const names = headerPairs(options.headers as RequestHeaders).map(([name]) => name.toLowerCase());
  return names.filter((name) => ofTheOrigin.has(name) || isSecretHeader(name));
}

const ofTheBody: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-location',
  'transfer-encoding',
]);

/** The next hop after a redirect (Fetch Standard, HTTP-redirect fetch), or undefined where its Location is unusable. */
export function redirectRequest(
  options: DispatchOptions,
  status: number,
  location: string,
): DispatchOptions | undefined {
  const from = `${options.origin}${options.path}`;
  if (!URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  if (target.protocol !== 'http:' && target.protocol !== 'https:') return undefined;
  const { method } = options;
  const becomesGet = (status === 303 && method !== 'GET' && method !== 'HEAD') || (status < 303 && method === 'POST');
  const drop = new Set<string>();
  if (target.origin !== String(options.origin)) for (const name of credentialsIn(options)) drop.add(name);
  if (becomesGet) for (const name of ofTheBody) drop.add(name);
  return {
    ...options,
    origin: target.origin,
    path: target.pathname + target.search,
    headers: withHeaders(options.headers as RequestHeaders, drop, {}),
    ...(becomesGet ? { method: 'GET' as const, body: null } : {}),
  };
}
