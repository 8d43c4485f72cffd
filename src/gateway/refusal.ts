/** Answers of the gateway itself: what happened, in the words of the API that the client speaks. */
import {
  DeadlineError,
  type Failure,
  failureOf,
  GaveUpError,
  ReknitError,
  redactUrl,
  type TrailEntry,
  trailOfLedger,
} from '../core/index.ts';
import type { ModelApi } from './model-api.ts';

/** An answer that no upstream gave. */
export interface Refusal {
  readonly status: number;
  /** One word for machines: in the body, the log and the metrics. */
  readonly code: string;
  readonly message: string;
  /** When it is worth to come back; ms. */
  readonly retryAfterMs?: number | undefined;
  readonly trail?: readonly TrailEntry[] | undefined;
  /** This side has tried as often as it makes sense. */
  readonly isExhausted?: boolean;
}

export function refuse(status: number, code: string, message: string, retryAfterMs?: number): Refusal {
  return { status, code, message, retryAfterMs };
}

/** What a request ends with that no upstream has answered. */
export function refusalOf(error: unknown): Refusal {
  const failure = failureOf(error);
  const ledger = error instanceof ReknitError ? error.ledger : undefined;
  const trail = ledger === undefined ? undefined : trailOfLedger(ledger);
  const code = error instanceof GaveUpError ? error.reason : error instanceof DeadlineError ? 'deadline' : 'internal';
  const said =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  const status = error instanceof DeadlineError ? 504 : (ownStatusOf(error) ?? statusOf(failure, code));
  return {
    status,
    code: status === 413 ? 'body-too-large' : failure?.origin === 'caller' ? 'invalid-request' : code,
    message: redactUrl(said.split('\n', 1)[0]!),
    retryAfterMs: failure?.pushbackMs,
    trail,
    isExhausted: (ledger?.attemptCount ?? 0) > 0,
  };
}

/** The body that the client sends was refused while it was sent on. */
function ownStatusOf(error: unknown): number | undefined {
  let link = error;
  for (let depth = 0; depth < 8 && typeof link === 'object' && link !== null; depth += 1) {
    if (link instanceof BodyTooLargeError) return 413;
    link = (link as { readonly cause?: unknown }).cause;
  }
  return undefined;
}

/** More than the gateway takes; seen only when some of it has been sent on. */
export class BodyTooLargeError extends Error {}

function statusOf(failure: Failure | undefined, code: string): number {
  if (failure === undefined) return 500;
  if (failure.kind === 'throttled' || failure.kind === 'proxy-throttled') return 429;
  if (failure.origin === 'caller') return failure.kind === 'aborted' ? 499 : 400;
  if (failure.origin === 'local' || failure.origin === 'consumer' || failure.origin === 'unknown') return 500;
  if (['headers-timeout', 'stall', 'trickle', 'timed-out', 'connect-timeout'].includes(failure.kind)) return 504;
  const { status } = failure;
  if (status === 413 || status === 504) return status;
  if (status === 503 || status === 529 || code === 'budget-exhausted') return 503;
  return 502;
}

export function bodyOf(refusal: Refusal, api: ModelApi | undefined): string {
  const { code, message, status, trail } = refusal;
  const attempts = trail?.map((entry) => ({
    upstream: entry.upstream,
    round: entry.roundNumber,
    class: entry.outcomeClass ?? null,
    status: entry.failure?.status ?? null,
    failure: entry.failure?.what ?? null,
    ms: entry.durationMs === undefined ? null : Math.round(entry.durationMs),
  }));
  const more = attempts === undefined ? {} : { attempts };
  const type = typeOf(status);
  if (api === 'anthropic') return `${JSON.stringify({ type: 'error', error: { type, message, code, ...more } })}\n`;
  return `${JSON.stringify({ error: { message, type, param: null, code, ...more } })}\n`;
}

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  if (status === 413) return 'request_too_large';
  if (status === 404) return 'not_found_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

/** Name, value, name, value. */
export function headersOf(refusal: Refusal, body: string): string[] {
  const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body))];
  const { retryAfterMs, isExhausted } = refusal;
  if (retryAfterMs !== undefined) headers.push('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
  // SDKs would multiply our attempts by theirs.
  if (isExhausted) headers.push('x-should-retry', 'false');
  return headers;
}
