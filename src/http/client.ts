import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { ConfigError, type Ledger, resolvePolicy, show } from '../core/index.ts';
import { type Runtime, systemRuntime } from '../runtime/index.ts';
import type { TlsOptions } from './connect.ts';
import { type FetchInit, healingFetch } from './fetch.ts';
import { CallDispatcher, createShared, HealingDispatcher, type HealingOptions } from './healing.ts';
import type { Operation, Shared } from './life.ts';
import { createProxyRules, type ProxyOption } from './proxy-rules.ts';
import type { BodySource } from './request-body.ts';
import { checkRedirect, checkRequest, explainRefusal } from './request-check.ts';
import type { RequestHeaders } from './request-headers.ts';
import { headerOf, withHeaders } from './request-headers.ts';
import { hasOwnSettings, type RequestOptions, type RequestRules, resolveRules } from './request-options.ts';
import { parseTarget } from './target.ts';
import { AgentTransport } from './transport.ts';
import { fetchWhole, type Interpretation, type WholeAnswer, type WholeOptions } from './whole.ts';

export interface ClientOptions extends HealingOptions {
  /** Authorities to trust, and a certificate of our own. @default Node's, and `NODE_EXTRA_CA_CERTS` */
  readonly tls?: TlsOptions;
  /** A proxy for everything, proxies by scheme, or `false` for none. @default `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` */
  readonly proxy?: ProxyOption;
  /** Path of a unix socket that every request goes to. */
  readonly socketPath?: string;
}

/** What `client.request` takes, beside the settings of one request. */
export interface ClientRequestOptions extends RequestOptions {
  /** @default 'GET' */
  readonly method?: string;
  readonly headers?: RequestHeaders;
  readonly body?: BodySource;
  readonly signal?: AbortSignal | undefined;
  /** Follow redirects, at most 20, under the same deadline and ledger. @default 'follow' */
  readonly redirect?: 'follow' | 'manual';
}

export interface ClientResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Heals below; ends only when the body is whole. Encoded as sent. */
  readonly body: Readable & Dispatcher.ResponseData['body'];
  /** Live: it grows until the body has ended. */
  readonly ledger: Ledger;
}

export interface JsonOptions<T> extends WholeOptions {
  /** False: the value is not believed, and asked for again as after a transient failure. What it throws is thrown. */
  readonly validate?: (value: unknown) => boolean | Promise<boolean>;
  readonly reviver?: (key: string, value: unknown) => T;
}

/** Requests that survive broken connections over their whole life, over connections of its own. */
export interface Client {
  /**
   * `fetch`, with a body that heals. Rejects as the platform does, with the reason as `cause`.
   *
   * @throws ConfigError if an option is wrong
   */
  fetch(input: string | URL | Request, init?: FetchInit): Promise<Response>;
  /** The fast path: a Node stream. A final status is an answer, unless `throwOnStatus`. */
  request(url: string | URL, options?: ClientRequestOptions): Promise<ClientResponse>;
  /** The whole body, decoded, or an error. */
  bytes(url: string | URL, options?: WholeOptions): Promise<Buffer>;
  text(url: string | URL, options?: WholeOptions): Promise<string>;
  json<T = unknown>(url: string | URL, options?: JsonOptions<T>): Promise<T>;
  /** For clients on top of undici: `openai`, `@octokit/request` and the like take one. */
  readonly dispatcher: Dispatcher;
  /** Lets running requests end, then closes the connections. */
  close(): Promise<void>;
  /** Ends everything at once. */
  destroy(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ownKeys = ['onEvent', 'tls', 'proxy', 'socketPath'] as const;

/**
 * Creates a client.
 *
 * @throws ConfigError naming the field, what must hold and what came
 * @example
 * ```ts
 * import { createClient, ledgerOf } from 'reknit';
 * const client = createClient({ retry: { maxAttempts: 8 } });
 * const response = await client.fetch('https://example.com/file');
 * const bytes = await response.arrayBuffer();
 * console.log(bytes.byteLength, ledgerOf(response)?.attemptCount);
 * await client.close();
 * ```
 */
export function createClient(options: ClientOptions = {}): Client {
  return new PooledClient(createClientShared(options, systemRuntime, { isGentle: false }));
}

export function createClientShared(
  options: ClientOptions,
  runtime: Runtime,
  how: { readonly isGentle: boolean },
): Shared {
  const policy = resolvePolicy(options, 'create a client', ownKeys);
  checkOwnOptions(options);
  const transport = new AgentTransport({
    policy,
    clock: runtime.clock,
    tls: options.tls,
    socketPath: options.socketPath,
    proxyFor: createProxyRules(options.proxy, process.env),
  });
  return createShared({ policy, runtime, transport, isGentle: how.isGentle, onEvent: options.onEvent });
}

function checkOwnOptions({ onEvent, socketPath, tls }: ClientOptions): void {
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw new ConfigError(`Cannot create a client as onEvent must be a function: received ${show(onEvent)}`);
  }
  if (socketPath !== undefined && (typeof socketPath !== 'string' || socketPath === '')) {
    throw new ConfigError(`Cannot create a client as socketPath must be a path: received ${show(socketPath)}`);
  }
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) {
    throw new ConfigError(`Cannot create a client as tls must be an object: received ${show(tls)}`);
  }
}

