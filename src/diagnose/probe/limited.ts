import type { Clock } from '../../runtime/index.ts';

export interface Limit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** What the error says when the time is up. */
  readonly code: string;
  readonly what: string;
}

/**
 * One step on a socket that ends by an event, by its time limit, or by the abort. `begin` starts it and returns how its
 * listeners are taken away; it may settle at once.
 */
export function limited<T>(
  { clock, limitMs, signal, code, what }: Limit,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let release = () => {};
    let isOver = false;
    const finish = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      release();
      act();
    };
    const onAbort = () => finish(() => reject(signal.reason));
    const timer = clock.after(Math.max(1, limitMs), () => finish(() => reject(timeoutError(code, what, limitMs))));
    signal.addEventListener('abort', onAbort, { once: true });
    release = begin(
      (value) => finish(() => resolve(value)),
      (error) => finish(() => reject(error)),
    );
    // It has settled before it could tell how to let go.
    if (isOver) release();
  });
}

function timeoutError(code: string, what: string, limitMs: number): Error {
  return Object.assign(new Error(`${what} took longer than ${Math.round(limitMs)} ms`), { code });
}
