import type { ClientOptions } from '../http/index.ts';

/** A download is worth more patience than a request. */
export const GET_ATTEMPTS = 10;

/** A budget guards servers against many requests; the attempts of one download are bounded by `maxAttempts` alone. */
const BUDGET_CAPACITY = 1_000;

/** Fills in what a download wants otherwise than a client's defaults. */
export function clientOptionsForDownload(options: ClientOptions): ClientOptions {
  return {
    ...options,
    retry: { maxAttempts: GET_ATTEMPTS, ...options.retry },
    budget: { ratio: 1, capacity: BUDGET_CAPACITY, ...options.budget },
  };
}
