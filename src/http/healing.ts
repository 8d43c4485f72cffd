/** The healing itself as undici sees it: an interceptor for anybody's dispatcher, and a dispatcher of our own. */
import { Dispatcher } from 'undici';
import { createBudget, type EventListener, type PolicyOptions, resolvePolicy } from '../core/index.ts';
import { type Runtime, Sweep, systemRuntime } from '../runtime/index.ts';
import { Exchange } from './exchange.ts';
import { Life, type Operation, type Shared } from './life.ts';
import { defaultRules, type RequestOptions, type RequestRules, resolveRules } from './request-options.ts';
import { type NewHandler, type OldHandler, sinkOf } from './sink.ts';
import { type DispatchOptions, ForeignTransport } from './transport.ts';

export interface HealingOptions extends PolicyOptions {
  /** Hears what happens to every request. */
  readonly onEvent?: EventListener | undefined;
}

type Handler = OldHandler | NewHandler;

/** Answers to upgrades and CONNECT are not bodies: they keep their meaning and pass untouched. */
function isPassedThrough(options: DispatchOptions): boolean {
  return (
    (options.upgrade !== undefined && options.upgrade !== null && options.upgrade !== false) ||
    options.method === 'CONNECT'
  );
}

/** A request's own settings may ride along with what `undici.request` takes, as the property `reknit`. */
function rulesOf(options: DispatchOptions, shared: Shared): RequestRules {
  const own = (options as { readonly reknit?: RequestOptions }).reknit;
  return own === undefined ? defaultRules(shared.policy) : resolveRules(own, shared.policy);
}

/**
 * Heals what is dispatched through it: `dispatcher.compose(healing())`. `request`, `stream`, `pipeline` and every client
 * on top of that dispatcher see whole bodies. The connections stay the dispatcher's own: they have no limit of ours, and
 * a repeat after a stale one may meet another stale one; `createClient` knows better.
 *
 * @throws ConfigError if an option is wrong
 * @example
 * ```ts
 * import { Agent } from 'undici';
 * import { healing } from 'reknit';
 * const dispatcher = new Agent().compose(healing({ retry: { maxAttempts: 8 } }));
 * ```
 */
export function healing(options: HealingOptions = {}): Dispatcher.DispatcherComposeInterceptor {
  const policy = resolvePolicy(options, 'create the interceptor', ['onEvent']);
  const runtime = systemRuntime;
  const common = {
    policy,
    runtime,
    sweep: new Sweep(runtime.clock),
    budget: createBudget(policy.budget),
    isGentle: false,
    onEvent: options.onEvent,
  };
  return (dispatch) => {
    const shared: Shared = { ...common, transport: new ForeignTransport(dispatch as Dispatcher['dispatch']) };
    return (dispatchOptions, handler) => {
      if (isPassedThrough(dispatchOptions)) return dispatch(dispatchOptions, handler);
      const own = { headersTimeout: 0, bodyTimeout: 0, ...dispatchOptions };
      const life = new Life(shared, rulesOf(dispatchOptions, shared), own);
      new Exchange(life, own, sinkOf(handler as unknown as Handler)).begin();
      return true;
    };
  };
}

/** A dispatcher that heals, over the transport of a client. */
export class HealingDispatcher extends Dispatcher {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    super();
    this.#shared = shared;
  }

  override dispatch(options: DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isPassedThrough(options)) {
      this.#shared.transport.pass(options, handler);
      return true;
    }
    const life = new Life(this.#shared, rulesOf(options, this.#shared), options);
    new Exchange(life, options, sinkOf(handler as unknown as Handler)).begin();
    return true;
  }

  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | void {
    const closed = this.#shared.transport.close();
    if (callback === undefined) return closed;
    closed.then(callback, callback);
  }

  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> {
    const done = typeof error === 'function' ? error : callback;
    const destroyed = this.#shared.transport.destroy();
    if (done !== undefined) destroyed.then(done, done);
    return destroyed;
  }
}

/**
 * The dispatcher of one call: all its dispatches, which under `fetch` are the hops of its redirects, belong to one request
 * with one ledger and one deadline.
 */
export class CallDispatcher {
  /** Not inherited: undici's class is an EventEmitter, and making one costs as much as the rest of a call's objects. */
  readonly request = Dispatcher.prototype.request;
  readonly #shared: Shared;
  readonly #rules: RequestRules;
  readonly #operation: Operation | undefined;
  life: Life | undefined;

  constructor(shared: Shared, rules: RequestRules, operation?: Operation) {
    this.#operation = operation;
    this.#shared = shared;
    this.#rules = rules;
  }

  dispatch(options: DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isPassedThrough(options)) {
      this.#shared.transport.pass(options, handler);
      return true;
    }
    this.life ??= new Life(this.#shared, this.#rules, options, this.#operation);
    new Exchange(this.life, options, sinkOf(handler as unknown as Handler)).begin();
    return true;
  }
}

/** What all requests of a client share, over a given transport. */
export function createShared(parts: Omit<Shared, 'sweep' | 'budget'> & { readonly runtime: Runtime }): Shared {
  return { ...parts, sweep: new Sweep(parts.runtime.clock), budget: createBudget(parts.policy.budget) };
}
