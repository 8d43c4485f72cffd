/** The same again: is it always so, and does it come and go? */
import { formatDuration } from '../../core/index.ts';
import { sleep } from '../../runtime/index.ts';
import { type RequestTrace, slowToFail } from '../probe/trace.ts';
import { type Course, type Experiment, isPlainOk } from './course.ts';
import { depthOf, failsByName, met, patienceOf, send, someOfIt, summary } from './sending.ts';

const REPEATS = 3;

const PAUSE_MS = 150;

export const confirmExperiment: Experiment = {
  id: 'confirm',
  isPossible: (course) => course.memory.plain !== undefined && !isPlainOk(course),
  run: async (course) => {
    const first = course.memory.plain!;
    const requests = await inARow(
      course,
      REPEATS,
      'again, fresh connection',
      { maxMs: 3_000, maxBytes: 16 * 1_024 * 1_024 },
      // Two more that hang as long are enough to wait for.
      (done) => done.length === 2 && done.every(({ symptom }) => symptom === first.symptom && slowToFail.has(symptom)),
    );
    course.memory.cuts.push(...requests.filter(({ symptom }) => symptom === 'cut-in-body'));
    const good = requests.filter(({ symptom }) => symptom === 'ok').length;
    const same = requests.filter(({ symptom }) => symptom === first.symptom).length;
    const outcome =
      good === requests.length ? 'passed' : good > 0 ? 'mixed' : same === requests.length ? 'same' : 'otherwise';
    return { outcome, evidence: summary(requests) };
  },
};

/** Whoever is away for a second now and then is not seen by a look of one second. */
const LOOKS_MS = [1_200, 2_300] as const;
/** Who is as slow has been looked at for long enough. */
const SLOW_MS = 600;

export const againExperiment: Experiment = {
  id: 'again',
  isPossible: (course) =>
    isPlainOk(course) && (course.outcomes.get('at-once') !== 'all-ok' || answerMs(course) < SLOW_MS),
  run: async (course) => {
    const { bench } = course;
    const requests: RequestTrace[] = [];
    for (const [index, lookMs] of LOOKS_MS.entries()) {
      const waitMs = lookMs - bench.sinceStartMs();
      // One of them is made in any case.
      if (waitMs <= 0 && index < LOOKS_MS.length - 1) continue;
      if (bench.requestsLeft < 1) break;
      await sleep(bench.clock, Math.max(1, waitMs), bench.signal);
      requests.push(await send(course, { label: 'again, fresh connection', read: someOfIt }));
    }
    const isOk = requests.every(({ symptom }) => symptom === 'ok');
    const outcome = isOk ? 'all-ok' : failsByName(requests) ? 'name-fails' : 'some-fail';
    return { outcome, evidence: `${formatDuration(bench.sinceStartMs())} behind the first: ${summary(requests)}` };
  },
};

function answerMs({ memory: { plain } }: Course): number {
  return (plain?.headersMs ?? 0) - (plain?.startedMs ?? 0);
}

async function inARow(
  course: Course,
  count: number,
  label: string,
  read: { readonly maxMs: number; readonly maxBytes: number },
  isEnough: (requests: readonly RequestTrace[]) => boolean = () => false,
): Promise<readonly RequestTrace[]> {
  const requests: RequestTrace[] = [];
  for (let n = 0; n < count && !isEnough(requests); n += 1) {
    await sleep(course.bench.clock, PAUSE_MS, course.bench.signal);
    requests.push(await send(course, { label, read }));
  }
  return requests;
}

const TICKS = 15;
const TICK_MS = 400;

export const overTimeExperiment: Experiment = {
  id: 'over-time',
  isPossible: ({ subject, bench }) => subject.maySend && bench.requests.some(({ symptom }) => symptom !== 'ok'),
  run: async (course) => {
    const { bench } = course;
    const startedMs = bench.sinceStartMs();
    const requests: RequestTrace[] = [];
    // What is cut further on must be read as far.
    const maxBytes = depthOf(course);
    const maxMs = patienceOf(course);
    for (let tick = 0; tick < TICKS && bench.requestsLeft > 0; tick += 1) {
      const waitMs = startedMs + tick * TICK_MS - bench.sinceStartMs();
      if (waitMs > 0) await sleep(bench.clock, waitMs, bench.signal);
      requests.push(await send(course, { label: 'one in a series', read: { maxBytes, maxMs } }));
    }
    const isGood = requests.map(({ symptom }) => symptom === 'ok');
    const picture = isGood.map((good) => (good ? '·' : '×')).join('');
    const bad = requests.find(({ symptom }) => symptom !== 'ok');
    return {
      outcome: patternOf(isGood),
      evidence: `one every 0.4 s: ${picture}${bad === undefined ? '' : `; × was ${met(bad)}`}`,
    };
  },
};

/** Stretches betray a restart; chance alternates. */
export function patternOf(isGood: readonly boolean[]): string {
  const bad = isGood.filter((good) => !good).length;
  if (bad === 0) return 'stays-good';
  if (bad === isGood.length) return 'stays-bad';
  const runs: { readonly good: boolean; length: number }[] = [];
  for (const good of isGood) {
    const last = runs.at(-1);
    if (last?.good === good) last.length += 1;
    else runs.push({ good, length: 1 });
  }
  const longestBad = Math.max(...runs.filter(({ good }) => !good).map(({ length }) => length));
  if (runs.length === 2 && runs[0]?.good === false) return 'is-back';
  // Wald and Wolfowitz: chance makes about so many runs of so many marks of each kind.
  const expectedRuns = (2 * bad * (isGood.length - bad)) / isGood.length + 1;
  return longestBad >= 2 && runs.length < expectedRuns * 0.8 ? 'comes-and-goes' : 'at-random';
}
