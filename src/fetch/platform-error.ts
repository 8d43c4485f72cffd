import { isReknitError } from '../core/index.ts';

/**
 * As the platform fails: a `TypeError`, with our error as its cause. The two texts are those by which libraries know a
 * network error (undici's, also known to `is-network-error`).
 */
export function asPlatformError(error: unknown, text: 'fetch failed' | 'terminated'): unknown {
  return isReknitError(error) ? new TypeError(text, { cause: error }) : error;
}
