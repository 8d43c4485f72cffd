/**
 * SIGINT, SIGTERM and SIGHUP go to the command, and end the run. The same one again, by a person who has lost patience, is a
 * SIGKILL; but one Ctrl-C may arrive twice at once, from the terminal and from a parent that passes it on (npx does).
 */
import { constants } from 'node:os';
import type { Clock } from '../runtime/index.ts';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const ONE_AND_THE_SAME_MS = 300;

export interface Forwarding {
  /** Aborted by the first. */
  readonly signal: AbortSignal;
  /** 128 + n of the first. */
  readonly exitCode: number | undefined;
  stop(): void;
}

export function forwardSignals(clock: Clock, forward: (name: NodeJS.Signals) => void): Forwarding {
  const controller = new AbortController();
  const seenAtMs = new Map<NodeJS.Signals, number>();
  const onSignal = (name: NodeJS.Signals) => {
    const nowMs = clock.nowMs();
    const before = seenAtMs.get(name);
    if (before !== undefined && nowMs - before < ONE_AND_THE_SAME_MS) return;
    seenAtMs.set(name, nowMs);
    forward(before === undefined ? name : 'SIGKILL');
    controller.abort();
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      const first = seenAtMs.keys().next().value;
      return first === undefined ? undefined : 128 + constants.signals[first];
    },
    stop: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
