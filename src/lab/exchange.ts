import { type Answer, type AnswerContext, plainAnswer } from './answer.ts';
import { sourceOfText } from './byte-source.ts';
import { type Delivery, deliveryFor } from './delivery.ts';
import { answerFor, isDeliveryFault } from './faulty-answer.ts';
import type { OpenConnectionRecord, OpenRequestRecord } from './record.ts';
import { resolveResource, versionAt } from './representation.ts';
import type { RequestHead } from './request-reader.ts';
import type { LiveRun } from './run.ts';
import type { Fault } from './scenario.ts';
import { faultsForRequest, type RequestFacts } from './verdict.ts';
import type { Wire } from './wire.ts';

/** What a connection asks the lab for. */
export interface ConnectionHost {
  /** Of the lab itself, whose port serves every run. */
  readonly origin: string;
  nowMs(): number;
  /** The run that a request target belongs to. */
  runFor(target: string): LiveRun | undefined;
  /** What to say to requests of no run: the lab's own pages. */
  pageFor(target: string, accept: string): Page;
}

/** An answer of the lab itself. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** Where to go instead. */
  readonly location?: string;
}

/** One request of a run and what has been decided about it, the same for every protocol. */
export interface Exchange {
  readonly run: LiveRun;
  readonly head: RequestHead;
  readonly record: OpenRequestRecord;
  readonly faults: readonly Fault[];
}

/** An answer and how it goes out. */
export interface Reply {
  readonly answer: Answer;
  readonly delivery: Delivery;
}

/** A connection's lines in the records of the runs that it serves. */
export class ConnectionLines {
  readonly #id: number;
  readonly #lines = new Map<LiveRun, OpenConnectionRecord>();

  constructor(wire: Wire, id: number) {
    this.#id = id;
    wire.onClosed(() => this.#leave());
  }

  join(run: LiveRun): OpenConnectionRecord {
    const known = this.#lines.get(run);
    if (known !== undefined) return known;
    const { connections } = run.record;
    const line: OpenConnectionRecord = {
      id: this.#id,
      n: connections.length + 1,
      openedAtMs: run.elapsedMs(),
      requestCount: 0,
      faults: [],
    };
    connections.push(line);
    run.openConnections += 1;
    this.#lines.set(run, line);
    run.signals.changed();
    return line;
  }

  #leave(): void {
    for (const [run, line] of this.#lines) {
      line.closedAtMs = run.elapsedMs();
      run.openConnections -= 1;
      run.signals.changed();
    }
    this.#lines.clear();
  }
}

/** Writes the request down and asks the scenario about it. */
export function openExchange(
  run: LiveRun,
  head: RequestHead,
  requestOnConnection: number,
  line: OpenConnectionRecord,
): Exchange {
  const facts = factsOf(run, head, requestOnConnection);
  const faults = faultsForRequest(run.scenario, facts, run.facts);
  run.facts.push(facts);
  line.requestCount += 1;
  const record = openRequest(run, head, facts, line.id, faults);
  run.record.requests.push(record);
  run.concurrentRequests += 1;
  return { run, head, record, faults };
}

export function closeExchange({ run, record }: Exchange): void {
  run.concurrentRequests -= 1;
  record.isRead = true;
  if (record.answered.endedBy === 'none') record.answered.endedBy = 'client';
  run.signals.changed();
}

/** What is answered now that the request has been read. */
export function replyTo({ run, head, record, faults }: Exchange, nowMs: number, otherOrigin: string): Reply {
  record.isRead = true;
  const answering: AnswerContext = {
    head,
    resource: resolveResource(run.scenario.resource),
    version: versionAt(run.served, record.n),
    nowMs,
    received: { bytes: record.bodyBytes, sha256: record.bodySha256 },
  };
  const pathOf = (file: string, query?: Readonly<Record<string, string>>) => run.pathOf(file, query);
  const answer = answerFor(faults, { ...answering, seed: run.seed, requestNumber: record.n, pathOf, otherOrigin });
  if (answer.status < 300) recordEffect(run, record);
  run.signals.changed();
  return { answer, delivery: deliveryFor(faults.filter(isDeliveryFault), answer, run.seed, record.n) };
}

/** One of the lab's own pages. */
export function replyWith({ status, contentType, text, location }: Page): Reply {
  const plain = plainAnswer(status, contentType, sourceOfText(text));
  const answer =
    location === undefined ? plain : { ...plain, headers: [...plain.headers, ['Location', location] as const] };
  return { answer, delivery: deliveryFor([], answer, 0, 0) };
}

/** The URL behind a request target in origin or absolute form; nonsense is the root. */
export function urlOf(target: string): URL {
  return URL.canParse(target, 'http://lab.invalid')
    ? new URL(target, 'http://lab.invalid')
    : new URL('http://lab.invalid/');
}

function factsOf(run: LiveRun, head: RequestHead, requestOnConnection: number): RequestFacts {
  const url = urlOf(head.target);
  const token = url.searchParams.get('token');
  return {
    n: run.facts.length + 1,
    method: head.method,
    file: url.pathname.slice(url.pathname.lastIndexOf('/') + 1),
    hasRange: head.headers.range !== undefined,
    requestOnConnection,
    concurrentRequests: run.concurrentRequests + 1,
    atMs: run.elapsedMs(),
    ...(token !== null && { token }),
  };
}

function openRequest(
  run: LiveRun,
  head: RequestHead,
  facts: RequestFacts,
  connectionId: number,
  faults: readonly Fault[],
): OpenRequestRecord {
  const { range, 'if-range': ifRange } = head.headers;
  return {
    n: facts.n,
    connectionId,
    requestOnConnection: facts.requestOnConnection,
    atMs: run.elapsedMs(),
    httpVersion: head.version,
    method: head.method,
    path: urlOf(head.target).pathname,
    target: head.target,
    headers: head.headers,
    rawHeaders: head.rawHeaders,
    bodyBytes: 0,
    bodySha256: '',
    isRead: false,
    ...(range !== undefined && { range }),
    ...(ifRange !== undefined && { ifRange }),
    faults: faults.map(({ kind }) => kind),
    answered: { headersSent: false, bodyBytesSent: 0, endedBy: 'none', complete: false },
  };
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** A cut answer hides an effect from the client, but does not undo it. */
function recordEffect(run: LiveRun, { n, method, bodyBytes, bodySha256, headers }: OpenRequestRecord): void {
  if (safeMethods.has(method)) return;
  const idempotencyKey = headers['idempotency-key'];
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  run.record.effects.push({ requestNumber: n, method, bytes: bodyBytes, sha256: bodySha256, ...key });
}
