/** The only readers of clock, timers and entropy. Everything else is handed a `Runtime`, so that tests own time. */

export interface Timer {
  cancel(): void;
  /** Whether it keeps the process alive, from now on. */
  keepAlive(isNeeded: boolean): void;
}

export interface Clock {
  /** Monotonic milliseconds; only differences mean something. */
  nowMs(): number;
  /** Milliseconds since 1970, for comparing with dates that servers send. */
  wallMs(): number;
  /**
   * Calls `act` after `delayMs`; 0 means as soon as the current work is done.
   * An `idle` timer does not keep the process alive.
   */
  after(delayMs: number, act: () => void, kind?: 'busy' | 'idle'): Timer;
}

export interface Runtime {
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
}

const noTimer: Timer = { cancel: () => {}, keepAlive: () => {} };

function startTimer(delayMs: number, act: () => void, kind: 'busy' | 'idle'): Timer {
  if (delayMs <= 0) {
    let isCancelled = false;
    queueMicrotask(() => {
      if (!isCancelled) act();
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
      keepAlive: () => {},
    };
  }
  const handle = setTimeout(act, delayMs);
  const keepAlive = (isNeeded: boolean) => {
    // Only Node.js has it: there a timer is an object, in browsers a number.
    if (typeof handle !== 'object') return;
    const timer = handle as { ref?: () => void; unref?: () => void };
    if (isNeeded) timer.ref?.();
    else timer.unref?.();
  };
  if (kind === 'idle') keepAlive(false);
  return { cancel: () => clearTimeout(handle), keepAlive };
}

/** Read once: of the global object it is a getter. */
const { performance } = globalThis;

/** The platform's own clock and entropy. */
export const systemRuntime: Runtime = Object.freeze({
  clock: Object.freeze({
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    after: (delayMs: number, act: () => void, kind: 'busy' | 'idle' = 'busy') => startTimer(delayMs, act, kind),
  }),
  random: () => Math.random(),
});

/** A wait that hears the abort signal at once. Rejects with the signal's own reason. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    let timer: Timer = noTimer;
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
