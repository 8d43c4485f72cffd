import {
  type Budget,
  createBudget,
  isRepeatable,
  ledgerOf,
  resolvePoolPolicy,
  type TrailEntry,
  trailOfLedger,
} from '../core/index.ts';
import {
  type Client,
  type ClientRequestOptions,
  type ClientResponse,
  createClientBelow,
  type FetchInit,
  headerOf,
  type KeptBody,
  type RequestHeaders,
  replaceHeaders,
} from '../http/index.ts';
import { type Runtime, systemRuntime } from '../runtime/index.ts';
import { Course } from './course.ts';
import { drive } from './drive.ts';
import { attemptHttp } from './http-attempt.ts';
import { Member, type UpstreamStatus } from './member.ts';
import {
  checkFunction,
  checkMs,
  type PoolOptions,
  type PoolRequestOptions,
  poolBudget,
  withCheckedClass,
} from './options.ts';
import type { CourseRules, PoolShared } from './rules.ts';
import { attemptOperation, type PoolOperation } from './run-attempt.ts';
import { resolveUpstreams, urlAt } from './upstream.ts';

export interface RunOptions<U> extends PoolRequestOptions<U> {
  /** See the pool's `attemptMs`. */
  readonly attemptMs?: number | undefined;
}

export interface RunResult<T, U> {
  readonly value: T;
  /** Who answered. */
  readonly upstream: U;
  readonly trail: readonly TrailEntry[];
}

/** What `fetch` takes, and what one request of a pool may set for itself. */
export interface PoolFetchInit<U> extends Omit<FetchInit, 'onEvent' | 'signal'>, PoolRequestOptions<U> {
  /** In events, in place of the method and path. */
  readonly operation?: string | undefined;
}

export interface PoolSendOptions<U> extends Omit<ClientRequestOptions, 'onEvent' | 'signal'>, PoolRequestOptions<U> {
  readonly operation?: string | undefined;
}

export interface PoolResponse<U> extends ClientResponse {
  /** Who answered. */
  readonly upstream: U;
  /** Live: a body that heals adds to it. */
  readonly trail: readonly TrailEntry[];
}

