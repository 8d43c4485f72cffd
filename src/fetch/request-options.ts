import { type RequestOptions, requestOptionNames } from '../core/index.ts';

/** The rest of an init, which the wrapped `fetch` understands. */
export function withoutOptions<T extends object>(init: T & RequestOptions): Omit<T, keyof RequestOptions> {
  const rest = { ...init };
  for (const name of requestOptionNames) delete rest[name];
  return rest;
}
