import type { Life } from './life.ts';
import type { Reader } from './reader.ts';
import type { RequestBody } from './request-body.ts';
import type { WaitPhase, WatchLimits } from './watch.ts';

/** What the platform takes of a request body at once, into its socket. */
const SOCKET_BUFFER_BYTES = 65_536;

/** The limits of a wait as they are now; undefined for none. */
export function limitsFor(
  phase: WaitPhase,
  life: Life,
  body: RequestBody,
  reader: Reader | undefined,
): WatchLimits | undefined {
  if (phase === 'body' && reader?.isLive === true) return undefined;
  const { headersMs, stallMs, minBytesPerSecond } = life.shared.policy.timeouts;
  const uploadBytes = Math.max(0, body.unwatchedBytes - SOCKET_BUFFER_BYTES);
  // A large body that the platform took at once is on its way for as long as the slowest rate allows.
  const uploadMs = uploadBytes === 0 ? 0 : (uploadBytes * 1000) / minBytesPerSecond;
  const mayRepeat =
    life.isRepeatable && body.isReplayable() && (reader === undefined || reader.plan().kind !== 'impossible');
  // A slow body is better than none: the floor holds only where another attempt is allowed.
  return { headersMs: headersMs + uploadMs, stallMs, minBytesPerSecond: mayRepeat ? minBytesPerSecond : 0 };
}
