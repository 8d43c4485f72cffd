/**
 * The server of the simulation: what a right origin answers, and how it lies when told to. It shares no code with the
 * client, so that it can judge it.
 */
import type { Change, Fault, Framing, Lie, Representation } from './schedule.ts';

export interface WireRequest {
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
  readonly framing: Framing | 'none';
  /** The version that it speaks of, if any. */
  readonly versionIndex: number | undefined;
}

const poolBytes = 400_000;

function noise(seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(poolBytes);
  let state = seed | 1;
  for (let i = 0; i < poolBytes; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

const pools = [noise(0x1234567), noise(0x2345671), noise(0x3456712)];

/** The versions of one representation, as the schedule's changes make them. */
export function makeVersions(representation: Representation, changes: readonly Change[], placeBytes: number): Buffer[] {
  const versions = [pools[0]!.subarray(0, representation.bytes)];
  for (const [index, change] of changes.entries()) {
    versions.push(nextVersion(versions[index]!, pools[index + 1]!, change.how, placeBytes));
  }
  return versions;
}

function nextVersion(before: Buffer, pool: Buffer, how: Change['how'], placeBytes: number): Buffer {
  switch (how) {
    case 'other':
      return pool.subarray(0, before.length);
    case 'other-length':
      return pool.subarray(0, before.length + 37);
    case 'grown':
      return Buffer.concat([before, pool.subarray(0, 1_000)]);
    case 'tail': {
      const half = before.length >> 1;
      return Buffer.concat([before.subarray(0, half), pool.subarray(half, before.length)]);
    }
    case 'tail-longer': {
      const half = before.length >> 1;
      return Buffer.concat([before.subarray(0, half), pool.subarray(half, before.length + 41)]);
    }
    case 'islands':
      return Buffer.concat([pool.subarray(0, 1_000), before.subarray(1_000, -1_000), pool.subarray(-1_000)]);
    case 'cut-at-place':
      return pool.subarray(0, Math.max(1, Math.min(placeBytes, before.length - 1)));
  }
}

const HOUR_SECONDS = 3_600;
const base = Date.UTC(2026, 0, 1);

function httpDate(seconds: number): string {
  return new Date(base + seconds * 1_000).toUTCString();
}

interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export class ModelServer {
  readonly representation: Representation;
  readonly changes: readonly Change[];
  readonly versions: readonly Buffer[];

  constructor(representation: Representation, changes: readonly Change[], placeBytes: number) {
    this.representation = representation;
    this.changes = changes;
    this.versions = makeVersions(representation, changes, placeBytes);
  }

  versionAt(sendIndex: number): number {
    return this.changes.filter((change) => sendIndex >= change.atSend).length;
  }

  /** @param isContinued the client holds bytes of a body already: only then a foreign answer can be told from the origin's */
  answer(request: WireRequest, sendIndex: number, fault: Fault, isContinued: boolean): Answer {
    if (fault.kind === 'status') return statusAnswer(fault, request.method);
    if (fault.kind === 'redirect') return redirectAnswer(request, fault);
    if (request.method !== 'GET' && request.method !== 'HEAD') return effectAnswer();
    const versionIndex = this.versionAt(sendIndex);
    const right = this.#rightAnswer(request, versionIndex, sendIndex);
    const answer = fault.kind === 'lie' ? this.#lie(fault.how, request, versionIndex, right, isContinued) : right;
    return request.method === 'HEAD' ? { ...answer, body: Buffer.alloc(0), framing: 'none' } : answer;
  }

  #rightAnswer(request: WireRequest, versionIndex: number, sendIndex: number): Answer {
    const whole = this.versions[versionIndex]!;
    const { ranges, framing, againFraming, partFraming } = this.representation;
    const range = readRange(request.headers.get('range'), whole.length);
    const honours = ranges === 'honoured' || ranges === 'if-range-ignored';
    const holds = ranges === 'if-range-ignored' || this.#ifRangeHolds(request.headers.get('if-range'), versionIndex);
    if (range === undefined || !honours || !holds || request.method !== 'GET') {
      return this.#whole(versionIndex, whole, sendIndex === 0 ? framing : againFraming);
    }
    if (range === 'unsatisfiable') return this.#unsatisfied(versionIndex, whole.length);
    const body = whole.subarray(range.first, range.last + 1);
    return this.#part(versionIndex, body, `bytes ${range.first}-${range.last}/${whole.length}`, partFraming);
  }

  #whole(versionIndex: number, body: Buffer, framing: Framing): Answer {
    const headers = this.#headers(versionIndex, true);
    headers.push('accept-ranges', this.representation.ranges === 'refused' ? 'none' : 'bytes');
    return framed({ status: 200, headers, body, framing, versionIndex });
  }

  #part(versionIndex: number, body: Buffer, contentRange: string, framing: Framing): Answer {
    const headers = this.#headers(versionIndex, this.representation.repeatsValidator);
    headers.push('content-range', contentRange);
    return framed({ status: 206, headers, body, framing, versionIndex });
  }

  #unsatisfied(versionIndex: number, totalBytes: number): Answer {
    const headers = [...this.#headers(versionIndex, true), 'content-range', `bytes */${totalBytes}`];
    return framed({ status: 416, headers, body: Buffer.alloc(0), framing: 'length', versionIndex });
  }

  get #tellsLength(): boolean {
    return this.representation.framing === 'length' && this.representation.againFraming === 'length';
  }

  #validators(versionIndex: number): Validators {
    const { validator } = this.representation;
    const old = httpDate(-30 * 24 * HOUR_SECONDS + versionIndex * HOUR_SECONDS);
    switch (validator) {
      case 'strong':
        return { etag: `"v${versionIndex}"`, lastModified: old };
      case 'weak':
        return { etag: `W/"v${versionIndex}"`, lastModified: undefined };
      case 'date':
        return { etag: undefined, lastModified: old };
      case 'young-date':
        // Within the minute in which a second change could hide behind the same date.
        return { etag: undefined, lastModified: httpDate(-20 + versionIndex) };
      case 'none':
        return { etag: undefined, lastModified: undefined };
    }
  }

  /** RFC 9110, 13.1.5: strong comparison, or the very same date. */
  #ifRangeHolds(ifRange: string | undefined, versionIndex: number): boolean {
    if (ifRange === undefined) return true;
    const { etag, lastModified } = this.#validators(versionIndex);
    if (ifRange.includes('"')) return ifRange.startsWith('"') && ifRange === etag;
    return ifRange === lastModified;
  }

  #headers(versionIndex: number, withValidators: boolean): string[] {
    const headers = ['date', httpDate(0), 'content-type', 'application/x-model'];
    // A 206 may leave Last-Modified out where If-Range held; an ETag must be repeated (RFC 9110, 15.3.7).
    const { etag, lastModified } = this.#validators(versionIndex);
    if (etag !== undefined) headers.push('etag', etag);
    if (lastModified !== undefined && withValidators) headers.push('last-modified', lastModified);
    return headers;
  }

  #lie(how: Lie, request: WireRequest, versionIndex: number, right: Answer, isContinued: boolean): Answer {
    const asked = readRange(request.headers.get('range'), this.versions[versionIndex]!.length);
    // What is the first to come is the truth for whoever gets it: nothing could tell that it is not.
    if (!isContinued) return right;
    if (asked === undefined || asked === 'unsatisfiable' || right.status !== 206) return foreignAnswer(how) ?? right;
    const whole = this.versions[versionIndex]!;
    const total = whole.length;
    const { first, last } = asked;
    const { partFraming } = this.representation;
    const part = (from: number, to: number, totalBytes: number, framing: Framing = partFraming) =>
      this.#part(versionIndex, whole.subarray(from, to + 1), `bytes ${from}-${to}/${totalBytes}`, framing);
    switch (how) {
      case 'starts-earlier':
        return part(Math.max(0, first - 13), last, total);
      case 'starts-later':
        return part(Math.min(last, first + 13), last, total);
      case 'starts-at-zero':
        return part(0, last, total);
      case 'other-total':
        return part(first, last, total + 5);
      case 'other-etag':
        return withoutHeaders(right, ['etag', 'last-modified'], ['etag', '"foreign"']);
      case 'no-validator':
        return withoutHeaders(right, ['etag', 'last-modified'], []);
      case 'no-content-range':
        return withoutHeaders(right, ['content-range'], []);
      case 'other-type':
        return withoutHeaders(right, ['content-type'], ['content-type', 'text/html']);
      case 'other-coding':
        return withoutHeaders(right, [], ['content-encoding', 'gzip']);
      case 'short':
        return part(first, first + ((last - first) >> 1), total);
      case 'too-long': {
        const to = first + ((last - first) >> 1);
        const answer = part(first, to, total, 'chunked');
        return { ...answer, body: Buffer.concat([answer.body, Buffer.from('<garbage of a broken middlebox>')]) };
      }
      case 'whole-with-content-range':
        return { ...withoutHeaders(right, [], []), status: 200 };
      case 'unsatisfied':
        return this.#unsatisfied(versionIndex, total);
      case 'unsatisfied-at-place':
        // Where the client knows no length, this is the server's word for it, and nothing tells that it is a lie.
        return this.#tellsLength ? this.#unsatisfied(versionIndex, first) : right;
      default:
        return foreignAnswer(how) ?? right;
    }
  }
}