export class PooledClient implements Client {
  readonly #shared: Shared;
  readonly #operation: Operation | undefined;
  #dispatcher: HealingDispatcher | undefined;
  #followingRules: RequestRules | undefined;

  constructor(shared: Shared, operation?: Operation) {
    this.#shared = shared;
    this.#operation = operation;
    // A method taken off its client still works: `const { fetch } = client`.
    this.fetch = this.fetch.bind(this);
    this.request = this.request.bind(this);
  }

  get dispatcher(): Dispatcher {
    this.#dispatcher ??= new HealingDispatcher(this.#shared);
    return this.#dispatcher;
  }

  fetch(input: string | URL | Request, init?: FetchInit): Promise<Response> {
    return healingFetch(this.#shared, input, init, this.#operation);
  }

  request(url: string | URL, options: ClientRequestOptions = noOptions): Promise<ClientResponse> {
    // Not async, and undici is called with a callback: one promise for a request, and no frame that is kept meanwhile.
    return new Promise((resolve, reject) => {
      if (options !== noOptions) checkRequest(options);
      const { method = 'GET', headers, body, signal, redirect = 'follow' } = options;
      checkRedirect(redirect);
      const target = parseTarget(url);
      const rules = this.#rulesFor(options, redirect === 'follow');
      const dispatcher = new CallDispatcher(this.#shared, rules, this.#operation);
      const wire = {
        origin: target.origin,
        path: target.path,
        method: method.toUpperCase() as Dispatcher.HttpMethod,
        headers: withLogin(headers, target.authorization) as string[],
        // undici destroys a stream when the attempt fails; where another one follows elsewhere, it must not see it.
        body: (this.#operation?.above === undefined || !body ? (body ?? null) : () => body) as never,
        signal: signal ?? null,
      };
      dispatcher.request(wire, (error, answer) => {
        if (error !== null) reject(explainRefusal(error, options));
        else resolve(toClientResponse(answer, dispatcher));
      });
    });
  }

  /** Most requests set nothing of ours: they share one object of rules. */
  #rulesFor(options: ClientRequestOptions, followRedirects: boolean): RequestRules {
    const { policy } = this.#shared;
    if (!followRedirects || (options !== noOptions && hasOwnSettings(options)))
      return resolveRules(options, policy, { followRedirects, bodySource: options.body });
    this.#followingRules ??= resolveRules({}, policy, { followRedirects });
    return this.#followingRules;
  }

  bytes(url: string | URL, options: WholeOptions = {}): Promise<Buffer> {
    return this.#whole(url, options, ({ body }) => ({ kind: 'value', value: body }));
  }

  text(url: string | URL, options: WholeOptions = {}): Promise<string> {
    return this.#whole(url, options, (answer) => ({ kind: 'value', value: decodeText(answer) }));
  }

  json<T = unknown>(url: string | URL, options: JsonOptions<T> = {}): Promise<T> {
    return this.#whole(url, options, (answer) => interpretJson(answer, options));
  }

  #whole<T>(
    url: string | URL,
    options: WholeOptions,
    interpret: (answer: WholeAnswer) => Interpretation<T> | Promise<Interpretation<T>>,
  ): Promise<T> {
    return fetchWhole(this.#shared, url, options, interpret, this.#operation);
  }

  /** The same connections and budget, with the requests of one operation under one ledger. */
  forOperation(operation: Operation): Client {
    return new PooledClient(this.#shared, operation);
  }

  get shared(): Shared {
    return this.#shared;
  }

  async close(): Promise<void> {
    await this.#shared.transport.close();
    this.#shared.sweep.stop();
  }

  async destroy(): Promise<void> {
    await this.#shared.transport.destroy();
    this.#shared.sweep.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const noOptions: ClientRequestOptions = Object.freeze({});

function toClientResponse(answer: Dispatcher.ResponseData, { life }: CallDispatcher): ClientResponse {
  const { statusCode, headers, body } = answer;
  return { statusCode, headers, body: body as ClientResponse['body'], ledger: life!.ledger };
}

function withLogin(headers: RequestHeaders, authorization: string | undefined): RequestHeaders {
  if (authorization === undefined || headerOf(headers, 'authorization') !== undefined) return headers;
  return withHeaders(headers, new Set(), { authorization });
}

function decodeText({ body, headers }: WholeAnswer): string {
  const type = headers['content-type'];
  const charset = /charset\s*=\s*"?([^\s";]+)/i.exec(String(type ?? ''))?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

async function interpretJson<T>(answer: WholeAnswer, options: JsonOptions<T>): Promise<Interpretation<T>> {
  let value: unknown;
  try {
    value = JSON.parse(decodeText(answer), options.reviver as never);
  } catch (error) {
    // Only an end that nothing proves may be to blame on the wire; a whole body that is no JSON will be none next time.
    if (answer.ledger.integrity === 'unverifiable')
      return { kind: 'doubt', what: 'a body that is no JSON, and whose end is not proven' };
    // Middleboxes answer 200 with nothing.
    if (answer.body.length === 0) return { kind: 'doubt', what: 'an empty body where JSON was expected' };
    throw error;
  }
  if (options.validate !== undefined && !(await options.validate(value))) {
    return { kind: 'doubt', what: 'a body that `validate` does not believe' };
  }
  return { kind: 'value', value: value as T };
}
