/** The subject's request, sent as experiments want it, and the words for what came of it. */
import { describeFailure, formatBytes, formatDuration, statusPhrase } from '../../core/index.ts';
import type { Ask } from '../probe/bench.ts';
import type { HeaderList, Reading } from '../probe/exchange.ts';
import type { RequestTrace } from '../probe/trace.ts';
import type { Course } from './course.ts';

const MiB = 1_048_576;

/** The whole of small bodies and the beginning of large ones. */
export const someOfIt = { maxBytes: 4 * MiB, maxMs: 1_500 } as const;

export interface Variation {
  readonly label: string;
  readonly read?: Partial<Reading>;
  readonly headers?: HeaderList;
  readonly method?: string;
  readonly body?: Buffer;
}

export function askFor({ subject, headers }: Course, variation: Variation): Ask {
  const body = variation.body ?? subject.body;
  return {
    label: variation.label,
    method: variation.method ?? subject.method,
    headers: variation.headers ?? headers,
    ...(body === undefined || variation.method === 'HEAD' ? {} : { body }),
    ...(variation.read === undefined ? {} : { read: variation.read }),
  };
}

/** On a fresh connection. */
export async function send(course: Course, variation: Variation): Promise<RequestTrace> {
  const request = await course.bench.once(course.route, askFor(course, variation));
  if (!hasExpired(course, request)) return request;
  // Signed addresses are good for a time, or for one request: the original one is asked for another.
  request.symptom = 'ok';
  const next = await askForAnother(course);
  if (next !== undefined) course.route = { ...course.route, url: next };
  return await course.bench.once(course.route, askFor(course, variation));
}

const refusals: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/** What it redirects to was served before, and is refused now. */
function hasExpired({ redirectedFrom, memory, bench }: Course, { status }: RequestTrace): boolean {
  const wasServed = memory.plain?.status !== undefined && memory.plain.status < 300;
  return redirectedFrom !== undefined && wasServed && refusals.has(status ?? 0) && bench.requestsLeft >= 2;
}

async function askForAnother(course: Course): Promise<URL | undefined> {
  const { route, headers } = course.redirectedFrom!;
  const request = await course.bench.once(
    { ...course.route, url: route.url },
    { ...askFor(course, { label: 'the original address again' }), headers },
  );
  const { location } = request.headers ?? {};
  if (request.status === undefined || request.status < 300 || request.status >= 400 || location === undefined)
    return undefined;
  request.symptom = 'ok';
  return URL.canParse(location, route.url.href) ? new URL(location, route.url) : undefined;
}

/** What a request met, in a few words with its numbers. */
export function met(request: RequestTrace): string {
  const { failure, status, bodyBytes, totalBytes, symptom } = request;
  if (failure !== undefined && failure.origin !== 'status') {
    return describeFailure(failure, { atByte: bodyBytes, totalBytes });
  }
  if (status === undefined) return symptom;
  const size = request.isComplete ? formatBytes(bodyBytes) : `${formatBytes(bodyBytes)}, then we had seen enough`;
  const took = formatDuration((request.endedMs ?? request.startedMs) - request.startedMs);
  return `${status >= 400 ? statusPhrase(status) : `HTTP ${status}`}, ${size} in ${took}`;
}

/** `3 of 4`, with what the others met, each once. */
export function summary(requests: readonly RequestTrace[]): string {
  const bad = requests.filter(({ symptom }) => symptom !== 'ok');
  if (bad.length === 0) return `${requests.length} of ${requests.length} went well`;
  const kinds = new Map<string, { text: string; count: number }>();
  for (const request of bad) {
    const entry = kinds.get(request.symptom) ?? { text: met(request), count: 0 };
    entry.count += 1;
    kinds.set(request.symptom, entry);
  }
  const texts = [...kinds.values()].map(({ text, count }) => (count === 1 ? text : `${count} times ${text}`));
  return `${requests.length - bad.length} of ${requests.length} went well; ${texts.join('; ')}`;
}

const LITTLE_BYTES = 65_536;

/** How far a body must be read so that it would meet what others have met. */
export function depthOf({ bench }: Course): number {
  const depths = bench.requests
    .filter(({ symptom, bodyBytes }) => symptom !== 'ok' && bodyBytes > 0)
    .map(({ bodyBytes }) => bodyBytes);
  return Math.min(16 * MiB, Math.max(LITTLE_BYTES, 2 * Math.max(0, ...depths)));
}

/** How long a body must be read so that it would meet what others have met. */
export function patienceOf({ memory }: Course): number {
  return Math.min(4_000, Math.max(1_000, 1.5 * Math.max(0, ...memory.cuts.map(bodyMs))));
}

/** From the headers on; they may take their own time. */
export function bodyMs({ headersMs, startedMs, endedMs }: RequestTrace): number {
  return (endedMs ?? startedMs) - (headersMs ?? startedMs);
}

/** Whoever fails did so because of the name. */
export function failsByName(requests: readonly RequestTrace[]): boolean {
  const bad = requests.filter(({ symptom }) => symptom !== 'ok');
  return bad.length > 0 && bad.every(({ symptom }) => symptom === 'lookup-failed' || symptom === 'name-not-found');
}
