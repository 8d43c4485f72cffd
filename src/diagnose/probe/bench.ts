/** Where experiments send from: it counts, keeps to the limits, records everything, and leaves nothing behind. */
import type { Socket } from 'node:net';
import { classify } from '../../core/index.ts';
import { type Clock, sleep } from '../../runtime/index.ts';
import { type Connection, lookUp, makeConnection } from './connection.ts';
import { type ExchangePlan, exchange, type HeaderList, isUnframed, type Reading } from './exchange.ts';
import { exchangeHttp2 } from './exchange-http2.ts';
import { type Lookup, portOf, type Route, type TlsOptions } from './route.ts';
import { symptomOf } from './symptom.ts';
import type { ConnectionTrace, RequestTrace } from './trace.ts';

export interface BenchSettings {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly lookup: Lookup;
  readonly tls: TlsOptions | undefined;
  readonly maxRequests: number;
  readonly maxBytes: number;
  readonly onRequest: (request: RequestTrace) => void;
}

export interface Ask {
  readonly label: string;
  readonly method: string;
  readonly headers: HeaderList;
  readonly body?: Buffer | undefined;
  readonly read?: Partial<Reading>;
}

/** A server that thinks for longer is called silent. */
const HEADERS_MS = 6_000;
const READ_MS = 3_000;
const READ_BYTES = 16 * 1_024 * 1_024;

/** No request is left; what was running is not a finding. */
export class RequestsSpentError extends Error {
  constructor() {
    super('the number of requests is spent');
  }
}

export class Bench {
  readonly connections: ConnectionTrace[] = [];
  readonly requests: RequestTrace[] = [];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly startedWallMs: number;
  readonly #settings: BenchSettings;
  readonly #sockets = new Set<Socket>();
  readonly #startedMs: number;
  #tries = 0;
  #requestCount = 0;
  #bytesRead = 0;
  /** The experiment that runs. */
  experiment = '';
  /** How many bytes a body of the subject has, where that is known: one that nothing delimits may end before. */
  fullBytes: number | undefined;

  constructor(settings: BenchSettings) {
    this.#settings = settings;
    this.clock = settings.clock;
    this.signal = settings.signal;
    this.#startedMs = settings.clock.nowMs();
    this.startedWallMs = settings.clock.wallMs();
  }

  readonly sinceStartMs = (): number => this.clock.nowMs() - this.#startedMs;

  /** Requests that went onto a wire, those of other clients included. */
  get requestCount(): number {
    return this.#requestCount;
  }

