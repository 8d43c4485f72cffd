import { createHash } from 'node:crypto';
import { type AnswerContext, plainAnswer } from './answer.ts';
import { type Afterwards, act, type WriteContext, writeAnswer } from './answer-writer.ts';
import { sourceOfText } from './byte-source.ts';
import { deliveryFor, type StopAction, uploadStop } from './delivery.ts';
import { answerFor, isDeliveryFault } from './faulty-answer.ts';
import type { OpenConnectionRecord, OpenRequestRecord } from './record.ts';
import { resolveResource, versionAt } from './representation.ts';
import { type RequestHead, readBody, readHead } from './request-reader.ts';
import type { LiveRun } from './run.ts';
import type { Fault } from './scenario.ts';
import { faultsForRequest, type RequestFacts } from './verdict.ts';
import type { Wire } from './wire.ts';

/** What a connection asks the lab for. */
export interface ConnectionHost {
  nowMs(): number;
  /** The run that a request target belongs to. */
  runFor(target: string): LiveRun | undefined;
  /** What to say to requests of no run: the lab's own pages. */
  pageFor(target: string): Page;
}

/** An answer of the lab itself. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Serves one accepted connection to its end. */
export class Connection {
  readonly #wire: Wire;
  readonly #id: number;
  readonly #host: ConnectionHost;
  readonly #records = new Map<LiveRun, OpenConnectionRecord>();
  #requestCount = 0;

