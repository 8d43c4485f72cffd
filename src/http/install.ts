/** Healing for programs that are not changed: the global `fetch`, and undici's global dispatcher for everything else. */
import { getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { systemRuntime } from '../runtime/index.ts';
import { type ClientOptions, createClientShared } from './client.ts';
import { type FetchInit, healingFetch } from './fetch.ts';
import { HealingDispatcher } from './healing.ts';

type Fetch = typeof globalThis.fetch;

/**
 * Makes every `fetch` of the process heal, and every request over undici's global dispatcher. Nothing healthy may break:
 * limits on headers and silence hold only where another attempt is allowed, else undici's 300 s stay; never for event
 * streams. A call that brings its own `dispatcher` is left alone. Users of `node:http` (axios, older got) are not reached.
 *
 * @returns puts everything back as it was
 * @throws ConfigError if an option is wrong
 * @example
 * ```ts
 * import { install } from 'reknit';
 * const uninstall = install({ retry: { maxAttempts: 8 } });
 * await fetch('https://example.com/');
 * uninstall();
 * ```
 */
export function install(options: ClientOptions = {}): () => void {
  const shared = createClientShared(options, systemRuntime, { isGentle: true });
  const fetchBefore = globalThis.fetch;
  const dispatcherBefore = getGlobalDispatcher();
  const dispatcher = new HealingDispatcher(shared);
  const healed: Fetch = Object.defineProperty(
    (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const own = (init as { readonly dispatcher?: unknown } | undefined)?.dispatcher;
      // A relative or foreign URL, or one with a login, fails as it always did, in the platform's own words.
      if (own !== undefined || !isHttp(input)) return fetchBefore(input, init);
      return healingFetch(shared, input, init as FetchInit | undefined);
    },
    'name',
    { value: 'fetch' },
  ) as Fetch;
  globalThis.fetch = healed;
  setGlobalDispatcher(dispatcher);
  return () => {
    if (globalThis.fetch === healed) globalThis.fetch = fetchBefore;
    if (getGlobalDispatcher() === dispatcher) setGlobalDispatcher(dispatcherBefore);
    void shared.transport.close();
  };
}

function isHttp(input: string | URL | Request): boolean {
  const url = typeof input === 'object' && 'url' in input ? input.url : String(input);
  return /^https?:\/\/(?![^/?#]*@)/i.test(url) && URL.canParse(url);
}
