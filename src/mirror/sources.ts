/** Takes the requests of contents to upstreams: any of the pool's for a path, the named one for an address. */
import type { Readable } from 'node:stream';
import type { Ledger } from '../core/index.ts';
import type { Answer, BrokenOff, Rest } from './flight.ts';
import { first, type HeaderRecord, lengthIn } from './head.ts';
import type { Origin } from './origin.ts';
import type { ContentPlan } from './plan.ts';

export interface FetchHow {
  readonly isPastCaches: boolean;
  readonly signal: AbortSignal;
  readonly fields: Readonly<Record<string, string>>;
  /** Less patience than the origin's: something else could serve. */
  readonly deadlineMs?: number | undefined;
}

const pastCaches = { 'cache-control': 'no-cache', pragma: 'no-cache' };

/** @throws what the pool or the client gave up with */
export async function fetchFrom(origin: Origin, plan: ContentPlan, how: FetchHow): Promise<Answer> {
  const { signal, isPastCaches, fields } = how;
  const headers = { 'accept-encoding': 'identity', ...plan.fields, ...fields, ...(isPastCaches ? pastCaches : {}) };
  const deadlineMs = how.deadlineMs ?? origin.deadlineMs;
  const { statusCode, headers: received, body, ledger } = await send(origin, plan, headers, { signal, deadlineMs });
  const url = ledger.attempts.at(-1)?.hops.at(-1)?.url ?? ledger.url;
  return { status: statusCode, headers: received, body, ledger, url, from: 'miss' };
}

interface Sent {
  readonly statusCode: number;
  readonly headers: HeaderRecord;
  readonly body: Readable;
  readonly ledger: Ledger;
}

function send(
  origin: Origin,
  { place }: ContentPlan,
  headers: Readonly<Record<string, string>>,
  how: { readonly signal: AbortSignal; readonly deadlineMs: number | undefined },
): Promise<Sent> {
  if (place.kind === 'path') return origin.site.pool.request(place.path, { headers, ...how });
  return origin.client.request(place.url, { headers: { ...origin.credentialFor(place.url), ...headers }, ...how });
}

/**
 * The rest of a body that its upstream could not deliver: joined under the proof of the whole's digest, or of an equal
 * strong validator; where neither is there, nobody knows that it is the same.
 */
export async function restFrom(origin: Origin, plan: ContentPlan, broken: BrokenOff): Promise<Rest | undefined> {
  const { head, atByte, isProven, signal } = broken;
  const etag = first(head.headers, 'etag');
  const isStrong = etag?.startsWith('"') === true;
  if (plan.place.kind !== 'path' || origin.roots.length < 2 || !(isProven || isStrong)) return undefined;
  const headers = {
    'accept-encoding': 'identity',
    ...plan.fields,
    range: `bytes=${atByte}-`,
    ...(isProven ? {} : { 'if-range': etag! }),
  };
  // Who has just broken off comes last in the pool's order, by its health.
  const answer = await send(origin, plan, headers, { signal, deadlineMs: origin.deadlineMs }).catch(() => undefined);
  if (answer === undefined) return undefined;
  const skipBytes = joinAt(answer, head.lengthBytes, atByte);
  const isSame = isProven || first(answer.headers, 'etag') === etag;
  if (skipBytes !== undefined && isSame) return { body: answer.body, skipBytes };
  answer.body.destroy();
  return undefined;
}

/** How many bytes of an answer are there already; undefined where it does not fit. */
function joinAt({ statusCode, headers }: Sent, lengthBytes: number | undefined, atByte: number): number | undefined {
  if (statusCode === 200) return lengthBytes === undefined || lengthIn(headers) === lengthBytes ? atByte : undefined;
  const [, from, , total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(first(headers, 'content-range') ?? '') ?? [];
  const fits =
    statusCode === 206 && Number(from) === atByte && (lengthBytes === undefined || Number(total) === lengthBytes);
  return fits ? 0 : undefined;
}