/** What middleboxes answer in the place of the origin. */
function foreignAnswer(how: Lie): Answer | undefined {
  const empty = Buffer.alloc(0);
  const type = ['content-type', 'application/x-model'];
  if (how === 'empty-200')
    return framed({ status: 200, headers: type, body: empty, framing: 'length', versionIndex: undefined });
  if (how === 'no-content-204')
    return { status: 204, headers: [], body: empty, framing: 'none', versionIndex: undefined };
  if (how !== 'portal-200') return undefined;
  const body = Buffer.from('<html>Please log in</html>');
  return framed({
    status: 200,
    headers: ['content-type', 'text/html'],
    body,
    framing: 'length',
    versionIndex: undefined,
  });
}

function withoutHeaders(answer: Answer, drop: readonly string[], add: readonly string[]): Answer {
  const headers: string[] = [];
  for (let i = 0; i < answer.headers.length; i += 2) {
    if (!drop.includes(answer.headers[i]!)) headers.push(answer.headers[i]!, answer.headers[i + 1]!);
  }
  return { ...answer, headers: [...headers, ...add] };
}

function framed(answer: Answer): Answer {
  if (answer.framing === 'length') answer.headers.push('content-length', String(answer.body.length));
  if (answer.framing === 'chunked') answer.headers.push('transfer-encoding', 'chunked');
  return answer;
}

