/** The way in: `fetch` that heals, over any `fetch` of the WHATWG kind. */
import {
  ConfigError,
  createBudget,
  type EventListener,
  type PolicyOptions,
  rememberLedger,
  resolvePolicy,
  resolveRequestRules,
  show,
} from '../core/index.ts';
import { type Runtime, Sweep, systemRuntime } from '../runtime/index.ts';
import { Exchange } from './exchange.ts';
import type { Shared } from './life.ts';
import { type Fetch, type FetchInit, Outgoing } from './outgoing.ts';

/** `connections` and `timeouts.connectMs` are the wrapped `fetch`'s own affair, and have no effect here. */
export interface WrapOptions extends PolicyOptions {
  /** Hears what happens to every request. */
  readonly onEvent?: EventListener | undefined;
}

export type WrappedFetch = (input: string | URL | Request, init?: FetchInit) => Promise<Response>;

/**
 * Makes a `fetch` that survives broken connections: before the answer, and in its body, whose reader sees every byte of one
 * version once, or an error. It needs nothing but the Fetch Standard, so it runs in browsers, Deno, Bun, Workers and Node.
 *
 * It sees what `fetch` shows. Encoded bodies (gzip, br) come decoded: they are continued by reading them from the start
 * again, and their end is `unverifiable`. Whether a request was sent is seldom told: a POST is sent again only where its
 * error proves that it was not, or where `repeatable` or `idempotencyKey` say that it may be. Of redirects the ledger has
 * the first hop and the last.
 *
 * A call rejects as the platform does: with a `TypeError` whose `cause` is a `ReknitError`; its body errors in the same way.
 * An abort settles it at once with the signal's own reason, closes what is open and takes its listener off the signal.
 *
 * @param fetch called without a `this`; each attempt is one call of it, with a signal of its own
 * @throws ConfigError if an option is wrong; a wrong option of one call rejects that call
 * @example
 * ```ts
 * import { wrapFetch } from 'reknit/fetch';
 * const heal = wrapFetch(globalThis.fetch, { retry: { maxAttempts: 8 } });
 * const response = await heal('https://example.com/', { deadlineMs: 60_000 });
 * console.log((await response.arrayBuffer()).byteLength);
 * ```
 */
export function wrapFetch(fetch: Fetch, options: WrapOptions = {}): WrappedFetch {
  return createWrappedFetch(fetch, options, systemRuntime);
}

/** `wrapFetch` with the clock and the entropy of whoever calls: tests own time. */
export function createWrappedFetch(fetch: Fetch, options: WrapOptions, runtime: Runtime): WrappedFetch {
  if (typeof fetch !== 'function')
    throw new ConfigError(`Cannot wrap a fetch as it must be a function: received ${show(fetch)}`);
  const policy = resolvePolicy(options, 'wrap a fetch', ['onEvent']);
  const { onEvent } = options;
  const sweep = new Sweep(runtime.clock);
  const shared: Shared = { fetch, policy, runtime, sweep, budget: createBudget(policy.budget), onEvent };
  return async (input, init = {}) => {
    const rules = resolveRequestRules(init, policy);
    const outgoing = new Outgoing(input, init, rules);
    if (outgoing.signal?.aborted === true) {
      outgoing.body.release();
      throw outgoing.signal.reason;
    }
    const exchange = new Exchange(shared, rules, outgoing);
    const answer = await exchange.answer();
    rememberLedger(answer, exchange.ledger);
    return answer;
  };
}
