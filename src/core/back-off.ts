/**
 * Full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): a wait drawn evenly from
 * zero to an exponentially growing cap spreads the attempts of many clients best.
 */

/** The cap of the n-th wait in a row (1-based): `baseDelayMs · 2^(n−1)`, at most `maxDelayMs`. */
export function delayCapMs(waitNumber: number, baseDelayMs: number, maxDelayMs: number): number {
  // 2^52 is past every cap that a person would set, and keeps the product finite.
  return Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(waitNumber - 1, 52));
}

/** The n-th wait in a row, whole milliseconds. `random` gives numbers in [0, 1). */
export function jitteredDelayMs(
  waitNumber: number,
  baseDelayMs: number,
  maxDelayMs: number,
  random: () => number,
): number {
  return Math.round(random() * delayCapMs(waitNumber, baseDelayMs, maxDelayMs));
}
