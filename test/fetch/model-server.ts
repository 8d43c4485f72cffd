/**
 * A `fetch` over a modelled server in virtual time: each request meets the next fate of a plan, and a right answer once the
 * plan is used up. It says what a platform would say, and hides what a platform hides.
 */
import type { Clock } from '../../src/runtime/index.ts';

export type Validator = 'strong' | 'weak' | 'date' | 'none';
/** `gzip` shows its coding; `hidden` and `stripped` are decoded bodies whose coding a platform does not show. */
export type Framing = 'length' | 'chunked' | 'unmarked' | 'gzip' | 'hidden' | 'stripped';

export type RangeAnswer =
  | 'right'
  | 'ignored'
  | 'earlier'
  | 'later'
  | 'short'
  | 'no-content-range'
  | 'other-type'
  | 'empty'
  | 'too-long'
  | 'unsatisfied'
  | 'no-total';

export type Fate =
  /** Never sent. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'reset' }
  /** A browser's word for anything. */
  | { readonly kind: 'network-error' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | {
      readonly kind: 'answer';
      readonly range: RangeAnswer;
      /** Of the body that would be sent; 1 is all of it. */
      readonly cutRatio: number;
      readonly cutBy: 'reset' | 'end' | 'stall';
      readonly isNewVersion: boolean;
    };

export interface ModelResource {
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  readonly validator: Validator;
  readonly framing: Framing;
}

interface Version {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const right: Fate = { kind: 'answer', range: 'right', cutRatio: 1, cutBy: 'reset', isNewVersion: false };

export class ModelServer {
  readonly versions: Version[] = [];
  /** Requests that reached it. */
  requestCount = 0;
  /** Requests that it acted upon. */
  runCount = 0;
  openBodies = 0;
  readonly #resource: ModelResource;
  readonly #fates: readonly Fate[];
  readonly #clock: Clock;
  readonly #random: () => number;
  #calls = 0;

  constructor(resource: ModelResource, fates: readonly Fate[], clock: Clock, random: () => number) {
    this.#resource = resource;
    this.#fates = fates;
    this.#clock = clock;
    this.#random = random;
    this.#addVersion();
  }

  #addVersion(): void {
    const bytes = Uint8Array.from({ length: this.#resource.sizeBytes }, () => this.#random() * 256);
    this.versions.push({ number: this.versions.length, bytes });
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const fate = this.#fates[this.#calls] ?? right;
    this.#calls += 1;
    init.signal?.throwIfAborted();
    await this.#takeTime(1, init.signal);
    if (fate.kind === 'refused')
      throw failed(Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' }));
    this.requestCount += 1;
    if (fate.kind === 'status') return this.#refuse(fate);
    this.runCount += 1;
    if (fate.kind === 'reset')
      throw failed(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
    if (fate.kind === 'network-error') throw new TypeError('Failed to fetch');
    if (fate.kind === 'hang') return await rejectedBy(init.signal);
    if (fate.isNewVersion) this.#addVersion();
    return this.#answer(fate, new Headers(init.headers), init.signal, String(input));
  };

  #takeTime(delayMs: number, signal: AbortSignal | null | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.#clock.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #refuse({ status, retryAfter }: Extract<Fate, { kind: 'status' }>): Response {
    const isRefusal = status === 429 || (status === 503 && retryAfter !== undefined);
    if (!isRefusal) this.runCount += 1;
    return new Response('busy', { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } });
  }

  #answer(
    fate: Extract<Fate, { kind: 'answer' }>,
    asked: Headers,
    signal: AbortSignal | null | undefined,
    url: string,
  ) {
    const { bytes, number } = this.versions.at(-1)!;
    const headers = this.#headersOf(number);
    const { status, from, to } = this.#place(fate.range, asked, headers, bytes.byteLength);
    if (status === 416) return new Response(null, { status, headers });
    this.#mark(headers, to - from, status);
    const sent = bytes.subarray(from, from + Math.floor((to - from) * fate.cutRatio));
    const isWhole = sent.byteLength === to - from;
    const extra = isWhole && fate.range === 'too-long' && status === 206 ? 10 : 0;
    const response = new Response(this.#body(sent, extra, isWhole ? undefined : fate.cutBy, signal), {
      status,
      headers,
    });
    const type = this.#resource.framing === 'hidden' ? 'cors' : 'basic';
    return Object.defineProperties(response, { type: { value: type }, url: { value: url } });
  }

  #headersOf(version: number): Headers {
    const headers = new Headers({ 'content-type': 'application/octet-stream' });
    const { validator, framing } = this.#resource;
    if (validator === 'strong') headers.set('etag', `"v${version}"`);
    if (validator === 'weak') headers.set('etag', `W/"v${version}"`);
    if (validator === 'date') headers.set('last-modified', new Date(Date.UTC(2024, 0, 1 + version)).toUTCString());
    if (framing !== 'hidden') headers.set('date', new Date(Date.UTC(2026, 0, 1)).toUTCString());
    if (framing === 'gzip') headers.set('content-encoding', 'gzip');
    return headers;
  }

  /** Which part is sent, and what Content-Range says of it. */
  #place(answer: RangeAnswer, asked: Headers, headers: Headers, total: number) {
    const whole = { status: 200, from: 0, to: total };
    const range = /^bytes=(\d+)-(\d*)$/.exec(asked.get('range') ?? '');
    const ifRange = asked.get('if-range');
    const isSame = ifRange === null || ifRange === (headers.get('etag') ?? headers.get('last-modified'));
    const isCoded = this.#resource.framing === 'gzip' || this.#resource.framing === 'hidden';
    if (isCoded && range !== null) throw new Error('a range was asked for of an encoded body');
    if (range === null || !isSame || answer === 'ignored' || this.#resource.framing === 'stripped') return whole;
    const start = Number(range[1]);
    if (answer === 'unsatisfied' || start >= total) {
      headers.set('content-range', `bytes */${total}`);
      return { status: 416, from: 0, to: 0 };
    }
    const from = Math.min(total - 1, Math.max(0, start + (answer === 'later' ? 7 : answer === 'earlier' ? -7 : 0)));
    const to = answer === 'short' ? Math.max(from + 1, Math.floor((from + total) / 2)) : total;
    if (answer === 'other-type') headers.set('content-type', 'text/html');
    const shown = answer === 'no-total' ? '*' : total;
    if (answer !== 'no-content-range') headers.set('content-range', `bytes ${from}-${to - 1}/${shown}`);
    return { status: 206, from, to: answer === 'empty' ? from : to };
  }

  #mark(headers: Headers, bytes: number, status: number): void {
    const { framing } = this.#resource;
    if (framing === 'chunked') headers.set('transfer-encoding', 'chunked');
    if (framing === 'length' || (status === 206 && framing !== 'chunked')) headers.set('content-length', String(bytes));
    // Of encoded bytes: some other number.
    if (framing === 'gzip') headers.set('content-length', String(bytes + 20));
    if (framing === 'hidden' || framing === 'stripped') headers.set('content-length', String(Math.ceil(bytes / 3)));
  }

  #body(
    sent: Uint8Array,
    extraBytes: number,
    cut: 'reset' | 'end' | 'stall' | undefined,
    signal: AbortSignal | null | undefined,
  ) {
    const all = new Uint8Array(sent.byteLength + extraBytes);
    all.set(sent);
    let at = 0;
    let isOpen = true;
    this.openBodies += 1;
    const close = () => {
      if (isOpen) this.openBodies -= 1;
      isOpen = false;
    };
    const pull = async (controller: ReadableByteStreamController) => {
      try {
        await this.#takeTime(1, signal);
        if (at < all.byteLength) {
          const next = all.slice(at, at + this.#resource.chunkBytes);
          at += next.byteLength;
          controller.enqueue(next);
          return;
        }
        if (cut === 'stall') await rejectedBy(signal);
        if (cut !== undefined && !this.#endsQuietly(cut)) throw terminated();
        close();
        controller.close();
      } catch (error) {
        close();
        controller.error(error);
      }
    };
    signal?.addEventListener('abort', close, { once: true });
    return new ReadableStream({ type: 'bytes', pull, cancel: close }, { highWaterMark: 0 });
  }

  /** A platform notices the missing end of chunks and of codings, and not of a body that ends with its connection. */
  #endsQuietly(cut: 'reset' | 'end' | 'stall'): boolean {
    return cut === 'end' && (this.#resource.framing === 'length' || this.#resource.framing === 'unmarked');
  }
}

function rejectedBy(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function failed(cause: Error): TypeError {
  return new TypeError('fetch failed', { cause });
}

function terminated(): TypeError {
  return new TypeError('terminated', {
    cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }),
  });
}
