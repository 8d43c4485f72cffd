/** Bodies that nothing delimits but the end of their connection: did they end, or were they cut? */
import { endProbeRange, formatBytes, groupDigits, judgeEndProbe } from '../../core/index.ts';
import { markCut } from '../probe/bench.ts';
import { isUnframed } from '../probe/exchange.ts';
import type { RequestTrace } from '../probe/trace.ts';
import { type Course, type Experiment, isPlainOk, type Observation } from './course.ts';
import { send } from './sending.ts';

const MiB = 1_048_576;

/** Whole as far as one can see, and nothing says so. */
function hasOpenEnd(request: RequestTrace): boolean {
  const { symptom, method, status, isComplete, bodyBytes } = request;
  return symptom === 'ok' && method === 'GET' && status === 200 && isComplete && bodyBytes > 0 && isUnframed(request);
}

/** Asks for what follows the last byte; marks the request as cut where more comes. */
export async function proveEnd(course: Course, request: RequestTrace): Promise<void> {
  const { memory, bench } = course;
  const { totalBytes, bodyBytes, isComplete, headers: before = {} } = request;
  if (totalBytes !== undefined && isComplete) bench.fullBytes = totalBytes;
  if (!hasOpenEnd(request) || bench.requestsLeft < 1) return;
  const answer = await send(course, {
    label: `what follows byte ${groupDigits(bodyBytes)}`,
    headers: [...course.headers, ['Range', endProbeRange(bodyBytes)]],
    // Who does not know ranges sends the whole: it is read as far as the first one went, and a little further.
    read: { maxBytes: Math.max(65_536, bodyBytes + 1), maxMs: 3_000, keepsUnframed: true },
  });
  const after = answer.headers ?? {};
  const verdict = judgeEndProbe(
    bodyBytes,
    { etag: before.etag, lastModified: before['last-modified'] },
    {
      statusCode: answer.status ?? 0,
      etag: after.etag,
      lastModified: after['last-modified'],
      contentRange: after['content-range'],
      contentLength: after['content-length'],
    },
  );
  // The answer to a question of ours is no trouble of the subject.
  if (answer.failure === undefined) answer.symptom = 'ok';
  if (verdict.kind === 'ends-here') {
    bench.fullBytes = bodyBytes;
    memory.ending = 'proven';
    return;
  }
  memory.ending = 'unproven';
  if (verdict.kind === 'goes-on') {
    bench.fullBytes = verdict.totalBytes ?? bodyBytes + 1;
    markCut(request, verdict.totalBytes);
    return;
  }
  compare(course, [request, answer]);
}

/** One that is the beginning of a longer one was cut. */
function compare({ bench, memory }: Course, requests: readonly RequestTrace[]): 'same' | 'cut' | 'differs' {
  const whole = requests.filter((request) => request.status === 200 && request.kept !== undefined);
  const [longest, ...others] = whole.toSorted((a, b) => b.bodyBytes - a.bodyBytes);
  if (longest === undefined) return 'same';
  const isBeginning = ({ kept }: RequestTrace) => longest.kept!.subarray(0, kept!.length).equals(kept!);
  if (!others.every(isBeginning)) return 'differs';
  const short = others.filter(({ bodyBytes }) => bodyBytes < longest.bodyBytes);
  if (short.length === 0) return 'same';
  bench.fullBytes = longest.bodyBytes;
  for (const request of short) {
    markCut(request, undefined);
    if (request !== memory.plain) memory.cuts.push(request);
  }
  return 'cut';
}

export const endingExperiment: Experiment = {
  id: 'ending',
  isPossible: (course) =>
    isPlainOk(course) && course.memory.ending === 'unproven' && course.memory.plain?.kept !== undefined,
  run: async (course): Promise<Observation> => {
    const read = { maxBytes: 16 * MiB, maxMs: 3_000, keepsUnframed: true };
    const again = [
      await send(course, { label: 'the body once more, to compare its length', read }),
      await send(course, { label: 'the body once more, to compare its length', read }),
    ];
    const { plain, cuts, notes } = course.memory;
    const outcome = compare(course, [plain!, ...again]);
    if (plain!.symptom === 'cut-in-body' && !cuts.includes(plain!)) cuts.unshift(plain!);
    const lengths = [plain!, ...again].map(({ bodyBytes }) => groupDigits(bodyBytes)).join(', ');
    if (outcome === 'cut') {
      const evidence = `nothing says where the body ends; three of them had ${lengths} bytes, and the shorter ones are the beginning of the longest`;
      return { outcome, evidence };
    }
    notes.push(
      outcome === 'same'
        ? `nothing says where the body ends, neither a length nor an answer to what follows byte ${groupDigits(plain!.bodyBytes)}: that ${formatBytes(plain!.bodyBytes)} are all of it cannot be proven from here, only that it was so every time`
        : 'nothing says where the body ends, and it is another one each time: whether one of them ended early cannot be told from here',
    );
    return { outcome, evidence: `nothing says where the body ends; three of them had ${lengths} bytes` };
  },
};
