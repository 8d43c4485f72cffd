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

/** So long the address that an index names has for itself, before others are looked up. */
const FIRST_PATIENCE_MS = 10_000;
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
  { place, elsewhere }: ContentPlan,
  headers: Readonly<Record<string, string>>,
  how: SendHow,
): Promise<Sent> {
  if (place.kind === 'path') return origin.site.pool.request(place.path, { headers, ...how });
  return elsewhere === undefined
    ? sendTo(origin, place.url, headers, how)
    : sendAround(origin, place.url, elsewhere, headers, how);
}

interface SendHow {
  readonly signal: AbortSignal;
  readonly deadlineMs: number | undefined;
}

function sendTo(origin: Origin, url: string, headers: Readonly<Record<string, string>>, how: SendHow): Promise<Sent> {
  return origin.client.request(url, { headers: { ...origin.credentialFor(url), ...headers }, ...how });
}

/** The named address first, for a while; then wherever else the same file is, and itself again. */
async function sendAround(
  origin: Origin,
  url: string,
  elsewhere: () => Promise<readonly string[]>,
  headers: Readonly<Record<string, string>>,
  how: SendHow,
): Promise<Sent> {
  try {
    const patience = new AbortController();
    const timer = origin.clock.after(FIRST_PATIENCE_MS, () => patience.abort(new Error('no answer yet')), 'idle');
    const sent = await sendTo(origin, url, headers, { ...how, signal: AbortSignal.any([how.signal, patience.signal]) });
    timer.cancel();
    if (sent.statusCode < 400) return sent;
    sent.body.destroy();
  } catch (error) {
    if (how.signal.aborted) throw error;
  }
  const copies = await elsewhere().catch(() => []);
  for (const copy of copies) {
    const sent = await sendTo(origin, copy, headers, { ...how, deadlineMs: how.deadlineMs }).catch(() => undefined);
    if (sent !== undefined && sent.statusCode < 400) return sent;
    sent?.body.destroy();
    how.signal.throwIfAborted();
  }
  return await sendTo(origin, url, headers, how);
}

/**
 * The rest of a body that its upstream could not deliver: joined under the proof of the whole's digest, or of an equal
 * strong validator; where neither is there, nobody knows that it is the same.
 */
export async function restFrom(origin: Origin, plan: ContentPlan, broken: BrokenOff): Promise<Rest | undefined> {
  const { head, atByte, isProven, signal } = broken;
  const etag = first(head.headers, 'etag');
  const isStrong = etag?.startsWith('"') === true;
  const isAnywhere = plan.place.kind === 'path' ? origin.roots.length > 1 : plan.elsewhere !== undefined;
  if (!isAnywhere || !(isProven || isStrong)) return undefined;
  const headers = {
    'accept-encoding': 'identity',
    ...plan.fields,
    range: `bytes=${atByte}-`,
    ...(isProven ? {} : { 'if-range': etag! }),
  };
  // Who has just broken off comes last in the pool's order, by its health.
  const how = { signal, deadlineMs: origin.deadlineMs };
  const answer = await sendRest(origin, plan, headers, how).catch(() => undefined);
  if (answer === undefined) return undefined;
  const skipBytes = joinAt(answer, head.lengthBytes, atByte);
  const isSame = isProven || first(answer.headers, 'etag') === etag;
  if (skipBytes !== undefined && isSame) return { body: answer.body, skipBytes };
  answer.body.destroy();
  return undefined;
}

async function sendRest(
  origin: Origin,
  plan: ContentPlan,
  headers: Readonly<Record<string, string>>,
  how: SendHow,
): Promise<Sent | undefined> {
  if (plan.place.kind === 'path') return await send(origin, plan, headers, how);
  // Its own address has been tried for long enough.
  const [copy] = await plan.elsewhere!();
  return copy === undefined ? undefined : await sendTo(origin, copy, headers, how);
}

/** How many bytes of an answer are there already; undefined where it does not fit. */
function joinAt({ statusCode, headers }: Sent, lengthBytes: number | undefined, atByte: number): number | undefined {
  if (statusCode === 200) return lengthBytes === undefined || lengthIn(headers) === lengthBytes ? atByte : undefined;
  const [, from, , total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(first(headers, 'content-range') ?? '') ?? [];
  const fits =
    statusCode === 206 && Number(from) === atByte && (lengthBytes === undefined || Number(total) === lengthBytes);
  return fits ? 0 : undefined;
}