/** Several upstreams, or just one, behind one door. */
export interface Pool<U> {
  /**
   * Any operation under the pool's rules. By default it may be repeated: the caller says so by calling `run`. What it
   * throws counts by the network failure below it; anything else (a bug, a JSON parse error) is raised at once and charged
   * to nobody.
   *
   * @throws GaveUpError, DeadlineError with the trail; what the operation threw, where nobody else could do better; an
   *   abort rejects at once with the signal's reason
   */
  run<T>(operationName: string, operation: PoolOperation<T, U>, options?: RunOptions<U>): Promise<RunResult<T, U>>;
  /**
   * `fetch` of a path at whichever upstream answers. An answer that ends the request for its own sake is handed on,
   * whatever its status (400, 404, a 500 to a POST); its body heals at its upstream. `trailOf` tells the way.
   *
   * @throws GaveUpError with reason `upstreams-exhausted`, `budget-exhausted`, `may-have-run`, …, DeadlineError, ConfigError
   */
  fetch(path: string, init?: PoolFetchInit<U>): Promise<Response>;
  /** The same on the fast path: a Node stream. */
  request(path: string, options?: PoolSendOptions<U>): Promise<PoolResponse<U>>;
  /** For drivers that hold the exchange themselves, a gateway: one request's way, step by step. */
  begin(rules: CourseRules<U>): Course<U>;
  /** What is known of the upstreams now. */
  status(): readonly UpstreamStatus[];
  /** Makes single attempts over the pool's own connections, when given to `clientForAttempt`. */
  readonly client: Client;
  /** Lets running requests end, then closes the connections. */
  close(): Promise<void>;
  /** Ends everything at once. */
  destroy(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const purpose = 'create a pool';

/**
 * Creates a pool. Requests go to one upstream after the other by rules that a person can state: a round visits each once,
 * without waiting; the next round visits only those whose own last outcome may pass; an upstream is charged one failure per
 * request, and taken out for a time after ten in a row.
 *
 * @param upstreams URLs, objects with a `name` or a `url`, or any values that operations of `run` understand
 * @throws ConfigError naming the field, what must hold and what came
 * @example
 * ```ts
 * import { createPool, trailOf } from 'reknit/pool';
 * const pool = createPool(['https://a.example/v1', { url: 'https://b.example/v1', tier: 1 }]);
 * const response = await pool.fetch('/models', { deadlineMs: 10_000 });
 * console.log(response.status, trailOf(response));
 * await pool.close();
 * ```
 */
export function createPool<const U>(upstreams: readonly U[], options: PoolOptions<U> = {}): Pool<U> {
  return createPoolOn(systemRuntime, upstreams, options);
}

/** The same on a given clock and entropy. */
export function createPoolOn<U>(runtime: Runtime, upstreams: readonly U[], options: PoolOptions<U> = {}): Pool<U> {
  return new UpstreamPool(runtime, upstreams, options);
}

/** The attempts behind an answer or an error of a pool: upstream, round, class, time. Empty for anything else. */
export function trailOf(answerOrError: object): readonly TrailEntry[] {
  const ledger = ledgerOf(answerOrError);
  return ledger === undefined ? [] : trailOfLedger(ledger);
}

class UpstreamPool<U> implements Pool<U> {
  readonly #shared: PoolShared<U>;
  readonly #options: PoolOptions<U>;
  readonly #deadlineMs: number | undefined;
  readonly client: Client;

  constructor(runtime: Runtime, upstreams: readonly U[], options: PoolOptions<U>) {
    const { rounds, ejection, attemptMs, classify, failoverOn, onEvent, ...clientOptions } = options;
    const policy = resolvePoolPolicy(
      { ...(rounds === undefined ? {} : { rounds }), ...(ejection === undefined ? {} : { ejection }) },
      purpose,
    );
    checkMs('attemptMs', attemptMs, purpose);
    checkFunction('classify', classify, purpose);
    checkFunction('onEvent', onEvent, purpose);
    const { deadlineMs, ...timeouts } = clientOptions.timeouts ?? {};
    this.#deadlineMs = checkMs('deadlineMs', deadlineMs, purpose);
    this.#options = { ...options, failoverOn: failoverOn === undefined ? undefined : new Set(failoverOn) };
    const budget: Budget = createBudget({ ...poolBudget, ...clientOptions.budget });
    this.client = createClientBelow({ ...clientOptions, timeouts }, runtime, budget);
    const members = resolveUpstreams(upstreams).map((upstream) => new Member(upstream, policy.ejection, runtime));
    const headersMs = timeouts.headersMs ?? DEFAULT_HEADERS_MS;
    const indexes = members.map((_, index) => index);
    this.#shared = { members, indexes, policy, runtime, budget, headersMs, onEvent };
    this.fetch = this.fetch.bind(this);
    this.request = this.request.bind(this);
  }

  async run<T>(name: string, operation: PoolOperation<T, U>, options: RunOptions<U> = {}): Promise<RunResult<T, U>> {
    const signal = options.signal ?? undefined;
    signal?.throwIfAborted();
    const { runtime } = this.#shared;
    let isRepeatableStill = options.repeatable ?? true;
    const rules = this.#rulesFor(options, {
      ...{ operation: name, method: 'RUN', target: name },
      isRepeatable: () => isRepeatableStill,
      isReplayable: () => true,
    });
    const course = new Course(this.#shared, rules);
    const settings = {
      runtime,
      signal,
      deadlineAtMs: rules.deadlineAtMs,
      attemptMs: checkMs('attemptMs', options.attemptMs ?? this.#options.attemptMs, 'run the operation'),
      client: this.client,
      onMayHaveRun: () => {
        if (options.repeatable === undefined) isRepeatableStill = false;
      },
    };
    return await drive(course, runtime.clock, signal, async (step) => {
      const attempted = await attemptOperation(course, step, operation, settings);
      if (attempted === undefined) return undefined;
      const { value } = attempted;
      return { value: { value, upstream: step.upstream.value, trail: trailOfLedger(course.ledger) } };
    });
  }

  async fetch(path: string, init: PoolFetchInit<U> = {}): Promise<Response> {
    const { body, headers, ...rest } = init;
    const method = (init.method ?? 'GET').toUpperCase();
    const own = new Headers(headers);
    const bodyOf = bodyForAttempts(body);
    return await this.#send(path, method, init, own.has('idempotency-key'), (client, url, added, isFirst) => {
      const merged = new Headers(own);
      for (const [name, value] of Object.entries(added)) merged.set(name, value);
      const { signal } = init;
      const source = bodyOf(isFirst);
      return client.fetch(url, {
        ...wireOptions(rest),
        headers: merged,
        ...(signal === undefined ? {} : { signal }),
        ...(source === undefined ? {} : { body: source }),
      } as FetchInit);
    }).then(({ value }) => value);
  }

