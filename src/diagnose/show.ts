/** What was on the wire, as it may be shown. */
import { describeFailure } from '../core/index.ts';
import type { Measured, ShownConnection, ShownRequest } from './diagnosis.ts';
import type { Course } from './experiments/course.ts';
import { pushbackOf } from './experiments/number.ts';
import { bodyMs, met } from './experiments/sending.ts';
import { printable } from './printable.ts';
import type { Bench } from './probe/bench.ts';
import type { ConnectionTrace, RequestTrace } from './probe/trace.ts';

export function showConnections({ connections }: Bench): readonly ShownConnection[] {
  return connections.map(showConnection);
}

function showConnection({ failure, requests, ...trace }: ConnectionTrace): ShownConnection {
  const { n, experiment, startedMs, endedMs, endedBy, lookedUpMs, connectedMs, securedMs, ...rest } = trace;
  return {
    n,
    experiment,
    startedMs: round(startedMs)!,
    ...given({
      endedMs: round(endedMs),
      endedBy,
      lookedUpMs: round(lookedUpMs),
      connectedMs: round(connectedMs),
      securedMs: round(securedMs),
    }),
    ...rest,
    ...(failure === undefined ? {} : { failure: printable(describeFailure(failure)) }),
    requests: requests.map(showRequest),
  };
}

function showRequest(request: RequestTrace): ShownRequest {
  const { n, label, method, atWallMs, startedMs, headersMs, endedMs, status, bodyBytes, totalBytes, symptom } = request;
  return {
    n,
    label,
    method,
    at: new Date(atWallMs).toISOString(),
    startedMs: round(startedMs)!,
    ...given({
      headersMs: round(headersMs),
      endedMs: round(endedMs),
      status,
      totalBytes,
      requestId: requestIdOf(request),
    }),
    bodyBytes,
    symptom,
    met: printable(met(request)),
  };
}

const requestIdHeaders = [
  'x-request-id',
  'request-id',
  'x-correlation-id',
  'cf-ray',
  'x-amz-request-id',
  'x-amzn-requestid',
  'x-amz-cf-id',
  'x-goog-request-id',
  'x-ms-request-id',
  'x-github-request-id',
  'x-served-by',
];

function requestIdOf({ headers = {} }: RequestTrace): string | undefined {
  const name = requestIdHeaders.find((one) => headers[one] !== undefined);
  return name === undefined ? undefined : printable(`${name}: ${headers[name]!.slice(0, 120)}`);
}

function round(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}

/** The fields that have a value. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export function measuredBy({ memory, bench, route }: Course): Measured {
  const [cut] = memory.cuts;
  const limited = bench.requests.find((request) => request.symptom === 'too-many' || request.symptom === 'unavailable');
  const line = memory.plainConnection;
  return given({
    atOnceOk: memory.atOnceOk,
    limitNumber: memory.limit?.number,
    limitOf: memory.limit?.whose,
    cutBytes: cut?.bodyBytes,
    cutMs: cut === undefined ? undefined : Math.round(bodyMs(cut)),
    idleLivedMs: memory.idle?.livedMs,
    idleEndedMs: memory.idle?.endedMs === undefined ? undefined : Math.round(memory.idle.endedMs),
    uploadOkBytes: memory.upload?.okBytes,
    limitedAfter: memory.limitedAfter,
    retryAfterMs: limited === undefined ? undefined : pushbackOf(limited, bench.clock.wallMs()),
    curedHeader: memory.cure?.header,
    issuer: line?.tls?.issuer === undefined ? undefined : printable(line.tls.issuer),
    httpVersion: memory.plain?.httpVersion,
    proxy: route.proxy?.url.host,
    address: line?.address,
  });
}
