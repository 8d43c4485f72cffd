import { type Timer, VirtualClock } from '../../src/runtime/index.ts';

/** A virtual clock that counts the client's timers, those that keep a process alive apart from those that do not. */
export class CountedClock extends VirtualClock {
  busy = 0;
  idle = 0;

  override after(delayMs: number, act: () => void, kind: 'busy' | 'idle' = 'busy'): Timer {
    let now = kind;
    this[now] += 1;
    let isOver = false;
    const over = () => {
      if (!isOver) this[now] -= 1;
      isOver = true;
    };
    const timer = super.after(delayMs, () => {
      over();
      act();
    });
    return {
      keepAlive: (isNeeded) => {
        if (isOver) return;
        this[now] -= 1;
        now = isNeeded ? 'busy' : 'idle';
        this[now] += 1;
      },
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
