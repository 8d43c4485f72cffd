import { type Timer, VirtualClock } from '../../src/runtime/index.ts';

/** A virtual clock that counts the client's timers, those that keep a process alive apart from those that do not. */
export class CountedClock extends VirtualClock {
  busy = 0;
  idle = 0;

  override after(delayMs: number, act: () => void, kind: 'busy' | 'idle' = 'busy'): Timer {
    this[kind] += 1;
    let isOver = false;
    const over = () => {
      if (!isOver) this[kind] -= 1;
      isOver = true;
    };
    const timer = super.after(delayMs, () => {
      over();
      act();
    });
    return {
      cancel: () => {
        over();
        timer.cancel();
      },
    };
  }

  /** A timer of the world outside, which nobody counts. */
  outside(delayMs: number, act: () => void): Timer {
    return super.after(delayMs, act);
  }
}
