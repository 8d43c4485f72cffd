/** How many at once, and how fast one behind the other. */
import { formatDuration, parsePushback } from '../../core/index.ts';
import { sleep } from '../../runtime/index.ts';
import type { Route } from '../probe/route.ts';
import type { RequestTrace } from '../probe/trace.ts';
import { type Course, type Experiment, isPlainOk } from './course.ts';
import { keepOne, type UsedLine } from './kept.ts';
import { patternOf } from './repeats.ts';
import { askFor, depthOf, failsByName, send, someOfIt, summary } from './sending.ts';

export const AT_ONCE = 6;
/** For whoever is slow to answer; then the others are let go. */
const TOGETHER_MS = 1_200;

/** Until the other side knows that our connections are closed; before, it still counts them. */
export const FORGOTTEN_MS = 200;

export const atOnceExperiment: Experiment = {
  id: 'at-once',
  isPossible: isPlainOk,
  run: async (course) => {
    const lines = await together(course, AT_ONCE, course.http2Route ?? course.route);
    const requests = lines.map(({ request }) => request);
    const good = countOk(requests);
    course.memory.atOnceOk = good;
    // Who serves six at a time minds no seventh that idles: it is there for the question what idling does.
    if (good === AT_ONCE) course.memory.line = await keepOne(course, lines);
    for (const { connection } of lines) if (connection !== course.memory.line?.connection) course.bench.end(connection);
    if (good < AT_ONCE) await sleep(course.bench.clock, FORGOTTEN_MS, course.bench.signal);
    return {
      outcome: outcomeOf(requests),
      evidence: `${AT_ONCE} at once: ${summary(requests)}${headersOfLimit(requests)}`,
    };
  },
};

function countOk(requests: readonly RequestTrace[]): number {
  return requests.filter(({ symptom }) => symptom === 'ok').length;
}

/** All connected first, then all asked; nobody reads on before all have their headers, so that they are really at the same time. */
export async function together(course: Course, count: number, route: Route): Promise<readonly UsedLine[]> {
  const { bench } = course;
  const connections = await Promise.all(Array.from({ length: count }, () => bench.connect(route)));
  let arrived = 0;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const onHeaders = () => {
    arrived += 1;
    if (arrived >= count) open();
  };
  const timer = bench.clock.after(TOGETHER_MS, () => open());
  const maxBytes = Math.max(65_536, Math.min(someOfIt.maxBytes, bench.bytesLeft / (2 * count)));
  try {
    return await Promise.all(
      connections.map(async (connection) => {
        const request = await bench.ask(
          connection,
          askFor(course, {
            label: `one of ${count} at once`,
            read: { maxBytes, maxMs: TOGETHER_MS + someOfIt.maxMs, gate, onHeaders },
          }),
        );
        // Who has failed has no headers to wait for.
        if (request.headersMs === undefined) onHeaders();
        return { connection, request };
      }),
    );
  } finally {
    timer.cancel();
  }
}

function outcomeOf(requests: readonly RequestTrace[]): string {
  const bad = requests.filter(({ symptom }) => symptom !== 'ok');
  if (bad.length === 0) return 'all-ok';
  if (failsByName(requests)) return 'name-fails';
  const count = (...symptoms: readonly string[]) => bad.filter(({ symptom }) => symptoms.includes(symptom)).length;
  // They are connected before they are asked: a proxy that counts connections refuses them all.
  if (count('proxy-refused', 'proxy-throttled', 'forbidden') > bad.length / 2) return 'proxy-refuses';
  if (bad.length === requests.length) return count('too-many') === bad.length ? 'some-429' : 'all-fail';
  if (count('too-many') >= bad.length / 2) return 'some-429';
  return count('unavailable', 'bad-gateway', 'server-error') >= bad.length / 2 ? 'some-503' : 'some-cut';
}

/** What a server says of its limit. */
export function headersOfLimit(requests: readonly RequestTrace[]): string {
  const names = /^(?:retry-after|(?:x-)?ratelimit.*)$/;
  const found = new Map<string, string>();
  for (const { headers = {} } of requests) {
    for (const [name, value] of Object.entries(headers)) if (names.test(name)) found.set(name, value);
  }
  return found.size === 0
    ? ''
    : `; its headers say ${[...found].map(([name, value]) => `${name}: ${value}`).join(', ')}`;
}

const IN_A_ROW = 10;

export const paceExperiment: Experiment = {
  id: 'pace',
  isPossible: (course) => isPlainOk(course) || course.outcomes.get('plain') === 'too-many',
  run: async (course) => {
    const { bench } = course;
    const requests: RequestTrace[] = [];
    const startedMs = bench.sinceStartMs();
    for (let n = 0; n < IN_A_ROW && bench.requestsLeft > 0; n += 1) {
      requests.push(
        await send(course, { label: 'one behind the other', read: { maxBytes: depthOf(course), maxMs: 500 } }),
      );
    }
    const tookMs = bench.sinceStartMs() - startedMs;
    const limited = requests.findIndex(
      (request) =>
        request.symptom === 'too-many' ||
        (request.symptom === 'unavailable' && pushbackOf(request, bench.clock.wallMs()) !== undefined),
    );
    if (limited >= 0) course.memory.limitedAfter = limited;
    const outcome = outcomeOfPace(requests, limited >= 0);
    return {
      outcome,
      evidence: `${requests.length} in a row in ${formatDuration(tookMs)}: ${summary(requests)}${headersOfLimit(requests)}`,
    };
  },
};

export function pushbackOf({ headers = {} }: RequestTrace, nowWallMs: number): number | undefined {
  return parsePushback(
    {
      retryAfter: headers['retry-after'],
      date: headers.date,
      rateLimitReset: headers['ratelimit-reset'] ?? headers['x-ratelimit-reset'],
      rateLimitRemaining: headers['ratelimit-remaining'] ?? headers['x-ratelimit-remaining'],
    },
    nowWallMs,
  );
}

function outcomeOfPace(requests: readonly RequestTrace[], isLimited: boolean): string {
  const isGood = requests.map(({ symptom }) => symptom === 'ok');
  if (isGood.every(Boolean)) return 'ok';
  if (failsByName(requests)) return 'name-fails';
  if (isLimited) return 'limited';
  const bad = requests.filter(({ symptom }) => symptom !== 'ok');
  if (bad.length > 1 && patternOf(isGood) !== 'at-random') return 'fails-in-a-stretch';
  const answered = bad.filter(({ failure, status }) => failure === undefined && (status ?? 0) >= 400).length;
  return answered >= bad.length / 2 ? 'fails' : 'cuts';
}
