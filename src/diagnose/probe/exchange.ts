/** One HTTP/1.1 request on an open connection, read as the experiment wants it: to the end, slowly, or not yet. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { classify, type Phase, parseLength } from '../../core/index.ts';
import type { Clock, Timer } from '../../runtime/index.ts';
import { ToldDigest } from './told-digest.ts';
import type { RequestTrace } from './trace.ts';

export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface Reading {
  /** Then we have seen enough. */
  readonly maxBytes: number;
  readonly maxMs: number;
  /** The body is left where it is until this has happened. */
  readonly gate?: Promise<void>;
  readonly onHeaders?: () => void;
  /** Nothing is read for so long, once the body has begun. */
  readonly pauseMs?: number;
  readonly bytesPerSecond?: number;
  /** A body that nothing delimits is kept whole. */
  readonly keepsUnframed?: boolean;
}

export interface ExchangePlan {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Buffer | undefined;
  readonly read: Reading;
  readonly headersMs: number;
}

export interface ExchangeHost {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly sinceStartMs: () => number;
  /** Counts bytes of bodies; false when that was the last that may be read. */
  readonly countBytes: (bytes: number) => boolean;
}

/** Silence of a server that has begun to answer; longer ones are no pause. */
export const STALL_MS = 3_000;
/** Whoever has been silent for so long when we have seen enough may be about to stall: that is waited for. */
export const SILENT_MS = 700;
const START_BYTES = 2_048;
const CONTINUE_MS = 1_000;

/** Fills the trace. Rejects only by the abort. */
export function exchange(socket: Socket, plan: ExchangePlan, trace: RequestTrace, host: ExchangeHost): Promise<void> {
  return new Promise((resolve, reject) => {
    const run = new Exchange(socket, plan, trace, host, () => {
      host.signal.removeEventListener('abort', onAbort);
      if (host.signal.aborted) reject(host.signal.reason);
      else resolve();
    });
    const onAbort = () => run.abandon();
    host.signal.addEventListener('abort', onAbort, { once: true });
    run.start();
    if (host.signal.aborted) run.abandon();
  });
}

class Exchange {
  readonly #socket: Socket;
  readonly #plan: ExchangePlan;
  readonly #trace: RequestTrace;
  readonly #host: ExchangeHost;
  readonly #done: () => void;
  readonly #bytesBefore: number;
  #watch: Timer | undefined;
  #limit: Timer | undefined;
  #wait: Timer | undefined;
  #hasEnded = false;
  #start: Buffer[] = [];
  #startBytes = 0;
  #kept: Buffer[] | undefined;
  #digest: ToldDigest | undefined;
  #lastByteMs = 0;
  #isOverdue = false;
  readonly #pace = new Pace();

  constructor(socket: Socket, plan: ExchangePlan, trace: RequestTrace, host: ExchangeHost, done: () => void) {
    this.#socket = socket;
    this.#plan = plan;
    this.#trace = trace;
    this.#host = host;
    this.#done = done;
    this.#bytesBefore = socket.bytesRead;
  }

