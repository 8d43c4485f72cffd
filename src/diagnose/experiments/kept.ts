/** Connections that are kept: used again at once, after a moment, after longer. */
import { formatDuration } from '../../core/index.ts';
import { isReusable, keepsAlive } from '../probe/bench.ts';
import type { Connection } from '../probe/connection.ts';
import type { RequestTrace, Symptom } from '../probe/trace.ts';
import { type Course, type Experiment, isPlainOk, type KeptLine, type Observation } from './course.ts';
import { askFor, met, someOfIt } from './sending.ts';

/** Of larger bodies only the headers are asked for, so that the connection stays usable. */
const MAX_KEPT_BYTES = 1_048_576;

const IDLE_MS = 1_200;

export const keptExperiment: Experiment = {
  id: 'kept',
  isPossible: (course) => isPlainOk(course) && course.subject.body === undefined,
  isRipe: ({ memory: { line }, bench }) => line === undefined || bench.sinceStartMs() - line.sinceMs >= IDLE_MS,
  run: async (course) => {
    const first = await useOnce(course);
    if (first.outcome !== 'closed-early' && first.outcome !== 'fails-on-reuse') return first;
    // A restart ends a kept connection, too: only what comes again is a habit.
    const second = await useAgain(course, [0, IDLE_MS]);
    if (second.outcome === 'closed-early' || second.outcome === 'fails-on-reuse')
      return { ...first, evidence: `${first.evidence}; another one: ${second.evidence}` };
    course.memory.idle = undefined;
    const isOk = second.outcome === 'ok' && course.bench.requests.at(-1)?.symptom === 'ok';
    return {
      outcome: isOk ? 'once' : 'fails-otherwise',
      evidence: `${first.evidence}; another one: ${second.evidence}`,
    };
  },
};

async function useOnce(course: Course): Promise<Observation> {
  const { line } = course.memory;
  if (line === undefined) return await useAgain(course, [0, IDLE_MS]);
  try {
    return await useKept(course, line);
  } finally {
    course.memory.line = undefined;
    course.bench.end(line.connection);
  }
}

export const keptLongerExperiment: Experiment = {
  id: 'kept-longer',
  isPossible: (course) => isPlainOk(course) && course.outcomes.get('kept') === 'ok',
  run: (course) => useAgain(course, [8_000]),
};

/** One of those that have served a request each; where none can serve another one, because their bodies were not read to the end, one more. */
export async function keepOne(course: Course, lines: readonly UsedLine[]): Promise<KeptLine | undefined> {
  const { bench, subject } = course;
  if (subject.body !== undefined) return undefined;
  const method = methodFor(course);
  if (method === subject.method && course.http2Route === undefined) {
    const [line] = lines.filter(({ connection, request }) => isReusable(connection, request));
    return line === undefined ? undefined : watched(course, line.connection, line.request, method);
  }
  const connection = await bench.connect(course.route);
  const label = 'first on a connection to keep';
  const first = await bench.ask(connection, askFor(course, { label, method, read: someOfIt }));
  if (whyNot(first, method) === undefined) return watched(course, connection, first, method);
  bench.end(connection);
  return undefined;
}

export interface UsedLine {
  readonly connection: Connection;
  readonly request: RequestTrace;
}

function watched({ bench }: Course, connection: Connection, first: RequestTrace, method: string): KeptLine {
  // Nobody reads an idle connection; its end is seen only by who does.
  connection.socket?.resume();
  return { connection, first, method, sinceMs: bench.sinceStartMs() };
}

/** It has idled while other experiments were made. */
async function useKept(course: Course, { connection, first, method, sinceMs }: KeptLine): Promise<Observation> {
  const { bench } = course;
  const leftMs = sinceMs + IDLE_MS - bench.sinceStartMs();
  if (leftMs > 0) await idle(course, connection, leftMs);
  const idleMs = bench.sinceStartMs() - sinceMs;
  const { endedBy, endedMs } = connection.trace;
  if (endedBy !== undefined) return endedWhileIdle(course, connection, 0, Math.max(0, (endedMs ?? 0) - sinceMs));
  const label = `again after ${formatDuration(idleMs)} of idling`;
  const next = await bench.ask(connection, askFor(course, { label, method, read: someOfIt }));
  if (next.symptom !== 'ok') return failedOnReuse(course, next, 0, idleMs);
  course.memory.idle = { livedMs: idleMs, endedMs: undefined };
  const evidence = `one connection served ${first.onConnection + 1} requests, the last after ${formatDuration(idleMs)} of idling`;
  return { outcome: 'ok', evidence };
}

