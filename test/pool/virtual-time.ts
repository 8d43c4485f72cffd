import { setImmediate as turn } from 'node:timers/promises';
import { type VirtualClock, virtualRuntime } from '../../src/runtime/index.ts';

/** Lets virtual time pass until the promise settles. What nobody's clock would ever end is said, not waited for. */
export async function playOut<T>(clock: VirtualClock, running: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  running.then(settle, settle);
  for (let steps = 0; steps < 10_000; steps += 1) {
    await turn();
    if (isSettled) return await running;
    if (!clock.step()) throw new Error('nothing is left to wait for, and the promise has not settled');
  }
  throw new Error('no end after 10,000 timers');
}

/** Runs what is under way until it waits for the clock. */
export async function settled(): Promise<void> {
  await turn();
  await turn();
}

export { virtualRuntime };
