/** Bodies whole or not at all: nothing is handed over before the last byte, so a changed body can begin anew. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import {
  contentCodings,
  errorFor,
  type Failure,
  IntegrityError,
  type Ledger,
  redactUrl,
  tagFailure,
} from '../core/index.ts';
import { sleep } from '../runtime/index.ts';
import { Exchange } from './exchange.ts';
import type { FetchInit } from './fetch.ts';
import { Life, type Operation, type Shared } from './life.ts';
import type { BodySource } from './request-body.ts';
import { checkRequest, explainRefusal } from './request-check.ts';
import { resolveRules } from './request-options.ts';
import { pickFields, type RawHeaders, toHeaderRecord } from './response-fields.ts';
import type { Sink, SinkControl } from './sink.ts';
import { parseTarget } from './target.ts';
import type { DispatchOptions } from './transport.ts';

/** A whole answer. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Decoded. */
  readonly body: Buffer;
  readonly ledger: Ledger;
}

export interface WholeOptions extends Omit<FetchInit, 'redirect'> {}

/** What the reader of a whole body makes of it: a value, or a reason to ask again. */
export type Interpretation<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'doubt'; readonly what: string };

/**
 * Fetches a body whole. A final status of 400 and more rejects.
 *
 * @throws GaveUpError, IntegrityError, DeadlineError, ConfigError; an abort rejects with the signal's reason
 */
export async function fetchWhole<T>(
  shared: Shared,
  url: string | URL,
  options: WholeOptions,
  interpret: (answer: WholeAnswer) => Interpretation<T> | Promise<Interpretation<T>>,
  operation?: Operation,
): Promise<T> {
  checkRequest(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const rules = resolveRules({ ...options, throwOnStatus: true }, shared.policy, {
    followRedirects: true,
    bodySource: options.body,
  });
  const dispatchOptions = explained(options, () => toDispatchOptions(url, options));
  const life = new Life(shared, rules, dispatchOptions, operation);
  life.isHeldOpen = true;
  try {
    while (true) {
      const answer = await readOnce(life, dispatchOptions, signal ?? undefined);
      const meaning = await interpret(answer);
      if (meaning.kind === 'value') {
        life.end('complete');
        return meaning.value;
      }
      await doubt(life, meaning.what, signal ?? undefined);
    }
  } catch (error) {
    // Damaged codings, wrong JSON and aborted waits end it here; an exchange that failed has ended it already.
    life.end(signal?.aborted === true ? 'aborted' : 'failed');
    throw explainRefusal(error, options);
  }
}

function explained<T>(options: WholeOptions, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw explainRefusal(error, options);
  }
}

/** An answer that is not believed is a failed attempt like any other. */
async function doubt(life: Life, what: string, signal: AbortSignal | undefined): Promise<void> {
  const failure: Failure = {
    origin: 'http',
    phase: 'body',
    kind: 'suspicious',
    transient: true,
    mayHaveRun: true,
    what,
  };
  const isReplayable = life.home.body === null || life.home.body === undefined || life.body.isReplayable();
  const step = life.decide(failure, {
    newBytes: 0,
    missingBytes: undefined,
    isReplayable,
    delivery: { kind: 'nothing' },
    isCrowded: false,
  });
  life.accept(failure, step);
  const { decision } = step;
  if (decision.kind === 'give-up') {
    life.end('failed');
    const place = { atByte: life.ledger.deliveredBytes, totalBytes: undefined };
    throw errorFor(decision.reason, failure, undefined, life.ledger, place, life.nowMs);
  }
  life.ledger.deliveredBytes = 0;
  await sleep(life.shared.runtime.clock, decision.delayMs, signal);
  life.beginAttempt(undefined);
}

function toDispatchOptions(url: string | URL, options: WholeOptions): DispatchOptions {
  const target = parseTarget(url);
  const headers = new Headers(options.headers);
  if (!headers.has('accept')) headers.set('accept', '*/*');
  if (!headers.has('accept-encoding')) headers.set('accept-encoding', 'gzip, deflate, br');
  if (target.authorization !== undefined && !headers.has('authorization'))
    headers.set('authorization', target.authorization);
  if (typeof options.body === 'string' && !headers.has('content-type'))
    headers.set('content-type', 'text/plain;charset=UTF-8');
  return {
    origin: target.origin,
    path: target.path,
    method: (options.method ?? 'GET').toUpperCase() as DispatchOptions['method'],
    headers: [...headers].flat(),
    body: (options.body ?? null) as BodySource as never,
  };
}

async function readOnce(life: Life, options: DispatchOptions, signal: AbortSignal | undefined): Promise<WholeAnswer> {
  const sink = new CollectingSink(signal);
  const answer = sink.answer;
  new Exchange(life, options, sink).begin();
  const { status, raw, chunks } = await answer;
  const body = await decode(Buffer.concat(chunks), contentCodings(pickFields(raw).contentEncoding), life);
  return { status, headers: toHeaderRecord(raw), body, ledger: life.ledger };
}

interface Collected {
  readonly status: number;
  readonly raw: RawHeaders;
  readonly chunks: readonly Buffer[];
}

class CollectingSink implements Sink {
  readonly decodesStrictly = false;
  readonly answer: Promise<Collected>;
  #resolve!: (answer: Collected) => void;
  #reject!: (error: unknown) => void;
  #status = 0;
  #raw: RawHeaders = [];
  #chunks: Buffer[] = [];
  readonly #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  onStart(control: SinkControl): void {
    if (this.#signal === undefined) return;
    this.#onAbort = () => control.abort(this.#signal?.reason);
    if (this.#signal.aborted) this.#onAbort();
    else this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onInfo(): void {}

  onHeaders(status: number, raw: RawHeaders): boolean {
    this.#status = status;
    this.#raw = raw;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  onRestart(): void {
    this.#chunks = [];
  }

  onEnd(): void {
    this.#settle();
    this.#resolve({ status: this.#status, raw: this.#raw, chunks: this.#chunks });
  }

  onError(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

const decoders: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, Buffer>(gunzip),
  br: promisify<Buffer, Buffer>(brotliDecompress),
  deflate: (bytes) => promisify<Buffer, Buffer>(((bytes[0] ?? 0) & 0x0f) === 0x08 ? inflate : inflateRaw)(bytes),
};

async function decode(bytes: Buffer, codings: readonly string[], life: Life): Promise<Buffer> {
  let decoded = bytes;
  for (const coding of codings.toReversed()) {
    const decoder = decoders[coding];
    if (decoder === undefined)
      throw new IntegrityError(
        `Cannot decode the body as its Content-Encoding is ${coding} · ${redactUrl(life.ledger.url)}`,
        { ledger: life.ledger },
      );
    try {
      if (decoded.length > 0) decoded = await decoder(decoded);
    } catch (cause) {
      const error = new IntegrityError(
        `The body's content-coding (${coding}) is damaged · ${redactUrl(life.ledger.url)}`,
        { cause, ledger: life.ledger },
      );
      tagFailure(error, {
        origin: 'decoder',
        phase: 'body',
        kind: 'decoding',
        transient: false,
        mayHaveRun: true,
        what: 'a damaged content-coding',
      });
      throw error;
    }
  }
  return decoded;
}
