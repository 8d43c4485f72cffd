/** Where a body ends: at a byte, at a second, anywhere, at a place of the file, or only when we are slow. */
import { formatBytes, formatDuration, groupDigits, isStrongEntityTag } from '../../core/index.ts';
import type { RequestTrace } from '../probe/trace.ts';
import { type Experiment, isPlainOk, type Observation } from './course.ts';
import { askFor, bodyMs, met, send } from './sending.ts';

const MiB = 1_048_576;
const whole = { maxMs: 3_500, maxBytes: 16 * MiB } as const;
/** Below this, one time is as good as another. */
const LEAST_TIME_MS = 250;
/** A reset by the kernel's firewall comes with an acknowledgement, and loses what was on its way: 8 % between four cuts at 1 MB were measured. */
const BYTE_TOLERANCE_RATIO = 0.12;
/** All of them are so near by chance as seldom. */
const BLURRED_BYTE_RATIO = 0.2;
const TIME_TOLERANCE_RATIO = 0.08;
const BLURRED_TIME_RATIO = 0.16;

export const cutPlaceExperiment: Experiment = {
  id: 'cut-place',
  isPossible: ({ memory }) => memory.cuts.length > 0,
  run: async (course) => {
    const { cuts } = course.memory;
    let gone = 0;
    for (let n = 0; n < 3; n += 1) {
      const request = await send(course, { label: 'the body again', read: whole });
      if (request.symptom === 'cut-in-body' || request.symptom === 'stalled-in-body') cuts.push(request);
      else if (request.symptom === 'ok') gone += 1;
    }
    const words = cuts.map((cut) => `byte ${groupDigits(cut.bodyBytes)} after ${formatDuration(bodyMs(cut))}`);
    return {
      outcome: placeOf(cuts, gone),
      evidence: `it ended at ${words.join(', ')}${gone > 0 ? `; ${gone} came whole` : ''}`,
    };
  },
};

function placeOf(cuts: readonly RequestTrace[], gone: number): string {
  if (gone > cuts.length) return 'gone';
  if (gone > 0) return 'random';
  const bytes = cuts.map(({ bodyBytes }) => bodyBytes);
  const times = cuts.map(bodyMs);
  const isExact = spread(bytes) === 0;
  const isSameByte = mostAreNear(bytes);
  const isLong = Math.min(...times) >= LEAST_TIME_MS;
  if (isLong && !isExact && areNearer(times, bytes)) return 'same-time';
  const isSameTime = isLong && areNear(times);
  if (isExact && !isSameTime) return 'same-byte';
  if (isSameByte && isSameTime) return isExact ? 'same-byte' : 'both';
  if (isSameTime) return 'same-time';
  return isSameByte ? 'same-byte' : 'random';
}

/** One of four may have been overtaken by its reset, or have run ahead of it. */
function mostAreNear(values: readonly number[]): boolean {
  const middle = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
  const near = (ratio: number) =>
    values.filter((value) => Math.abs(value - middle) <= Math.max(1, ratio * middle)).length;
  return near(BYTE_TOLERANCE_RATIO) >= 0.75 * values.length || near(BLURRED_BYTE_RATIO) === values.length;
}

function areNear(times: readonly number[]): boolean {
  return spread(times) <= Math.max(60, TIME_TOLERANCE_RATIO * Math.max(...times));
}

/** A busy machine blurs its times; that the bytes differ much more remains. At an even speed both differ alike. */
function areNearer(times: readonly number[], bytes: readonly number[]): boolean {
  const ratio = (values: readonly number[]) => spread(values) / Math.max(1, ...values);
  return ratio(times) <= BLURRED_TIME_RATIO && ratio(bytes) > 2.5 * ratio(times);
}

