/** The clocks of one attempt: the wait for headers, silence in the body, and a floor under its rate. */
import { type Clock, NOT_WATCHED, type Sweep, type Watched } from '../runtime/index.ts';

export interface WatchLimits {
  readonly headersMs: number;
  readonly stallMs: number;
  readonly minBytesPerSecond: number;
}

export interface Watchee {
  /** The limits as they are now; undefined for none. */
  limits(phase: WaitPhase): WatchLimits | undefined;
  /** Request body bytes handed to the platform; only its changes matter. */
  readonly uploadedBytes: number;
  /** The caller's own request stream has nothing to send: no fault of the server's. */
  readonly isStarved: boolean;
  onAlarm(alarm: Error): void;
}

export type WaitPhase = 'wait' | 'body';

/** A sweep that comes later than this was held up by our own process. */
const MAX_SWEEP_GAP_MS = 1_000;

/**
 * Watches only while something is waited for: a paused reader is no stall, and an abandoned answer is held by nobody.
 */
export class WaitWatch implements Watched {
  readonly #watchee: Watchee;
  readonly #sweep: Sweep;
  sweepIndex = NOT_WATCHED;
  readonly #clock: Clock;
  #phase: WaitPhase = 'wait';
  #sinceMs = 0;
  #checkedAtMs = 0;
  #uploadedBytes = 0;
  /** Time spent waiting for the bytes of the window, and how many came. */
  #windowMs = 0;
  #windowBytes = 0;

  constructor(watchee: Watchee, sweep: Sweep, clock: Clock) {
    this.#watchee = watchee;
    this.#sweep = sweep;
    this.#clock = clock;
  }

  begin(phase: WaitPhase): void {
    this.#phase = phase;
    this.#sinceMs = this.#checkedAtMs = this.#clock.nowMs();
    if (phase === 'wait') {
      this.#windowMs = this.#windowBytes = 0;
      this.#uploadedBytes = this.#watchee.uploadedBytes;
    }
    this.#sweep.add(this);
  }

  /** @param bytes what the wait has brought */
  end(bytes: number): void {
    this.#sweep.delete(this);
    if (this.#phase === 'wait') return;
    this.#windowMs += this.#clock.nowMs() - this.#sinceMs;
    this.#windowBytes += bytes;
  }

  check(nowMs: number): void {
    const gapMs = nowMs - this.#checkedAtMs;
    this.#checkedAtMs = nowMs;
    const limits = this.#watchee.limits(this.#phase);
    // We were not there ourselves (a blocked event loop, a suspended machine): what came meanwhile is still unread.
    if (limits === undefined || gapMs > MAX_SWEEP_GAP_MS) this.#restart(nowMs);
    else if (this.#phase === 'wait') this.#checkHeaders(limits, nowMs);
    else this.#checkBody(limits, nowMs);
  }

  #restart(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#windowMs = this.#windowBytes = 0;
  }

  #checkHeaders({ headersMs }: WatchLimits, nowMs: number): void {
    const { uploadedBytes, isStarved } = this.#watchee;
    if (isStarved || uploadedBytes !== this.#uploadedBytes) this.#sinceMs = nowMs;
    this.#uploadedBytes = uploadedBytes;
    if (nowMs - this.#sinceMs < headersMs) return;
    this.#watchee.onAlarm(alarm('ERR_REKNIT_HEADERS_TIMEOUT', `no answer within ${headersMs} ms`));
  }

  #checkBody({ stallMs, minBytesPerSecond }: WatchLimits, nowMs: number): void {
    const silentMs = nowMs - this.#sinceMs;
    if (silentMs >= stallMs) {
      this.#watchee.onAlarm(alarm('ERR_REKNIT_STALL', `no byte for ${stallMs} ms`));
      return;
    }
    const windowMs = this.#windowMs + silentMs;
    if (windowMs < stallMs) return;
    const bytesPerSecond = (this.#windowBytes * 1000) / windowMs;
    if (bytesPerSecond < minBytesPerSecond) {
      const text = `only ${Math.round(bytesPerSecond)} bytes per second`;
      this.#watchee.onAlarm(alarm('ERR_REKNIT_TRICKLE', text));
      return;
    }
    // The silence so far belongs to the window that ends here, and `end` will count it with the next.
    this.#windowMs = -silentMs;
    this.#windowBytes = 0;
  }
}

/** The error that stands for one of our clocks in a chain of causes; the table of failures knows its code. */
function alarm(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