  get requestsLeft(): number {
    return this.#settings.maxRequests - this.#requestCount;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesLeft(): number {
    return this.#settings.maxBytes - this.#bytesRead;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Counts one request of whoever sends it. @throws RequestsSpentError */
  take(): void {
    if (this.#requestCount >= this.#settings.maxRequests) throw new RequestsSpentError();
    this.#requestCount += 1;
  }

  readonly countBytes = (bytes: number): boolean => {
    this.#bytesRead += bytes;
    return this.bytesLeft > 0;
  };

  /** Hears the abort, which a lookup itself does not. */
  lookUp(host: string): Promise<readonly string[]> {
    return lookUp(host, this.#settings);
  }

  connect(route: Route): Promise<Connection> {
    const trace: ConnectionTrace = {
      n: this.connections.length + 1,
      experiment: this.experiment,
      startedMs: this.sinceStartMs(),
      requests: [],
      ...(route.proxy === undefined ? {} : { proxy: route.proxy.url.host }),
    };
    this.connections.push(trace);
    const { clock, signal, lookup, tls } = this.#settings;
    return makeConnection(route, trace, {
      clock,
      signal,
      lookup,
      tls,
      keep: this.#keep,
      sinceStartMs: this.sinceStartMs,
    });
  }

  /** Sends one request on a connection; where that was not made, tells why in the same shape. */
  async ask(connection: Connection, ask: Ask): Promise<RequestTrace> {
    const { trace: line, route, socket } = connection;
    const request = this.#begin(line, ask);
    if (socket === undefined) {
      request.failure = line.failure!;
      request.endedMs = line.endedMs ?? this.sinceStartMs();
    } else if (socket.destroyed || line.endedBy !== undefined) {
      const error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      request.failure = classify({ phase: 'wait', error, unsent: true, reusedSocket: true, answered: false });
      request.endedMs = this.sinceStartMs();
    } else {
      this.take();
      const plan = this.#planFor(route, ask);
      const host = {
        clock: this.clock,
        signal: this.signal,
        sinceStartMs: this.sinceStartMs,
        countBytes: this.countBytes,
      };
      const isHttp2 = line.tls?.alpn === 'h2';
      if (isHttp2) await exchangeHttp2(socket, route.url.origin, plan, request, host);
      else await exchange(socket, plan, request, host);
    }
    if (endsEarly(request, ask, this.fullBytes)) markCut(request, this.fullBytes);
    request.symptom = symptomOf(request, route.url.pathname, route.proxy !== undefined && line.securedMs === undefined);
    if (request.symptom === 'ok' && request.onConnection === 1 && wasRetransmitted(line))
      request.symptom = 'slow-connect';
    this.#settings.onRequest(request);
    return request;
  }

  /** One request on a connection of its own. */
  async once(route: Route, ask: Ask): Promise<RequestTrace> {
    const connection = await this.connect(route);
    try {
      return await this.ask(connection, ask);
    } finally {
      this.end(connection);
    }
  }

  /** Until this has happened, or so long; neither leaves a timer. Rejects by the abort. */
  within(happened: Promise<void>, limitMs: number): Promise<void> {
    const over = new AbortController();
    const waiting = sleep(this.clock, Math.max(1, limitMs), AbortSignal.any([this.signal, over.signal]));
    const done = happened.then(() => over.abort());
    return Promise.race([done, waiting]).catch((error: unknown) => {
      // The wait was ended by what happened.
      if (this.signal.aborted) throw error;
    });
  }

  /** We have seen enough of it. */
  end({ socket, trace }: Connection): void {
    if (socket === undefined) return;
    if (trace.endedBy === undefined) {
      trace.endedBy = 'us';
      trace.endedMs = this.sinceStartMs();
    }
    socket.destroy();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  readonly #keep = (socket: Socket): void => {
    this.#sockets.add(socket);
    // The last listener of all: whatever a socket says when nobody asks it any more ends here.
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  };

  #begin(line: ConnectionTrace, { label, method }: Ask): RequestTrace {
    this.#tries += 1;
    const request: RequestTrace = {
      n: this.#tries,
      experiment: this.experiment,
      label,
      method,
      connectionNumber: line.n,
      onConnection: line.requests.length + 1,
      startedMs: line.requests.length === 0 ? line.startedMs : this.sinceStartMs(),
      atWallMs: this.clock.wallMs(),
      bodyBytes: 0,
      hasAnswerBytes: false,
      isComplete: false,
      isCutByUs: false,
      start: new Uint8Array(),
      symptom: 'ok',
    };
    line.requests.push(request);
    this.requests.push(request);
    return request;
  }

  #planFor({ url, proxy }: Route, { method, headers, body, read }: Ask): ExchangePlan {
    const isAbsolute = proxy !== undefined && url.protocol === 'http:';
    const login =
      isAbsolute && proxy.authorization !== undefined ? [['Proxy-Authorization', proxy.authorization] as const] : [];
    const host = url.port === '' ? url.hostname : `${url.hostname}:${portOf(url)}`;
    return {
      method,
      target: isAbsolute ? `${url.origin}${url.pathname}${url.search}` : `${url.pathname}${url.search}`,
      headers: [
        ...(headers.some(([name]) => /^host$/i.test(name)) ? [] : [['Host', host] as const]),
        ...headers,
        ...login,
      ],
      body,
      headersMs: HEADERS_MS,
      read: { maxMs: READ_MS, ...read, maxBytes: Math.max(1, Math.min(read?.maxBytes ?? READ_BYTES, this.bytesLeft)) },
    };
  }
}

/** It looks whole, as nothing delimits it, and others were longer. */
function endsEarly(request: RequestTrace, { headers }: Ask, fullBytes: number | undefined): boolean {
  if (fullBytes === undefined || request.status !== 200 || request.method !== 'GET' || !request.isComplete)
    return false;
  const isPart = headers.some(([name]) => /^range$/i.test(name));
  return !isPart && isUnframed(request) && request.bodyBytes > 0 && request.bodyBytes < fullBytes;
}

/** It has become known that this body was cut without a sign. */
export function markCut(request: RequestTrace, totalBytes: number | undefined): void {
  const error = Object.assign(new Error('Parse Error: Data after end'), { code: 'HPE_INVALID_EOF_STATE' });
  const { code: _, ...failure } = classify({
    phase: 'body',
    error,
    unsent: false,
    reusedSocket: false,
    answered: true,
  });
  request.failure = { ...failure, what: 'the body ended without a sign' };
  request.symptom = 'cut-in-body';
  request.isComplete = false;
  if (totalBytes !== undefined) request.totalBytes = totalBytes;
}

/** The first retransmission of a SYN comes after 1 s (RFC 6298 2.1), less what timers are early. */
export const RETRANSMITTED_MS = 950;

/** TCP repeats a lost SYN after 1, 3 and 7 s; a slow way takes any time. */
function wasRetransmitted({ lookedUpMs, connectedMs }: ConnectionTrace): boolean {
  const tookMs = (connectedMs ?? 0) - (lookedUpMs ?? 0);
  return [1_000, 3_000, 7_000].some((stepMs) => tookMs >= stepMs * 0.95 && tookMs <= stepMs * 1.12 + 150);
}

/** Whether a further request may be sent on the connection of this one. */
export function isReusable(connection: Connection, request: RequestTrace): boolean {
  const { socket, trace } = connection;
  if (socket === undefined || socket.destroyed || trace.endedBy !== undefined || !request.isComplete) return false;
  return keepsAlive(request);
}

/** What the answer says of its connection (RFC 9112 9.3). */
export function keepsAlive({ httpVersion, headers, totalBytes }: RequestTrace): boolean {
  const words = (headers?.connection ?? '').toLowerCase();
  if (/\bclose\b/.test(words)) return false;
  const isFramed = totalBytes !== undefined || /chunked/i.test(headers?.['transfer-encoding'] ?? '');
  return httpVersion === '1.1' ? isFramed : isFramed && /keep-alive/.test(words);
}