function spread(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

const SLOWER = 3;
/** What the kernel and Node.js take before anybody has read: below it our speed makes no difference. */
const LEAST_SLOW_BYTES = 786_432;
const SLOW_MS = 8_000;

export const slowReadingExperiment: Experiment = {
  id: 'slow-reading',
  isPossible: ({ memory, outcomes }) =>
    outcomes.has('cut-place') &&
    memory.cuts.length > 1 &&
    memory.cuts[0]!.bodyBytes >= LEAST_SLOW_BYTES &&
    // Over HTTP/2 the windows of the stream decide how fast one reads.
    memory.plain?.httpVersion !== '2',
  run: async (course): Promise<Observation> => {
    const [first] = course.memory.cuts;
    const tookMs = Math.max(LEAST_TIME_MS, bodyMs(first!));
    const wantedMs = Math.min(SLOW_MS, SLOWER * tookMs);
    const bytesPerSecond = (first!.bodyBytes / wantedMs) * 1_000;
    const request = await send(course, {
      label: `read at ${formatBytes(Math.round(bytesPerSecond))}/s`,
      read: { maxMs: 2 * SLOW_MS, maxBytes: 2 * first!.bodyBytes, bytesPerSecond },
    });
    const evidence = `read at ${formatBytes(Math.round(bytesPerSecond))}/s: ${met(request)} after ${formatDuration(bodyMs(request))}; before it was byte ${groupDigits(first!.bodyBytes)} after ${formatDuration(bodyMs(first!))}`;
    if (request.symptom === 'ok') return { outcome: 'whole', evidence };
    const bytesApart = apart(request.bodyBytes, first!.bodyBytes);
    const timeApart = apart(bodyMs(request), bodyMs(first!));
    const isNear = Math.min(bytesApart, timeApart) < NEAR;
    return { outcome: !isNear ? 'elsewhere' : bytesApart <= timeApart ? 'same-byte' : 'same-time', evidence };
  },
};

/** A limit of the other kind would be met at a third of it, or at three times as much. */
const NEAR = Math.log(1.6);

function apart(value: number, other: number): number {
  return Math.abs(Math.log(Math.max(1, value) / Math.max(1, other)));
}

export const rangeExperiment: Experiment = {
  id: 'range',
  isPossible: ({ memory, subject }) =>
    subject.method === 'GET' &&
    memory.plain !== undefined &&
    ['cut-in-body', 'damaged', 'stalled-in-body'].includes(memory.plain.symptom) &&
    memory.plain.bodyBytes > 0 &&
    // Where a coded body is damaged, a part of it tells nothing: it cannot be decoded by itself.
    (memory.plain.symptom !== 'damaged' || memory.plain.headers?.['content-encoding'] === undefined),
  run: async (course): Promise<Observation> => {
    const first = course.memory.cuts[0] ?? course.memory.plain!;
    // A little before: at the very place one cannot tell a broken place from a connection that was cut at once.
    const from = Math.max(0, first.bodyBytes - Math.min(1_024, Math.floor(first.bodyBytes / 4)));
    const label = `from byte ${groupDigits(from)} on`;
    const request = await send(course, {
      label,
      headers: [...course.headers, ['Range', `bytes=${from}-`]],
      read: whole,
    });
    const evidence = `${label}: ${met(request)}${validatorWords(first, request)}`;
    if (request.status !== 206) return { outcome: 'refused', evidence };
    const reached = from + request.bodyBytes;
    const isSamePlace =
      request.symptom !== 'ok' && Math.abs(reached - first.bodyBytes) <= Math.max(1, 0.01 * first.bodyBytes);
    return {
      outcome: isSamePlace ? 'same-place' : 'goes-on',
      evidence: `${evidence}, up to byte ${groupDigits(reached)} of the file`,
    };
  },
};

/** What a resume can rely on, and whether the server kept to it. */
function validatorWords({ headers: before = {} }: RequestTrace, { status, headers: after = {} }: RequestTrace): string {
  const { etag } = before;
  const kind =
    etag === undefined
      ? before['last-modified'] === undefined
        ? 'no validator'
        : 'Last-Modified alone'
      : isStrongEntityTag(etag)
        ? 'a strong ETag'
        : 'a weak ETag';
  const isChanged = status === 206 && etag !== undefined && after.etag !== etag;
  return `; ${kind}${isChanged ? ', and another one on this answer: the content changed' : ''}`;
}

const PAUSE_MS = 1_500;
/** Less than this is in buffers before anybody could mind the pause. */
const LEAST_PAUSED_BYTES = 4 * MiB;

export const pausedReaderExperiment: Experiment = {
  id: 'paused-reader',
  isPossible: (course) =>
    isPlainOk(course) &&
    course.subject.method === 'GET' &&
    Math.max(course.memory.plain?.totalBytes ?? 0, course.memory.plain?.bodyBytes ?? 0) >= LEAST_PAUSED_BYTES,
  run: async (course) => {
    const request = await course.bench.once(
      course.route,
      askFor(course, {
        label: `pausing for ${formatDuration(PAUSE_MS)} in the body`,
        read: { ...whole, maxMs: PAUSE_MS + whole.maxMs, pauseMs: PAUSE_MS },
      }),
    );
    return {
      outcome: request.symptom === 'ok' ? 'ok' : 'cut',
      evidence: `after a pause of ${formatDuration(PAUSE_MS)}: ${met(request)}`,
    };
  },
};

const UPLOAD_BYTES = [1_024, 65_536, MiB, 4 * MiB] as const;

export const uploadExperiment: Experiment = {
  id: 'upload',
  isPossible: ({ subject, outcomes }) =>
    subject.mayWrite && /^(?:POST|PUT|PATCH)$/.test(subject.method) && outcomes.has('plain'),
  run: async (course): Promise<Observation> => {
    let okBytes = 0;
    for (const size of UPLOAD_BYTES) {
      if (course.bench.requestsLeft < 1) break;
      const body = Buffer.alloc(size, 'x');
      const headers = [
        ...course.headers.filter(([name]) => name.toLowerCase() !== 'content-length'),
        ['Content-Length', String(size)] as const,
      ];
      const request = await send(course, { label: `${formatBytes(size)} uploaded`, body, headers });
      if (request.symptom === 'ok') {
        okBytes = size;
        continue;
      }
      // A server that minds the content and not its size says so at every size.
      if (okBytes === 0) return { outcome: 'fails', evidence: `even ${formatBytes(size)}: ${met(request)}` };
      course.memory.upload = { okBytes, failedBytes: size };
      return {
        outcome: 'limited',
        evidence: `${formatBytes(okBytes)} was taken, ${formatBytes(size)}: ${met(request)}`,
      };
    }
    return { outcome: 'ok', evidence: `up to ${formatBytes(okBytes)} was taken` };
  },
};