  async request(path: string, options: PoolSendOptions<U> = {}): Promise<PoolResponse<U>> {
    const { headers, signal, ...rest } = options;
    const method = (options.method ?? 'GET').toUpperCase();
    const hasKey = method !== 'GET' && headerOf(headers as RequestHeaders, 'idempotency-key') !== undefined;
    const { value, upstream } = await this.#send(path, method, options, hasKey, (client, url, added) =>
      client.request(url, {
        ...wireOptions(rest),
        signal: signal ?? undefined,
        headers: replaceHeaders(headers as RequestHeaders, added),
      } as ClientRequestOptions),
    );
    const { statusCode, headers: received, body, ledger } = value;
    return {
      statusCode,
      headers: received,
      body,
      ledger,
      upstream,
      get trail() {
        return trailOfLedger(ledger);
      },
    };
  }

  async #send<T>(
    path: string,
    method: string,
    options: PoolFetchInit<U> | PoolSendOptions<U>,
    hasKey: boolean,
    send: (client: Client, url: string, headers: Readonly<Record<string, string>>, isFirst: boolean) => Promise<T>,
  ): Promise<{ readonly value: T; readonly upstream: U }> {
    const signal = options.signal ?? undefined;
    signal?.throwIfAborted();
    for (const { upstream } of this.#shared.members) urlAt(upstream, path);
    const kept: KeptBody = { body: undefined };
    const hasIdempotencyKey = hasKey || options.idempotencyKey !== undefined;
    const isAlwaysRepeatable = isRepeatable({ method, declared: options.repeatable, hasIdempotencyKey });
    const target = path === '' ? '/' : path;
    const rules = this.#rulesFor(options, {
      operation: options.operation ?? `${method} ${target.split('?', 1)[0]}`,
      method,
      target,
      isRepeatable: () => isAlwaysRepeatable,
      isReplayable: () => kept.body?.isReplayable() ?? true,
    });
    const course = new Course(this.#shared, rules);
    const settings = { signal, deadlineAtMs: rules.deadlineAtMs, client: this.client, kept };
    try {
      return await drive(course, this.#shared.runtime.clock, signal, async (step) => {
        const { upstream } = step;
        const attempted = await attemptHttp(course, step, settings, (client) =>
          send(client, urlAt(upstream, path), upstream.headers, kept.body === undefined),
        );
        return attempted === undefined ? undefined : { value: { value: attempted.value, upstream: upstream.value } };
      });
    } catch (error) {
      kept.body?.release();
      throw error;
    }
  }

  #rulesFor(
    options: PoolRequestOptions<U>,
    about: Pick<CourseRules<U>, 'operation' | 'method' | 'target' | 'isRepeatable' | 'isReplayable'>,
  ): CourseRules<U> {
    const what = 'send the request';
    const deadlineMs = checkMs('deadlineMs', options.deadlineMs ?? this.#deadlineMs, what);
    const { runtime } = this.#shared;
    const failoverOn = options.failoverOn ?? this.#options.failoverOn;
    const classify = checkFunction('classify', options.classify ?? this.#options.classify, what);
    return {
      ...about,
      deadlineAtMs: deadlineMs === undefined ? undefined : runtime.clock.nowMs() + deadlineMs,
      mayUse: checkFunction('mayUse', options.mayUse, what),
      onEvent: checkFunction('onEvent', options.onEvent, what),
      classify: withCheckedClass(classify),
      failoverOn: failoverOn === undefined ? undefined : new Set(failoverOn),
    };
  }

  begin(rules: CourseRules<U>): Course<U> {
    return new Course(this.#shared, rules);
  }

  status(): readonly UpstreamStatus[] {
    return this.#shared.members.map((member) => member.status);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  destroy(): Promise<void> {
    return this.client.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The client's own default. */
const DEFAULT_HEADERS_MS = 30_000;

const ofThePool: ReadonlySet<string> = new Set([
  'deadlineMs',
  'onEvent',
  'mayUse',
  'classify',
  'failoverOn',
  'operation',
  'signal',
]);

/** What the client below is to hear of a request's settings: the deadline and the events are kept above. */
function wireOptions(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !ofThePool.has(name)));
}

/**
 * A function that makes bodies is asked once per attempt that sends one: the platform looks at the first body only, and
 * what is opened for it is the first attempt's.
 */
function bodyForAttempts(source: FetchInit['body']): (isFirst: boolean) => FetchInit['body'] {
  if (typeof source !== 'function') return () => source;
  let made: FetchInit['body'];
  return (isFirst) => {
    if (!isFirst) return made;
    let isTaken = false;
    made = source();
    return () => {
      if (isTaken) return source();
      isTaken = true;
      return made;
    };
  };
}
