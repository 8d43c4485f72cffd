import { parseHttpDate } from './http-date.ts';

/** The header fields by which a server asks to be left alone, as received. */
export interface PushbackFields {
  /** `Retry-After`: delta-seconds or an HTTP-date (RFC 9110 10.2.3). */
  readonly retryAfter?: string | undefined;
  /** `retry-after-ms`: milliseconds; sent by Azure and OpenAI, finer than `Retry-After` beside it. */
  readonly retryAfterMs?: string | undefined;
  /** The response's own `Date`: with it a server's wrong clock does not matter. */
  readonly date?: string | undefined;
  /** `RateLimit-Reset` or `X-RateLimit-Reset`: seconds from now, or since 1970. Read only if nothing remains. */
  readonly rateLimitReset?: string | undefined;
  /** `RateLimit-Remaining` or `X-RateLimit-Remaining`: many servers send the reset on every response. */
  readonly rateLimitRemaining?: string | undefined;
}

/** A number of seconds above this is an instant: 2001 as seconds since 1970, 31 years as a wait. */
const EPOCH_SECONDS_FLOOR = 1_000_000_000;

/**
 * The server's wish to be left alone, in ms from now: 0 or more, at most `Number.MAX_SAFE_INTEGER`, rounded up, since
 * a pushback is a floor. `undefined` where nothing was asked, or nothing that can be read: garbage is no wish.
 *
 * @param nowWallMs ms since 1970 on our wall clock; read only where the response has no valid `Date`.
 */
export function parsePushback(fields: PushbackFields, nowWallMs: number): number | undefined {
  const dateMs = fields.date === undefined ? undefined : parseHttpDate(fields.date, nowWallMs);
  const sentAtMs = dateMs ?? nowWallMs;
  return (
    toPushbackMs(parseNumber(fields.retryAfterMs)) ??
    parseRetryAfter(fields.retryAfter, sentAtMs) ??
    parseRateLimit(fields, sentAtMs)
  );
}

function parseRetryAfter(text: string | undefined, sentAtMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseNumber(text);
  if (seconds !== undefined) return toPushbackMs(seconds * 1_000);
  const instantMs = parseHttpDate(text, sentAtMs);
  return instantMs === undefined ? undefined : toPushbackMs(instantMs - sentAtMs);
}

function parseRateLimit(fields: PushbackFields, sentAtMs: number): number | undefined {
  if (parseNumber(fields.rateLimitRemaining) !== 0) return undefined;
  const seconds = parseNumber(fields.rateLimitReset);
  if (seconds === undefined) return undefined;
  return toPushbackMs(seconds * 1_000 - (seconds > EPOCH_SECONDS_FLOOR ? sentAtMs : 0));
}

/** A decimal number, or the largest of several: a field that a proxy repeated arrives joined by commas. */
function parseNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parts = text.split(',').map((part) => part.trim());
  if (!parts.every((part) => /^[+-]?(\d+\.?\d*|\.\d+)$/.test(part))) return undefined;
  return Math.max(...parts.map(Number));
}

function toPushbackMs(milliseconds: number | undefined): number | undefined {
  if (milliseconds === undefined) return undefined;
  // Through 3 decimals first: 1.1 s are 1100.0000000000002 ms, and must not become 1101.
  const roundedUpMs = Math.ceil(Number(milliseconds.toFixed(3)));
  return Math.min(Math.max(roundedUpMs, 0), Number.MAX_SAFE_INTEGER);
}
