/** A call of a wrapped `fetch` in virtual time, driven until it settles. */
import { setImmediate } from 'node:timers';
import type { VirtualClock } from '../../src/runtime/index.ts';

/** Lets everything run that waits for no timer. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Moves time until `work` has settled. @throws if it waits for nothing that could still happen */
export async function drive<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  work.then(settle, settle);
  while (true) {
    await turn();
    if (isSettled) return work;
    if (!clock.step()) throw new Error(`it hangs at ${clock.nowMs()} ms`);
  }
}

/** Moves time until nothing is left to happen. @throws if something goes on for ever */
export async function drain(clock: VirtualClock, maxSteps = 100): Promise<void> {
  for (let steps = 0; steps < maxSteps; steps += 1) {
    await turn();
    if (!clock.step()) return;
  }
  throw new Error('a timer is left that sets itself again');
}

/** A signal that counts who listens to it. */
export class CountedAbort {
  readonly #controller = new AbortController();
  listeners = 0;
  readonly signal: AbortSignal = this.#controller.signal;

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parts: Parameters<typeof add>) => {
      this.listeners += 1;
      add(...parts);
    };
    signal.removeEventListener = (...parts: Parameters<typeof remove>) => {
      this.listeners -= 1;
      remove(...parts);
    };
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }
}
