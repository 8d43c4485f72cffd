/** The division of a file behind the answer that came first: how its parts are asked for, and what their answers are worth. */
import type { Client, ClientResponse, ReknitEvent } from '../http/index.ts';
import { type Ask, askPart, judgeAnswer } from './answer.ts';
import type { Destination } from './destination.ts';
import { Division, type DivisionEnd, type SegmentAnswer } from './division.ts';
import type { Pin } from './journal.ts';
import type { ConnectionLease } from './limits.ts';
import type { Requests } from './requests.ts';
import { SourceFailed } from './transfer-failures.ts';
import type { TransferJob } from './transfer-job.ts';

/** The answer that came first, and what is known by it. */
export interface Divided {
  readonly client: Client;
  readonly url: string;
  readonly ask: Ask;
  readonly answer: ClientResponse;
  readonly pin: Pin;
  readonly totalBytes: number;
  /** Where its bytes go on, its first `skipBytes` skipped. */
  readonly atByte: number;
  readonly skipBytes: number;
  /** Behind its last byte. */
  readonly endByte: number;
  readonly lease: ConnectionLease;
  readonly signal: AbortSignal;
  onProgress(connections: number): void;
}

export interface RunningDivision {
  readonly division: Division;
  readonly end: Promise<DivisionEnd>;
}

export function divide(
  job: TransferJob,
  requests: Requests,
  destination: Destination,
  first: Divided,
): RunningDivision {
  const { client, url, ask, pin, totalBytes, atByte, skipBytes, signal } = first;
  const division = new Division({
    destination,
    totalBytes,
    connections: job.connections,
    signal,
    pace: job.pace,
    acquire: (own, isExtra) => requests.acquire(url, { signal: own, isExtra }),
    open: async (range, own, onEvent) => {
      const part = askPart(ask, pin, range);
      const listener = (event: ReknitEvent) => {
        job.onEvent?.(event);
        onEvent(event);
      };
      return judgePart(part, await requests.send(client, url, part, own, listener), requests.sha256Of(url));
    },
    onProgress: first.onProgress,
    // Another address may do better than patience with this one.
    onLastInTrouble: (failure) => (job.mirrors.length > 0 ? new SourceFailed(failure) : undefined),
  });
  const gap = destination.gaps(totalBytes).find(({ to }) => to > atByte);
  const end = division.run({
    body: first.answer.body as AsyncIterable<Buffer>,
    skipBytes,
    range: { from: atByte, to: gap?.to ?? totalBytes },
    wireEndByte: first.endByte,
    isPart: first.answer.statusCode === 206,
    lease: first.lease,
  });
  return { division, end };
}

function judgePart(part: Ask, answer: ClientResponse, urlSha256: string): SegmentAnswer {
  const { statusCode } = answer;
  const verdict = judgeAnswer(part, { ...answer, urlSha256 });
  if (verdict.kind === 'join' && verdict.isPart) {
    return { kind: 'part', body: answer.body as AsyncIterable<Buffer>, skipBytes: verdict.skipBytes };
  }
  answer.body.on('error', () => {}).destroy();
  switch (verdict.kind) {
    case 'join':
      return { kind: 'no-ranges', what: `HTTP ${statusCode} to a request for a part` };
    case 'begin':
      return judgeWhole(part, verdict.pin, statusCode);
    case 'changed':
      return { kind: 'changed', what: verdict.what };
    case 'doubt':
    case 'refused':
      return { kind: 'doubt', what: verdict.what };
  }
}

/** The whole where a part was asked for: of another version if it says so, else ranges are not honoured. */
function judgeWhole(part: Ask, pin: Pin, statusCode: number): SegmentAnswer {
  const before = part.kind === 'rest' ? part.held.pin.representation.etag : undefined;
  const { etag } = pin.representation;
  if (before !== undefined && etag !== undefined && before !== etag) {
    return { kind: 'changed', what: `the ETag was ${before} and is now ${etag}` };
  }
  return { kind: 'no-ranges', what: `HTTP ${statusCode} to a request for a part` };
}
