/** One request over HTTP/2, on a session of its own; the body is read at once, as far as the plan says. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import { classify, http2CodeNames, type Phase, parseLength } from '../../core/index.ts';
import type { Timer } from '../../runtime/index.ts';
import {
  type Check,
  checkOf,
  type ExchangeHost,
  type ExchangePlan,
  isUnframed,
  SILENT_MS,
  STALL_MS,
} from './exchange.ts';
import type { RequestTrace } from './trace.ts';

const START_BYTES = 2_048;

/** Fields of a connection, which HTTP/2 forbids (RFC 9113 8.2.2), and what has a pseudo-field. */
const notInHttp2 = /^(?:host|connection|keep-alive|proxy-connection|transfer-encoding|upgrade|expect)$/i;

/** Fills the trace. Rejects only by the abort. */
export function exchangeHttp2(
  socket: Socket,
  origin: string,
  plan: ExchangePlan,
  trace: RequestTrace,
  host: ExchangeHost,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = connect(origin, { createConnection: () => socket });
    const run = new StreamExchange(session, plan, trace, host, () => {
      host.signal.removeEventListener('abort', onAbort);
      if (host.signal.aborted) reject(host.signal.reason);
      else resolve();
    });
    const onAbort = () => run.enough();
    host.signal.addEventListener('abort', onAbort, { once: true });
    run.start(origin);
    if (host.signal.aborted) run.enough();
  });
}

class StreamExchange {
  readonly #session: ClientHttp2Session;
  readonly #plan: ExchangePlan;
  readonly #trace: RequestTrace;
  readonly #host: ExchangeHost;
  readonly #done: () => void;
  #watch: Timer | undefined;
  #limit: Timer | undefined;
  #hasEnded = false;
  #lastByteMs = 0;
  #isOverdue = false;
  #check: Check | undefined;
  #kept: Buffer[] | undefined;

  constructor(
    session: ClientHttp2Session,
    plan: ExchangePlan,
    trace: RequestTrace,
    host: ExchangeHost,
    done: () => void,
  ) {
    this.#session = session;
    this.#plan = plan;
    this.#trace = trace;
    this.#host = host;
    this.#done = done;
  }

