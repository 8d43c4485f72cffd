import type { GetFlags } from './get-flags.ts';
import type { Level } from './text-reporter.ts';

export function levelOf({ quiet, verbose }: GetFlags): Level {
  return quiet === true ? 'quiet' : verbose === true ? 'verbose' : 'normal';
}

/** Bars and colours are for a person in front of a terminal. */
export function isLiveTerminal(level: Level): boolean {
  return level !== 'quiet' && process.stderr.isTTY === true && !process.env.NO_COLOR && !process.env.CI;
}
