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

/** The shared sweep looks once more, finds nobody to watch, and stops. */
const LAST_LOOK_MS = 100;

/** Nothing is left to happen. @throws if a timer is */
export async function expectDrained(clock: VirtualClock): Promise<void> {
  const endMs = clock.nowMs() + LAST_LOOK_MS;
  await turn();
  while (clock.step()) {
    if (clock.nowMs() > endMs) throw new Error(`a timer was left for ${clock.nowMs() - endMs + LAST_LOOK_MS} ms later`);
    await turn();
  }
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
