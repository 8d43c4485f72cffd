/** The request as it was given, on a fresh connection; behind redirects, what it leads to. */
import { isSecretHeader, redactUrl } from '../../core/index.ts';
import { decryptingProduct } from '../inference/decrypting-issuers.ts';
import type { HeaderList } from '../probe/exchange.ts';
import type { RequestTrace } from '../probe/trace.ts';
import type { Course, Experiment } from './course.ts';
import { proveEnd } from './ending.ts';
import { met, send } from './sending.ts';

const MAX_REDIRECTS = 5;

export const plainExperiment: Experiment = {
  id: 'plain',
  isPossible: ({ subject }) => subject.maySend,
  run: async (course) => {
    const request = await follow(course);
    const { memory, bench } = course;
    memory.plain = request;
    await proveEnd(course, request);
    memory.plainConnection = bench.connections[request.connectionNumber - 1];
    if (request.symptom === 'cut-in-body') memory.cuts.push(request);
    const tls = memory.plainConnection?.tls;
    if (tls?.alpn === 'h2' && request.symptom === 'ok') await leaveHttp2(course);
    const issuer = request.symptom === 'untrusted' ? issuerWords(tls?.issuer) : '';
    return { outcome: request.symptom, evidence: `${met(request)}${issuer}` };
  },
};

/** From here on HTTP/1.1 is asked, which most programs speak; where the server does not offer it, HTTP/2 stays. */
async function leaveHttp2(course: Course): Promise<void> {
  const { alpn: _, ...route } = course.route;
  const connection = await course.bench.connect(route);
  course.bench.end(connection);
  if (connection.trace.failure?.kind === 'tls-alert') course.memory.notes.push('the server speaks HTTP/2 alone');
  else {
    course.http2Route = course.route;
    course.route = route;
  }
}

function issuerWords(issuer: string | undefined): string {
  if (issuer === undefined) return '';
  const product = decryptingProduct(issuer);
  return `; it was issued by ${JSON.stringify(issuer)}${product === undefined ? '' : `, by which ${product} decrypts TLS`}`;
}

async function follow(course: Course): Promise<RequestTrace> {
  const { maxMs, maxBytes } = readingOf(course);
  for (let hop = 0; ; hop += 1) {
    const request = await send(course, {
      label: 'as given, fresh connection',
      read: { maxMs, maxBytes, keepsUnframed: true },
    });
    const { status = 0, headers } = request;
    const location = headers?.location;
    if (status < 300 || status >= 400 || status === 304 || location === undefined || request.failure !== undefined)
      return request;
    const next = URL.canParse(location, course.route.url.href) ? new URL(location, course.route.url) : undefined;
    if (hop === MAX_REDIRECTS || next === undefined || !/^https?:$/.test(next.protocol)) return request;
    if (course.bench.requestsLeft < 1 || !course.subject.maySend) return request;
    // It was followed, which is no trouble; only who never arrives is in a loop.
    request.symptom = 'ok';
    course.memory.notes.push(`redirected (${status}) to ${redactUrl(next.href)}; the experiments go there`);
    course.redirectedFrom ??= { route: course.route, headers: course.headers };
    course.headers = headersFor(course.headers, next.origin === course.route.url.origin);
    course.route = { ...course.route, url: next };
  }
}

function readingOf({ surroundings, bench }: Course): { readonly maxMs: number; readonly maxBytes: number } {
  if (!surroundings.isWhole) return { maxMs: 3_000, maxBytes: 16 * 1_024 * 1_024 };
  return { maxMs: 24 * 3_600_000, maxBytes: Math.max(1, bench.bytesLeft / 2) };
}

/** Credentials never cross origins. */
function headersFor(headers: HeaderList, isSameOrigin: boolean): HeaderList {
  return isSameOrigin ? headers : headers.filter(([name]) => !isSecretHeader(name) && !/^host$/i.test(name));
}