  start(): void {
    const { method, target, headers, body } = this.#plan;
    let request: ClientRequest;
    try {
      request = httpRequest({
        method,
        path: target,
        headers: headers.flat(),
        createConnection: () => this.#socket,
        // What is sent is what the experiment says, and nothing that Node.js would add.
        ...{ setDefaultHeaders: false },
      });
    } catch (error) {
      this.#fail(error, 'send');
      return;
    }
    // Without an agent Node.js lets go of the socket behind the answer, whatever the header says.
    request.shouldKeepAlive = true;
    request.on('response', (response) => this.#onResponse(response));
    request.on('error', (error) => this.#fail(error, this.#trace.status === undefined ? 'wait' : 'body'));
    request.on('upgrade', () =>
      this.#fail(Object.assign(new Error('an upgrade nobody asked for'), { code: 'HPE_INVALID_CONSTANT' }), 'wait'),
    );
    this.#expect(this.#plan.headersMs, 'ERR_REKNIT_HEADERS_TIMEOUT', 'the answer');
    const expects = headers.some(([name, value]) => /^expect$/i.test(name) && /100-continue/i.test(value));
    if (!expects) request.end(body);
    else {
      request.flushHeaders();
      // RFC 9110 10.1.1: whoever waited long enough sends the body all the same.
      this.#wait = this.#host.clock.after(CONTINUE_MS, () => request.end(body));
      request.once('continue', () => {
        this.#wait?.cancel();
        request.end(body);
      });
    }
  }

  abandon(): void {
    this.#trace.isCutByUs = true;
    this.#end();
    this.#socket.destroy();
  }

  #onResponse(response: IncomingMessage): void {
    const { read } = this.#plan;
    const trace = this.#trace;
    trace.status = response.statusCode ?? 0;
    trace.httpVersion = response.httpVersion;
    trace.headersMs = this.#host.sinceStartMs();
    this.#lastByteMs = trace.headersMs;
    trace.headers = flatten(response.headers);
    const total = trace.headers['content-length'];
    const length = total === undefined ? undefined : parseLength(total);
    if (length !== undefined) trace.totalBytes = length;
    const hasBody = trace.method !== 'HEAD' && trace.status !== 204 && trace.status !== 304;
    // A part of a coded body cannot be decoded by itself.
    const coding = hasBody && trace.status !== 206 ? trace.headers['content-encoding'] : undefined;
    const check = checkOf(coding, (error) => this.#fail(error, 'body'));
    this.#limit = this.#host.clock.after(read.maxMs, () => this.#stopReading());
    if (trace.method === 'GET') this.#digest = ToldDigest.of(trace.status, trace.headers);
    if (read.keepsUnframed === true && hasBody && isUnframed(trace)) this.#kept = [];
    this.#expectBody();
    read.onHeaders?.();
    response.on('data', (chunk: Buffer) => this.#onChunk(chunk, response, check));
    response.on('end', () => this.#onEnd(response, check));
    response.on('error', (error) => this.#fail(error, 'body'));
    response.on('close', () => {
      if (!response.complete) this.#fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }), 'body');
    });
    if (read.gate !== undefined || read.pauseMs !== undefined) this.#hold(response, read);
  }

  #hold(response: IncomingMessage, { gate, pauseMs }: Reading): void {
    response.pause();
    this.#watch?.cancel();
    const goOn = () => {
      if (this.#hasEnded) return;
      this.#expectBody();
      response.resume();
    };
    if (gate !== undefined) void gate.then(goOn);
    else this.#wait = this.#host.clock.after(pauseMs ?? 0, goOn);
  }

  #onChunk(chunk: Buffer, response: IncomingMessage, check: Check | undefined): void {
    if (this.#hasEnded) return;
    this.#trace.bodyBytes += chunk.length;
    if (this.#startBytes < START_BYTES) {
      this.#start.push(chunk.subarray(0, START_BYTES - this.#startBytes));
      this.#startBytes += chunk.length;
    }
    this.#kept?.push(chunk);
    this.#digest?.take(chunk);
    check?.write(chunk);
    const mayGoOn = this.#host.countBytes(chunk.length);
    this.#lastByteMs = this.#host.sinceStartMs();
    this.#pace.take(this.#lastByteMs, this.#trace.bodyBytes);
    if (this.#isOverdue || !mayGoOn || this.#trace.bodyBytes >= this.#plan.read.maxBytes) {
      if (this.#trace.bodyBytes !== this.#trace.totalBytes) this.#enough();
      return;
    }
    this.#expectBody();
    const { bytesPerSecond } = this.#plan.read;
    if (bytesPerSecond === undefined) return;
    response.pause();
    const waitMs = (chunk.length / bytesPerSecond) * 1_000;
    this.#watch?.cancel();
    this.#watch = this.#host.clock.after(waitMs, () => {
      this.#expectBody();
      response.resume();
    });
  }

  #onEnd(response: IncomingMessage, check: Check | undefined): void {
    if (!response.complete) return;
    // Every byte is here; what is left is our own work.
    this.#watch?.cancel();
    this.#limit?.cancel();
    if (check === undefined) this.#complete();
    else check.end(() => this.#complete());
  }

  #complete(): void {
    if (this.#hasEnded) return;
    if (this.#digest?.isRight() === false) {
      this.#fail(Object.assign(new Error('incorrect data check'), { code: 'Z_DATA_ERROR' }), 'body');
      if (this.#trace.failure !== undefined)
        this.#trace.failure = { ...this.#trace.failure, what: 'the content is another one than its digest says' };
      return;
    }
    this.#trace.isComplete = true;
    this.#end();
  }

  #stopReading(): void {
    this.#isOverdue = true;
    if (this.#pace.isTrickle(this.#host.sinceStartMs(), this.#trace)) {
      const error = Object.assign(new Error('bytes came too slowly'), { code: 'ERR_REKNIT_TRICKLE' });
      this.#fail(error, 'body');
    } else if (this.#host.sinceStartMs() - this.#lastByteMs < SILENT_MS) this.#enough();
  }

  /** We stop; a connection with an unread body serves nobody any more. */
  #enough(): void {
    if (this.#hasEnded) return;
    this.#trace.isCutByUs = true;
    this.#end();
    this.#socket.destroy();
  }

  #fail(error: unknown, phase: Phase): void {
    if (this.#hasEnded) return;
    const answered = this.#trace.status !== undefined || this.#socket.bytesRead > this.#bytesBefore;
    this.#trace.hasAnswerBytes = answered;
    const reusedSocket = this.#trace.onConnection > 1;
    this.#trace.failure = classify({ phase, error, unsent: false, reusedSocket, answered });
    this.#end();
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#watch?.cancel();
    this.#limit?.cancel();
    this.#wait?.cancel();
    this.#trace.endedMs = this.#host.sinceStartMs();
    this.#trace.start = Buffer.concat(this.#start);
    if (this.#kept !== undefined && this.#trace.isComplete) this.#trace.kept = Buffer.concat(this.#kept);
    this.#done();
  }

  #expectBody(): void {
    this.#expect(STALL_MS, 'ERR_REKNIT_STALL', 'the next byte');
  }

  #expect(limitMs: number, code: string, what: string): void {
    this.#watch?.cancel();
    this.#watch = this.#host.clock.after(limitMs, () => {
      const error = Object.assign(new Error(`${what} took longer than ${limitMs} ms`), { code });
      this.#fail(error, code === 'ERR_REKNIT_STALL' ? 'body' : 'wait');
    });
  }
}

function flatten(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

const WINDOW_MS = 1_000;
const LEAST_BYTES_PER_SECOND = 1_000;

/** How fast a body has come of late. */
export class Pace {
  #marks: readonly { readonly ms: number; readonly bytes: number }[] = [];

  take(ms: number, bytes: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || ms - last.ms >= WINDOW_MS) this.#marks = [...this.#marks, { ms, bytes }].slice(-3);
  }

  /** It was faster before, and now it hardly moves; a stream of events is slow by nature. */
  isTrickle(nowMs: number, { bodyBytes, totalBytes, headers = {} }: RequestTrace): boolean {
    const isLive = /^(?:text\/event-stream|multipart\/x-mixed-replace)/i.test(headers['content-type'] ?? '');
    const before = this.#marks.findLast(({ ms }) => nowMs - ms >= WINDOW_MS);
    if (isLive || before === undefined || totalBytes === undefined || bodyBytes === before.bytes) return false;
    const rate = ((bodyBytes - before.bytes) / (nowMs - before.ms)) * 1_000;
    return rate < LEAST_BYTES_PER_SECOND && before.bytes > 10 * LEAST_BYTES_PER_SECOND;
  }
}

/** Neither a length, nor chunks, nor a coding with an end of its own: only the end of its connection, or of its stream, ends it. */
export function isUnframed({ totalBytes, headers = {} }: RequestTrace): boolean {
  const isChunked = /chunked/i.test(headers['transfer-encoding'] ?? '');
  return totalBytes === undefined && !isChunked && headers['content-encoding'] === undefined;
}

export interface Check {
  write(chunk: Buffer): void;
  end(then: () => void): void;
}

/** Whether a coded body can be decoded; what comes out is thrown away. */
export function checkOf(coding: string | undefined, onError: (error: unknown) => void): Check | undefined {
  const decoder =
    coding === 'gzip' || coding === 'x-gzip'
      ? createGunzip()
      : coding === 'deflate'
        ? createInflate()
        : coding === 'br'
          ? createBrotliDecompress()
          : undefined;
  if (decoder === undefined) return undefined;
  decoder.on('error', onError).resume();
  return {
    write: (chunk) => void decoder.write(chunk),
    end: (then) => {
      decoder.once('end', then);
      decoder.end();
    },
  };
}
