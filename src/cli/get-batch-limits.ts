import type { GetSettings } from './get-settings.ts';

/** Said once, where processes cannot meet. */
export const LOCAL_LIMITS =
  'connections per host are limited for this process alone, since the state folder cannot be used';

/** Who asks for more connections gets them, as long as the host says nothing. */
export function firstLimitOf({ transfer, batch }: GetSettings): number {
  return Math.min(64, Math.max(8, transfer.initialConnections ?? 1, transfer.maxConnections ?? 1, batch?.jobs ?? 1));
}