async function useAgain(course: Course, idleTimesMs: readonly number[]): Promise<Observation> {
  const { bench } = course;
  const method = methodFor(course);
  const connection = await bench.connect(course.route);
  try {
    const ask = (label: string) => bench.ask(connection, askFor(course, { label, method, read: someOfIt }));
    const first = await ask('first on a connection to keep');
    const reason = whyNot(first, method);
    if (reason !== undefined) return reason;
    let livedMs = 0;
    for (const idleMs of idleTimesMs) {
      const endedMs = await idle(course, connection, idleMs);
      if (endedMs !== undefined) return endedWhileIdle(course, connection, livedMs, endedMs);
      if (!isReusable(connection, { ...first, totalBytes: first.totalBytes ?? 0 })) break;
      const next = await ask(`again after ${formatDuration(idleMs)} of idling`);
      if (next.symptom !== 'ok') return failedOnReuse(course, next, livedMs, idleMs);
      livedMs = idleMs;
    }
    course.memory.idle = { livedMs, endedMs: undefined };
    const count = connection.trace.requests.length;
    const evidence = `one connection served ${count} requests, the last after ${formatDuration(livedMs)} of idling`;
    return { outcome: 'ok', evidence };
  } finally {
    bench.end(connection);
  }
}

function methodFor({ memory: { plain }, subject }: Course): string {
  const bytes = Math.max(plain?.totalBytes ?? 0, plain?.bodyBytes ?? 0);
  const isLarge = bytes > MAX_KEPT_BYTES || plain?.isCutByUs === true;
  return isLarge && subject.method === 'GET' ? 'HEAD' : subject.method;
}

/** Why a connection with this first answer cannot be used again, if so. */
function whyNot(first: RequestTrace, method: string): Observation | undefined {
  const nothing = 'nothing could be learnt of its reuse';
  if (first.symptom !== 'ok')
    return { outcome: 'ok', evidence: `the first request on it failed: ${met(first)}; ${nothing}` };
  if (first.isCutByUs)
    return { outcome: 'ok', evidence: `the body is too large to be read to its end each time: ${nothing}` };
  // An answer to HEAD needs no framing to leave its connection usable.
  const closes = /\bclose\b/i.test(first.headers?.connection ?? '') || first.httpVersion === '1.0';
  const isKept = method === 'HEAD' ? !closes : keepsAlive(first);
  if (isKept) return undefined;
  const speaks = first.httpVersion === '1.0' ? 'the server speaks HTTP/1.0 and' : 'the server says that it';
  return { outcome: 'not-kept', evidence: `${speaks} closes after each answer` };
}

function endedWhileIdle({ memory }: Course, { trace }: Connection, livedMs: number, endedMs: number): Observation {
  memory.idle = { livedMs, endedMs };
  const how = trace.endedBy === 'reset' ? 'a reset' : 'FIN';
  return {
    outcome: 'closed-early',
    evidence: `the kept connection was ended by the other side (${how}) after ${formatDuration(endedMs)} of idling, without having said so`,
  };
}

/** Of the connection, and not of the request. */
const ends: ReadonlySet<Symptom> = new Set(['no-answer', 'cut-in-headers', 'silent']);

function failedOnReuse({ memory }: Course, next: RequestTrace, livedMs: number, idleMs: number): Observation {
  memory.idle = { livedMs, endedMs: idleMs };
  const which = next.onConnection === 2 ? '2nd' : next.onConnection === 3 ? '3rd' : `${next.onConnection}th`;
  return {
    outcome: ends.has(next.symptom) ? 'fails-on-reuse' : 'fails-otherwise',
    evidence: `the first request on the connection went well, the ${which} one, after ${formatDuration(idleMs)} of idling, met: ${met(next)}`,
  };
}

/** @returns when it was ended meanwhile */
async function idle({ bench }: Course, { socket, trace }: Connection, idleMs: number): Promise<number | undefined> {
  const startedMs = bench.sinceStartMs();
  if (socket === undefined) return 0;
  // Nobody reads an idle connection; its end is seen only by who does.
  socket.resume();
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()).once('end', () => resolve()));
  await bench.within(ended, idleMs);
  return trace.endedBy === undefined ? undefined : bench.sinceStartMs() - startedMs;
}
