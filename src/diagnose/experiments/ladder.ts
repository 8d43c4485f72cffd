/** One alone, two, four at once, and what is between: above which number does it fail, and who says so? */
import { sleep } from '../../runtime/index.ts';
import type { Route } from '../probe/route.ts';
import type { RequestTrace } from '../probe/trace.ts';
import type { Course, Experiment, Observation } from './course.ts';
import { AT_ONCE, FORGOTTEN_MS, together } from './number.ts';
import { send, someOfIt, summary } from './sending.ts';

const PAUSE_MS = 500;

interface Rung {
  readonly count: number;
  readonly good: number;
  readonly requests: readonly RequestTrace[];
}

export const ladderExperiment: Experiment = {
  id: 'ladder',
  isPossible: ({ memory }) => memory.atOnceOk !== undefined && memory.atOnceOk < AT_ONCE,
  run: async (course): Promise<Observation> => {
    await sleep(course.bench.clock, PAUSE_MS, course.bench.signal);
    const alone = await send(course, { label: 'one alone', read: someOfIt });
    if (alone.symptom !== 'ok') return { outcome: 'alone-fails', evidence: `one alone: ${summary([alone])}` };
    const rungs = await climb(course);
    const words = ['one alone went well', ...rungs.map(({ count, good }) => `${good} of ${count}`)];
    const limit = limitOf(rungs, course.memory.atOnceOk!);
    if (limit === undefined) {
      const evidence = `${words.join(', ')}; of ${AT_ONCE} it had been ${course.memory.atOnceOk}: there is no number in it`;
      return { outcome: 'other-number', evidence };
    }
    const { whose, how } = await whoseLimit(course, limit, rungs);
    course.memory.limit = { number: limit, whose };
    const owner = whose === undefined ? '' : `, by the ${whose}`;
    course.memory.notes.push(`the limit is ${limit} at once${owner}`);
    course.memory.atOnceOk = limit;
    return { outcome: 'same-number', evidence: `${words.join(', ')}: no more than ${limit} at once${how}` };
  },
};

/** Doubles until it fails, then halves what is between. */
async function climb(course: Course): Promise<readonly Rung[]> {
  const rungs: Rung[] = [];
  let low = 1;
  let high = AT_ONCE;
  for (let next = 2; high - low > 1 && course.bench.requestsLeft >= next; next = nextRung(low, high)) {
    const rung = await stepOn(course, next, course.http2Route ?? course.route);
    rungs.push(rung);
    if (rung.good === next) low = next;
    else high = next;
  }
  return rungs;
}

function nextRung(low: number, high: number): number {
  return 2 * low < high ? 2 * low : Math.floor((low + high) / 2);
}

async function stepOn(course: Course, count: number, route: Route): Promise<Rung> {
  const { bench } = course;
  const lines = await together(course, count, route);
  for (const { connection } of lines) bench.end(connection);
  await sleep(bench.clock, FORGOTTEN_MS, bench.signal);
  const requests = lines.map(({ request }) => request);
  return { count, good: requests.filter(({ symptom }) => symptom === 'ok').length, requests };
}

/** Up to it all went well, above it never all; where all come at once a limit may refuse more than it must. */
function limitOf(rungs: readonly Rung[], ofSix: number): number | undefined {
  const failing = [...rungs.filter(({ good, count }) => good < count), { count: AT_ONCE, good: ofSix }];
  const limit = Math.max(1, ...rungs.filter(({ good, count }) => good === count).map(({ count }) => count));
  const isOne = failing.every(({ count, good }) => count > limit && good <= limit);
  const isNamed = failing.some(({ count }) => count === limit + 1);
  return isOne && isNamed ? limit : undefined;
}

async function whoseLimit(
  course: Course,
  limit: number,
  rungs: readonly Rung[],
): Promise<{ readonly whose: 'proxy' | 'server' | undefined; readonly how: string }> {
  const { proxy } = course.route;
  if (proxy === undefined) return { whose: undefined, how: '' };
  const bad = rungs.flatMap(({ requests }) => requests.filter(({ symptom }) => symptom !== 'ok'));
  if (bad.length > 0 && bad.every(({ symptom }) => symptom.startsWith('proxy-')))
    return { whose: 'proxy', how: '; it is the proxy that says so, in its answer to CONNECT' };
  if (course.bench.requestsLeft < limit + 1) return { whose: undefined, how: '' };
  const direct = await stepOn(course, limit + 1, { ...course.route, proxy: undefined });
  if (direct.good === limit + 1)
    return { whose: 'proxy', how: `; past the proxy all of ${limit + 1} go well: it is the proxy’s limit` };
  if (direct.good > 0)
    return {
      whose: 'server',
      how: `; past the proxy ${direct.good} of ${limit + 1} go well: it is the server’s limit`,
    };
  return {
    whose: undefined,
    how: '; past the proxy nothing goes from here, so that it may be the proxy’s or the server’s',
  };
}