  constructor(wire: Wire, id: number, host: ConnectionHost) {
    this.#wire = wire;
    this.#id = id;
    this.#host = host;
    wire.onClosed(() => this.#leaveRuns());
  }

  /** The connection's line in the record of a run. */
  join(run: LiveRun): OpenConnectionRecord {
    const known = this.#records.get(run);
    if (known !== undefined) return known;
    const { connections } = run.record;
    const record: OpenConnectionRecord = {
      id: this.#id,
      n: connections.length + 1,
      openedAtMs: run.elapsedMs(),
      requestCount: 0,
      faults: [],
    };
    connections.push(record);
    run.openConnections += 1;
    this.#records.set(run, record);
    run.signals.changed();
    return record;
  }

  async serve(): Promise<void> {
    while ((await this.#serveNext()) === 'next');
  }

  async #serveNext(): Promise<Afterwards> {
    const read = await readHead(this.#wire.input);
    if (read.kind === 'ended') {
      this.#wire.close('fin');
      return 'over';
    }
    if (read.kind === 'malformed') return this.#refuseMalformed(read.why);
    this.#requestCount += 1;
    const run = this.#host.runFor(read.head.target);
    return run === undefined ? this.#showPage(read.head) : this.#serveRun(run, read.head);
  }

  async #serveRun(run: LiveRun, head: RequestHead): Promise<Afterwards> {
    const facts = factsOf(run, head, this.#requestCount);
    const faults = faultsForRequest(run.scenario, facts, run.facts);
    run.facts.push(facts);
    const connection = this.join(run);
    connection.requestCount += 1;
    const record = openRequest(run, head, facts, connection.id, faults);
    run.record.requests.push(record);
    run.concurrentRequests += 1;
    try {
      return await this.#answer(run, head, record, faults);
    } finally {
      run.concurrentRequests -= 1;
      record.isRead = true;
      if (record.answered.endedBy === 'none') record.answered.endedBy = 'client';
      run.signals.changed();
    }
  }

  async #answer(
    run: LiveRun,
    head: RequestHead,
    record: OpenRequestRecord,
    faults: readonly Fault[],
  ): Promise<Afterwards> {
    const writing = this.#writeContext(run, head, record);
    const end = await this.#receive(head, record, faults, writing);
    if (end === 'over') return 'over';
    record.isRead = true;
    const answering: AnswerContext = {
      head,
      resource: resolveResource(run.scenario.resource),
      version: versionAt(run.served, record.n),
      nowMs: writing.nowMs,
      received: { bytes: record.bodyBytes, sha256: record.bodySha256 },
    };
    const pathOf = (file: string, query?: Readonly<Record<string, string>>) => run.pathOf(file, query);
    const answer = answerFor(faults, { ...answering, seed: run.seed, requestNumber: record.n, pathOf });
    if (answer.status < 300) recordEffect(run, record);
    run.signals.changed();
    const delivery = deliveryFor(faults.filter(isDeliveryFault), answer, run.seed, record.n);
    return writeAnswer(answer, delivery, writing);
  }

  /** Reads the request's body, or as much of it as the faults let through. */
  async #receive(
    head: RequestHead,
    record: OpenRequestRecord,
    faults: readonly Fault[],
    writing: WriteContext,
  ): Promise<'complete' | 'over'> {
    const stop = uploadStop(faults.filter(isDeliveryFault));
    if (/100-continue/i.test(head.headers.expect ?? '') && stop?.atByte !== 0) {
      await this.#wire.write([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')]);
    }
    const hash = createHash('sha256');
    const take = (bytes: Buffer) => {
      record.bodyBytes += bytes.length;
      hash.update(bytes);
    };
    const interruption = stop && { atByte: stop.atByte, happen: () => this.#interrupt(stop.action, writing) };
    const end = await readBody(this.#wire.input, head.headers, take, interruption);
    record.bodySha256 = hash.digest('hex');
    if (end === 'stopped') return 'over';
    if (end === 'complete') return end;
    record.answered.endedBy = 'client';
    if (end === 'malformed') await this.#refuseMalformed('the framing of the body');
    else this.#wire.close('fin');
    return 'over';
  }

  async #interrupt(action: StopAction, writing: WriteContext): Promise<boolean> {
    this.#wire.stopReading();
    const afterwards = await act(action, writing);
    this.#wire.resumeReading();
    return afterwards === 'next';
  }

  #writeContext(run: LiveRun, head: RequestHead, record: OpenRequestRecord): WriteContext {
    return {
      wire: this.#wire,
      head,
      nowMs: this.#host.nowMs(),
      sent: record.answered,
      // A lab that closes lets everyone through to a socket that is gone.
      gate: (name) => run.pass(name).catch(() => {}),
      changed: () => run.signals.changed(),
    };
  }

  async #refuseMalformed(why: string): Promise<Afterwards> {
    const body = `malformed request: ${why}\n`;
    const head = `HTTP/1.1 400 Bad Request\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
    await this.#wire.write([Buffer.from(head + body)]);
    this.#wire.close('fin');
    return 'over';
  }

  async #showPage(head: RequestHead): Promise<Afterwards> {
    if ((await readBody(this.#wire.input, head.headers, () => {})) !== 'complete') {
      this.#wire.close('fin');
      return 'over';
    }
    const { status, contentType, text } = this.#host.pageFor(head.target);
    const answer = plainAnswer(status, contentType, sourceOfText(text));
    return writeAnswer(answer, deliveryFor([], answer, 0, 0), {
      wire: this.#wire,
      head,
      nowMs: this.#host.nowMs(),
      sent: { headersSent: false, bodyBytesSent: 0, endedBy: 'none', complete: false },
      gate: () => Promise.resolve(),
      changed: () => {},
    });
  }

  #leaveRuns(): void {
    for (const [run, record] of this.#records) {
      record.closedAtMs = run.elapsedMs();
      run.openConnections -= 1;
      run.signals.changed();
    }
    this.#records.clear();
  }
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
    ...(token !== null && { token }),
  };
}

/** The URL behind a request target in origin or absolute form; nonsense is the root. */
export function urlOf(target: string): URL {
  return URL.canParse(target, 'http://lab.invalid')
    ? new URL(target, 'http://lab.invalid')
    : new URL('http://lab.invalid/');
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
