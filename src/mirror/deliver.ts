/** Hands one content to one client: at the client's pace, and with an end only where the content has one. */
import type { IncomingMessage } from 'node:http';
import type { ClientAnswer } from '../gateway/index.ts';
import type { Content, Hold } from './content.ts';
import { first, type Head, passedFields } from './head.ts';

const READ_BYTES = 262_144;

export interface Delivery {
  readonly request: IncomingMessage;
  readonly answer: ClientAnswer;
  readonly content: Content;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

export type DeliveryEnd = 'complete' | 'broken' | 'client-left';

/** @throws what the content failed with, where nothing was told to the client yet */
export async function deliver(delivery: Delivery): Promise<DeliveryEnd> {
  const { content, signal } = delivery;
  const hold = content.hold();
  const onAbort = () => hold.release();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const head = await content.head;
    if (signal.aborted) return 'client-left';
    return await send(delivery, head, hold);
  } finally {
    signal.removeEventListener('abort', onAbort);
    hold.release();
  }
}

async function send(delivery: Delivery, head: Head, hold: Hold): Promise<DeliveryEnd> {
  const { request, answer, content } = delivery;
  const fields = [...passedFields(head), 'x-reknit-cache', content.from];
  const isBodiless = head.status === 204 || head.status === 304;
  if (isNotModified(request, head)) {
    answer.start({ status: 304, fields, isUnmarked: false });
    answer.end();
    return 'complete';
  }
  const lengthBytes = content.lengthBytes ?? head.lengthBytes;
  const span = isBodiless ? { kind: 'whole' as const } : askedSpan(request, head, lengthBytes);
  if (span.kind === 'unsatisfiable') {
    answer.start({
      status: 416,
      fields: ['content-range', `bytes */${lengthBytes}`, 'content-length', '0'],
      isUnmarked: false,
    });
    answer.end();
    return 'complete';
  }
  const from = span.kind === 'part' ? span.from : 0;
  const to = span.kind === 'part' ? span.to : Number.POSITIVE_INFINITY;
  if (head.status === 200 && lengthBytes !== undefined) fields.push('accept-ranges', 'bytes');
  if (span.kind === 'part') {
    fields.push('content-range', `bytes ${from}-${to - 1}/${lengthBytes}`, 'content-length', String(to - from));
  } else if (lengthBytes !== undefined && !isBodiless) fields.push('content-length', String(lengthBytes));
  const isUnmarked = lengthBytes === undefined && request.httpVersionMinor === 0;
  answer.start({ status: span.kind === 'part' ? 206 : head.status, fields, isUnmarked });
  if (request.method === 'HEAD' || isBodiless) {
    answer.end();
    return 'complete';
  }
  return await sendBytes(delivery, hold, from, to);
}

async function sendBytes(
  { answer, content, signal }: Delivery,
  hold: Hold,
  from: number,
  to: number,
): Promise<DeliveryEnd> {
  hold.at = from;
  try {
    while (!signal.aborted) {
      if (hold.isMisled) {
        answer.cut();
        return 'broken';
      }
      const end = Math.min(content.releasedBytes, to);
      if (hold.at < end) {
        const reading = content.read(hold.at, Math.min(READ_BYTES, end - hold.at));
        const bytes = reading instanceof Promise ? await reading : reading;
        if (signal.aborted) break;
        const goesOn = answer.write(bytes);
        hold.at += bytes.length;
        if (!goesOn) await room(answer, signal);
      } else if (hold.at >= to || content.state === 'whole') {
        answer.end();
        return 'complete';
      } else if (content.state === 'failed') {
        answer.cut();
        return 'broken';
      } else await content.news();
    }
  } catch {
    // Our own disk: the client must not take what it has for all.
    answer.cut();
    return 'broken';
  }
  return 'client-left';
}

function room(answer: ClientAnswer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done, { once: true });
    answer.onRoom(done);
  });
}

/** RFC 9110, 13.1: what the client has is still right. */
function isNotModified({ headers, method }: IncomingMessage, head: Head): boolean {
  if (head.status !== 200 || (method !== 'GET' && method !== 'HEAD')) return false;
  const etag = first(head.headers, 'etag');
  const asked = headers['if-none-match'];
  if (asked !== undefined) {
    if (asked.trim() === '*') return true;
    return etag !== undefined && asked.split(',').some((one) => opaque(one) === opaque(etag));
  }
  const since = Date.parse(headers['if-modified-since'] ?? '');
  const modified = Date.parse(first(head.headers, 'last-modified') ?? '');
  return modified <= since;
}

function opaque(etag: string): string {
  return etag.trim().replace(/^W\//, '');
}

type Span =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly from: number; readonly to: number }
  | { readonly kind: 'unsatisfiable' };

/** One range of a body whose length is known; anything else is answered with the whole, as RFC 9110, 14.2 allows. */
function askedSpan({ headers, method }: IncomingMessage, head: Head, lengthBytes: number | undefined): Span {
  const whole: Span = { kind: 'whole' };
  const [, start, stop] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '') ?? [];
  if (method !== 'GET' || head.status !== 200 || lengthBytes === undefined || start === undefined) return whole;
  if (start === '' && stop === '') return whole;
  const condition = headers['if-range'];
  if (condition !== undefined && !isSameVersion(String(condition), head)) return whole;
  const from = start === '' ? Math.max(0, lengthBytes - Number(stop)) : Number(start);
  const to = start === '' || stop === '' ? lengthBytes : Math.min(lengthBytes, Number(stop) + 1);
  if (from >= lengthBytes) return { kind: 'unsatisfiable' };
  return from < to ? { kind: 'part', from, to } : whole;
}

function isSameVersion(condition: string, { headers }: Head): boolean {
  const etag = first(headers, 'etag');
  if (condition.startsWith('"')) return condition === etag;
  return !condition.startsWith('W/') && condition === first(headers, 'last-modified');
}
