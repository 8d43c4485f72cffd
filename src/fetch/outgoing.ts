/** What goes out for one hop: the caller's request, with what a resume changes in it. */
import type { Representation, RequestOptions, RequestRules, ResumePlan } from '../core/index.ts';
import { createBodyOfRequest, createRequestBody } from './create-request-body.ts';
import type { BodySource, RequestBody } from './request-body.ts';
import { withoutOptions } from './request-options.ts';

/** Any `fetch` of the WHATWG kind. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What `fetch` takes, and what one call may set for itself. A body may also be a function that makes it. */
export interface FetchInit extends Omit<RequestInit, 'body'>, RequestOptions {
  readonly body?: BodySource;
}

/** A resume must be answered with bytes: conditions of the caller's would answer it with 304 or 412. */
const conditionals = ['range', 'if-range', 'if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since'];

export class Outgoing {
  readonly method: string;
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  readonly body: RequestBody;
  readonly hasIdempotencyKey: boolean;
  readonly #input: string | URL | Request;
  readonly #init: Omit<FetchInit, keyof RequestOptions | 'body'>;
  readonly #ownKey: string | undefined;

  constructor(input: string | URL | Request, init: FetchInit, rules: RequestRules) {
    const { body, ...rest } = withoutOptions(init);
    const request = isRequest(input) ? input : undefined;
    this.#input = input;
    this.#init = rest;
    this.#ownKey = rules.idempotencyKey;
    this.method = (init.method ?? request?.method ?? 'GET').toUpperCase();
    this.url = request?.url ?? String(input);
    this.signal = (init.signal === undefined ? request?.signal : init.signal) ?? undefined;
    this.hasIdempotencyKey = this.#ownKey !== undefined || (!this.#isRead() && this.#headers().has('idempotency-key'));
    this.body =
      request !== undefined && (body === undefined || body === null)
        ? createBodyOfRequest(request, rules.replayBufferBytes)
        : createRequestBody(body, rules.replayBufferBytes);
  }

  /** Only other methods need a key; the headers of these are never looked at. */
  #isRead(): boolean {
    return this.method === 'GET' || this.method === 'HEAD';
  }

  #headers(): Headers {
    return new Headers(this.#init.headers ?? (isRequest(this.#input) ? this.#input.headers : undefined));
  }

  produce(
    plan: ResumePlan | undefined,
    representation: Representation | undefined,
  ): readonly [input: string | URL | Request, init: RequestInit] {
    const headers = this.#headersFor(plan, representation);
    const parts = this.body.produce();
    return [this.#input, { ...this.#init, ...parts, ...(headers === undefined ? {} : { headers }) } as RequestInit];
  }

  #headersFor(plan: ResumePlan | undefined, representation: Representation | undefined): Headers | undefined {
    if (plan === undefined && this.#ownKey === undefined) return undefined;
    const headers = this.#headers();
    if (this.#ownKey !== undefined) headers.set('idempotency-key', this.#ownKey);
    if (plan === undefined) return headers;
    // Only a caller who asked for a part gets an end: an open range also tells whether the whole has grown.
    const endByte = headers.has('range') ? representation?.endByte : undefined;
    for (const name of conditionals) headers.delete(name);
    if (plan.kind !== 'range' && plan.kind !== 'overlap') return headers;
    headers.set('range', `bytes=${plan.fromByte}-${endByte === undefined ? '' : endByte - 1}`);
    if (plan.kind === 'range') headers.set('if-range', plan.ifRange);
    return headers;
  }
}

function isRequest(input: string | URL | Request): input is Request {
  return typeof input === 'object' && 'url' in input;
}
