/** Connections that are kept: used again at once, after a moment, after longer. */

import { formatDuration } from '../../core/index.ts';
import { sleep } from '../../runtime/index.ts';
import { isReusable, keepsAlive } from '../probe/bench.ts';
import type { Symptom } from '../probe/trace.ts';
import { type Course, type Experiment, isPlainOk, type Observation } from './course.ts';
import { askFor, met, someOfIt } from './sending.ts';

/** Of larger bodies only the headers are asked for, so that the connection stays usable. */
const MAX_KEPT_BYTES = 1_048_576;

export const keptExperiment: Experiment = {
  id: 'kept',
  isPossible: (course) => isPlainOk(course) && course.subject.body === undefined,
  run: (course) => useAgain(course, [0, 1_200]),
};

export const keptLongerExperiment: Experiment = {
  id: 'kept-longer',
  isPossible: (course) => isPlainOk(course) && course.outcomes.get('kept') === 'ok',
  run: (course) => useAgain(course, [8_000]),
};

/** Of the connection, and not of the request. */
const ends: ReadonlySet<Symptom> = new Set(['no-answer', 'cut-in-headers', 'silent']);

async function useAgain(course: Course, idleTimesMs: readonly number[]): Promise<Observation> {
  const { bench, memory } = course;
  const isLarge =
    Math.max(memory.plain?.totalBytes ?? 0, memory.plain?.bodyBytes ?? 0) > MAX_KEPT_BYTES ||
    memory.plain?.isCutByUs === true;
  const method = isLarge && course.subject.method === 'GET' ? 'HEAD' : course.subject.method;
  const connection = await bench.connect(course.route);
  try {
    const first = await bench.ask(
      connection,
      askFor(course, { label: 'first on a connection to keep', method, read: someOfIt }),
    );
    if (first.symptom !== 'ok')
      return {
        outcome: 'ok',
        evidence: `the first request on it failed: ${met(first)}; nothing could be learnt of its reuse`,
      };
    if (!keepsAlive(first) && method !== 'HEAD') return { outcome: 'not-kept', evidence: notKept(first.httpVersion) };
    if (/close/i.test(first.headers?.connection ?? '') || first.httpVersion === '1.0')
      return { outcome: 'not-kept', evidence: notKept(first.httpVersion) };
    if (first.isCutByUs)
      return {
        outcome: 'ok',
        evidence: 'the body is too large to be read to its end each time: nothing could be learnt of its reuse',
      };
    let livedMs = 0;
    for (const idleMs of idleTimesMs) {
      const endedMs = await idle(course, connection, idleMs);
      if (endedMs !== undefined) {
        memory.idle = { livedMs, endedMs };
        return {
          outcome: 'closed-early',
          evidence: `the kept connection was ended by the other side (${connection.trace.endedBy === 'reset' ? 'a reset' : 'FIN'}) after ${formatDuration(endedMs)} of idling, without having said so`,
        };
      }
      if (!isReusable(connection, { ...first, totalBytes: first.totalBytes ?? 0 })) break;
      const next = await bench.ask(
        connection,
        askFor(course, { label: `again after ${formatDuration(idleMs)} of idling`, method, read: someOfIt }),
      );
      if (next.symptom !== 'ok') {
        memory.idle = { livedMs, endedMs: idleMs };
        return {
          outcome: ends.has(next.symptom) ? 'fails-on-reuse' : 'fails-otherwise',
          evidence: `the first request on the connection went well, the ${ordinal(next.onConnection)} one, after ${formatDuration(idleMs)} of idling, met: ${met(next)}`,
        };
      }
      livedMs = idleMs;
    }
    memory.idle = { livedMs, endedMs: undefined };
    return {
      outcome: 'ok',
      evidence: `one connection served ${connection.trace.requests.length} requests, the last after ${formatDuration(livedMs)} of idling`,
    };
  } finally {
    bench.end(connection);
  }
}

function notKept(version: string | undefined): string {
  return version === '1.0'
    ? 'the server speaks HTTP/1.0 and closes after each answer'
    : 'the server says that it closes after each answer';
}

/** @returns when it was ended meanwhile */
async function idle(
  { bench }: Course,
  { socket, trace }: { readonly socket: import('node:net').Socket | undefined; readonly trace: { endedBy?: unknown } },
  idleMs: number,
): Promise<number | undefined> {
  const startedMs = bench.sinceStartMs();
  if (socket === undefined) return 0;
  // Nobody reads an idle connection; its end is seen only by who does.
  socket.resume();
  const ended = new Promise<'ended'>((resolve) =>
    socket.once('close', () => resolve('ended')).once('end', () => resolve('ended')),
  );
  await Promise.race([ended, sleep(bench.clock, Math.max(1, idleMs), bench.signal)]);
  return trace.endedBy === undefined ? undefined : bench.sinceStartMs() - startedMs;
}

function ordinal(n: number): string {
  return n === 2 ? '2nd' : n === 3 ? '3rd' : `${n}th`;
}
