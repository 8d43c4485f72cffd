/** SIGINT, SIGTERM and SIGHUP go to the command, and end the run; a second SIGINT is a SIGKILL. */
import { constants } from 'node:os';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Forwarding {
  /** Aborted by the first. */
  readonly signal: AbortSignal;
  /** 128 + n of the first. */
  readonly exitCode: number | undefined;
  stop(): void;
}

export function forwardSignals(forward: (name: NodeJS.Signals) => void): Forwarding {
  const controller = new AbortController();
  let first: NodeJS.Signals | undefined;
  let hasInterrupted = false;
  const onSignal = (name: NodeJS.Signals) => {
    first ??= name;
    forward(name === 'SIGINT' && hasInterrupted ? 'SIGKILL' : name);
    hasInterrupted ||= name === 'SIGINT';
    controller.abort();
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return first === undefined ? undefined : 128 + constants.signals[first];
    },
    stop: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
