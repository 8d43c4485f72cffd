/** One request over HTTP/2, on a session of its own. */
import { connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { classify, type Phase, parseLength } from '../../core/index.ts';
import type { Timer } from '../../runtime/index.ts';
import type { ExchangeHost, ExchangePlan } from './exchange.ts';
import type { RequestTrace } from './trace.ts';

const STALL_MS = 3_000;
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
    let watch: Timer | undefined;
    let limit: Timer | undefined;
    let hasEnded = false;
    const end = () => {
      if (hasEnded) return;
      hasEnded = true;
      watch?.cancel();
      limit?.cancel();
      host.signal.removeEventListener('abort', onAbort);
      trace.endedMs = host.sinceStartMs();
      session.destroy();
      if (host.signal.aborted) reject(host.signal.reason);
      else resolve();
    };
    const onAbort = () => {
      trace.isCutByUs = true;
      end();
    };
    const fail = (error: unknown, phase: Phase) => {
      if (hasEnded) return;
      trace.hasAnswerBytes = trace.status !== undefined;
      trace.failure = classify({ phase, error, unsent: false, reusedSocket: false, answered: trace.hasAnswerBytes });
      end();
    };
    const expect = (limitMs: number, code: string) => {
      watch?.cancel();
      watch = host.clock.after(limitMs, () => {
        fail(Object.assign(new Error(`nothing came for ${limitMs} ms`), { code }), phase());
      });
    };
    const phase = (): Phase => (trace.status === undefined ? 'wait' : 'body');
    host.signal.addEventListener('abort', onAbort, { once: true });
    session.on('error', (error) => fail(error, phase()));
    session.on('goaway', (code) => {
      if (code !== constants.NGHTTP2_NO_ERROR) fail(http2Error(code), phase());
    });
    session.on('close', () => fail(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), phase()));
    const { pathname, search } = new URL(plan.target, origin);
    const stream = session.request(
      {
        ':method': plan.method,
        ':path': `${pathname}${search}`,
        ...Object.fromEntries(
          plan.headers.filter(([name]) => !notInHttp2.test(name)).map(([name, value]) => [name.toLowerCase(), value]),
        ),
      },
      { endStream: plan.body === undefined },
    );
    if (plan.body !== undefined) stream.end(plan.body);
    expect(plan.headersMs, 'ERR_REKNIT_HEADERS_TIMEOUT');
    stream.on('response', (headers) => {
      trace.status = Number(headers[':status'] ?? 0);
      trace.httpVersion = '2';
      trace.headersMs = host.sinceStartMs();
      trace.headers = Object.fromEntries(
        Object.entries(headers).flatMap(([name, value]) =>
          name.startsWith(':') || value === undefined ? [] : [[name, String(value)]],
        ),
      );
      const length = parseLength(trace.headers['content-length'] ?? '');
      if (length !== undefined) trace.totalBytes = length;
      limit = host.clock.after(plan.read.maxMs, () => {
        trace.isCutByUs = true;
        end();
      });
      expect(STALL_MS, 'ERR_REKNIT_STALL');
    });
    stream.on('data', (chunk: Buffer) => {
      if (trace.start.length < START_BYTES) {
        trace.start = Buffer.concat([trace.start, chunk.subarray(0, START_BYTES - trace.start.length)]);
      }
      trace.bodyBytes += chunk.length;
      if (!host.countBytes(chunk.length) || trace.bodyBytes >= plan.read.maxBytes) {
        if (trace.bodyBytes === trace.totalBytes) return;
        trace.isCutByUs = true;
        end();
      } else expect(STALL_MS, 'ERR_REKNIT_STALL');
    });
    stream.on('error', (error) => fail(error, phase()));
    // Node.js calls a stream that was reset with NO_ERROR or CANCEL, or whose connection went, an orderly end.
    stream.on('end', () => {
      const { rstCode } = stream;
      if (trace.totalBytes !== undefined && trace.bodyBytes < trace.totalBytes && plan.method !== 'HEAD') {
        fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }), 'body');
      } else if (rstCode !== undefined && rstCode !== 0) fail(http2Error(rstCode), phase());
      else {
        trace.isComplete = true;
        trace.hasAnswerBytes = true;
        end();
      }
    });
    stream.on('close', () => fail(http2Error(stream.rstCode ?? 0), phase()));
    if (host.signal.aborted) onAbort();
  });
}

function http2Error(code: number): Error {
  const name = Object.entries(constants).find(
    ([key, value]) => value === code && /^NGHTTP2_[A-Z_]+$/.test(key) && isErrorName(key),
  )?.[0];
  return Object.assign(new Error(`Stream closed with error code ${name ?? code}`), { code: 'ERR_HTTP2_STREAM_ERROR' });
}

const errorNames = new Set(
  [
    'NO_ERROR',
    'PROTOCOL_ERROR',
    'INTERNAL_ERROR',
    'FLOW_CONTROL_ERROR',
    'SETTINGS_TIMEOUT',
    'STREAM_CLOSED',
    'FRAME_SIZE_ERROR',
    'REFUSED_STREAM',
    'CANCEL',
    'COMPRESSION_ERROR',
    'CONNECT_ERROR',
    'ENHANCE_YOUR_CALM',
    'INADEQUATE_SECURITY',
    'HTTP_1_1_REQUIRED',
  ].map((name) => `NGHTTP2_${name}`),
);

function isErrorName(name: string): boolean {
  return errorNames.has(name);
}
