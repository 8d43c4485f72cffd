import type { ClientOptions } from '../http/index.ts';

/** A download is worth more patience than a request. */
export const GET_ATTEMPTS = 10;

/** A budget guards servers against many requests; the attempts of one download are bounded by `maxAttempts` alone. */
const BUDGET_CAPACITY = 1_000;

/** Shorter than the time for which a connection counts as ours behind its last request (`host-gate.ts`). */
const MAX_IDLE_MS = 200;

/** Fills in what a download wants otherwise than a client's defaults. */
export function clientOptionsForDownload(options: ClientOptions): ClientOptions {
  return {
    ...options,
    retry: { maxAttempts: GET_ATTEMPTS, ...options.retry },
    budget: { ratio: 1, capacity: BUDGET_CAPACITY, ...options.budget },
  };
}

/** As many connections as there are files at once, a budget for all of them, and none kept open for long: others may wait. */
export function clientOptionsForBatch(options: ClientOptions, jobs: number, files: number): ClientOptions {
  const { connections = {}, budget = {}, retry = {} } = options;
  const capacity = Math.max(BUDGET_CAPACITY, budget.capacity ?? 0, files * (retry.maxAttempts ?? GET_ATTEMPTS));
  const maxIdleMs = Math.min(connections.maxIdleMs ?? MAX_IDLE_MS, MAX_IDLE_MS);
  const maxPerOrigin = Math.max(connections.maxPerOrigin ?? 0, jobs);
  return clientOptionsForDownload({
    ...options,
    connections: { ...connections, maxPerOrigin, maxIdleMs },
    budget: { ...budget, capacity },
  });
}