function statusAnswer(fault: Fault & { readonly kind: 'status' }, method: string): Answer {
  const headers = ['content-type', 'text/plain', 'date', httpDate(0)];
  if (fault.retryAfter !== undefined) headers.push('retry-after', fault.retryAfter);
  if (method === 'HEAD')
    return { status: fault.status, headers, body: Buffer.alloc(0), framing: 'none', versionIndex: undefined };
  const body = Buffer.alloc(fault.body === 'large' ? 200_000 : 300, 0x65);
  return framed({
    status: fault.status,
    headers,
    body,
    framing: fault.body === 'large' ? 'chunked' : 'length',
    versionIndex: undefined,
  });
}

function redirectAnswer(request: WireRequest, fault: Fault & { readonly kind: 'redirect' }): Answer {
  const location = {
    same: `${request.path}/r`,
    'other-origin': 'http://mirror.test/file',
    nowhere: 'http://:bad:',
  }[fault.to];
  const headers = ['location', location];
  return framed({
    status: fault.status,
    headers,
    body: Buffer.from('moved'),
    framing: 'length',
    versionIndex: undefined,
  });
}

export const effectBody = Buffer.from('{"done":true,"and":"a body of some length that can be cut"}');

function effectAnswer(): Answer {
  const headers = ['content-type', 'application/json'];
  return framed({ status: 200, headers, body: effectBody, framing: 'length', versionIndex: undefined });
}

export interface AskedRange {
  readonly first: number;
  readonly last: number;
}

/** One range of bytes as RFC 9110 14.1.2 reads it; undefined where there is none, or one that must be ignored. */
export function readRange(text: string | undefined, totalBytes: number): AskedRange | 'unsatisfiable' | undefined {
  if (text === undefined || !text.startsWith('bytes=')) return undefined;
  const spec = text.slice('bytes='.length);
  const dash = spec.indexOf('-');
  if (dash < 0 || spec.includes(',')) return undefined;
  const from = spec.slice(0, dash);
  const to = spec.slice(dash + 1);
  if (from === '' && to === '') return undefined;
  if (from === '') {
    if (Number(to) === 0) return 'unsatisfiable';
    return { first: Math.max(0, totalBytes - Number(to)), last: totalBytes - 1 };
  }
  if (to !== '' && Number(to) < Number(from)) return undefined;
  if (Number(from) >= totalBytes) return 'unsatisfiable';
  return { first: Number(from), last: to === '' ? totalBytes - 1 : Math.min(Number(to), totalBytes - 1) };
}