  start(origin: string): void {
    this.#session.on('error', (error) => this.#fail(error));
    this.#session.on('goaway', (code) => {
      if (code !== constants.NGHTTP2_NO_ERROR) this.#fail(http2Error(code));
    });
    this.#session.on('close', () => this.#fail(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })));
    const { method, target, headers, body, headersMs } = this.#plan;
    const { pathname, search } = new URL(target, origin);
    const fields = headers
      .filter(([name]) => !notInHttp2.test(name))
      .map(([name, value]) => [name.toLowerCase(), value]);
    const stream = this.#session.request(
      { ':method': method, ':path': `${pathname}${search}`, ...Object.fromEntries(fields) },
      { endStream: body === undefined },
    );
    if (body !== undefined) stream.end(body);
    this.#expect(headersMs, 'ERR_REKNIT_HEADERS_TIMEOUT');
    stream.on('response', (answer) => this.#onResponse(answer, stream));
    stream.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    stream.on('error', (error) => this.#fail(error));
    stream.on('end', () => this.#onEnd(stream));
    stream.on('close', () => this.#fail(http2Error(stream.rstCode ?? 0)));
  }

  /** We stop: by the abort, or because we have seen what we wanted. */
  enough(): void {
    if (this.#hasEnded) return;
    this.#trace.isCutByUs = true;
    this.#end();
  }

  /** Who has been silent for a while may be about to stall: that is waited for. */
  #stopReading(): void {
    this.#isOverdue = true;
    if (this.#host.sinceStartMs() - this.#lastByteMs < SILENT_MS) this.enough();
  }

  get #phase(): Phase {
    return this.#trace.status === undefined ? 'wait' : 'body';
  }

  #onResponse(answer: IncomingHttpHeaders, stream: ClientHttp2Stream): void {
    const trace = this.#trace;
    trace.status = Number(answer[':status'] ?? 0);
    trace.httpVersion = '2';
    trace.headersMs = this.#host.sinceStartMs();
    trace.hasAnswerBytes = true;
    trace.headers = Object.fromEntries(
      Object.entries(answer).flatMap(([name, value]) =>
        name.startsWith(':') || value === undefined ? [] : [[name, String(value)]],
      ),
    );
    const length = parseLength(trace.headers['content-length'] ?? '');
    if (length !== undefined) trace.totalBytes = length;
    const coding = trace.method === 'HEAD' || trace.status === 206 ? undefined : trace.headers['content-encoding'];
    this.#check = checkOf(coding, (error) => this.#fail(error));
    if (this.#plan.read.keepsUnframed === true && isUnframed(trace)) this.#kept = [];
    this.#lastByteMs = trace.headersMs;
    this.#limit = this.#host.clock.after(this.#plan.read.maxMs, () => this.#stopReading());
    this.#plan.read.onHeaders?.();
    this.#expect(STALL_MS, 'ERR_REKNIT_STALL');
    const { gate } = this.#plan.read;
    if (gate === undefined) return;
    stream.pause();
    this.#watch?.cancel();
    void gate.then(() => {
      if (this.#hasEnded) return;
      this.#expect(STALL_MS, 'ERR_REKNIT_STALL');
      stream.resume();
    });
  }

  #onChunk(chunk: Buffer): void {
    const trace = this.#trace;
    if (trace.start.length < START_BYTES) {
      trace.start = Buffer.concat([trace.start, chunk.subarray(0, START_BYTES - trace.start.length)]);
    }
    trace.bodyBytes += chunk.length;
    this.#kept?.push(chunk);
    this.#check?.write(chunk);
    const mayGoOn = this.#host.countBytes(chunk.length) && !this.#isOverdue;
    this.#lastByteMs = this.#host.sinceStartMs();
    if (mayGoOn && trace.bodyBytes < this.#plan.read.maxBytes) {
      this.#expect(STALL_MS, 'ERR_REKNIT_STALL');
    } else if (trace.bodyBytes !== trace.totalBytes) this.enough();
  }

  /** Node.js calls a stream that was reset with NO_ERROR or CANCEL, or whose connection went, an orderly end. */
  #onEnd({ rstCode = 0 }: ClientHttp2Stream): void {
    const { totalBytes, bodyBytes } = this.#trace;
    if (totalBytes !== undefined && bodyBytes < totalBytes && this.#plan.method !== 'HEAD') {
      this.#fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    } else if (rstCode !== 0) this.#fail(http2Error(rstCode));
    else {
      // Every byte is here; what is left is our own work.
      this.#watch?.cancel();
      this.#limit?.cancel();
      if (this.#check === undefined) this.#complete();
      else this.#check.end(() => this.#complete());
    }
  }

  #complete(): void {
    if (this.#hasEnded) return;
    this.#trace.isComplete = true;
    if (this.#kept !== undefined) this.#trace.kept = Buffer.concat(this.#kept);
    this.#end();
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return;
    const answered = this.#trace.status !== undefined;
    this.#trace.failure = classify({ phase: this.#phase, error, unsent: false, reusedSocket: false, answered });
    this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#watch?.cancel();
    this.#limit?.cancel();
    this.#trace.endedMs = this.#host.sinceStartMs();
    this.#session.destroy();
    this.#done();
  }

  #expect(limitMs: number, code: string): void {
    this.#watch?.cancel();
    this.#watch = this.#host.clock.after(limitMs, () =>
      this.#fail(Object.assign(new Error(`nothing came for ${limitMs} ms`), { code })),
    );
  }
}

function http2Error(code: number): Error {
  const name = http2CodeNames[code] === undefined ? String(code) : `NGHTTP2_${http2CodeNames[code]}`;
  return Object.assign(new Error(`Stream closed with error code ${name}`), { code: 'ERR_HTTP2_STREAM_ERROR' });
}
