/** The limits of one attempt as they are now: they depend on what could be done about a silence. */
import type { HopHandler } from './hop-handler.ts';
import type { Life } from './life.ts';
import type { Reader } from './reader.ts';
import type { WatchLimits } from './watch.ts';

/** Under an unmodified program nothing healthy may break: undici's own limit stays where we could not try again. */
const UNDICI_TIMEOUT_MS = 300_000;

export interface AttemptSight {
  readonly life: Life;
  readonly hop: HopHandler | undefined;
  readonly reader: Reader | undefined;
  /** The request on the wire has a body. */
  readonly hasBody: boolean;
}

export function attemptLimits(phase: 'headers' | 'body', sight: AttemptSight): WatchLimits | undefined {
  const { policy, isGentle } = sight.life.shared;
  if (phase === 'body' && sight.reader?.representation?.isLive === true) return undefined;
  if (phase === 'headers' && waitsForCaller(sight)) return undefined;
  const mayRepeat = mayRepeatIn(phase, sight);
  const { stallMs, minBytesPerSecond } = policy.timeouts;
  const { headersMs } = sight.life;
  if (isGentle && !mayRepeat) return { headersMs: UNDICI_TIMEOUT_MS, stallMs: UNDICI_TIMEOUT_MS, minBytesPerSecond: 0 };
  return { headersMs, stallMs, minBytesPerSecond: mayRepeat ? minBytesPerSecond : 0 };
}

/** The request body is not sent yet, and not because the server does not read: its source is slow, which is no silence. */
function waitsForCaller({ hop, hasBody }: AttemptSight): boolean {
  const socket = hop?.connection?.socket;
  if (!hasBody || hop === undefined || socket === undefined) return false;
  return !hop.isUploaded && hop.connection?.isHttp2 !== true && !socket.writableNeedDrain;
}

function mayRepeatIn(phase: 'headers' | 'body', { life, reader }: AttemptSight): boolean {
  if (!life.isRepeatable || !life.body.isReplayable()) return false;
  if (phase === 'headers' || reader === undefined) return true;
  return reader.plan(life.rules.mayOverlapBlindly).kind !== 'impossible';
}
