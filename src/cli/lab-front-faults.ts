/** What `--in-front-of` can do to connections without a file of rules. */
import type { FrontRule } from '../lab/index.ts';

const somewhere = { atRandomByte: { min: 262_144, max: 2_097_152 } };

const named = {
  rst: [{ on: 'every', do: { kind: 'cut', by: 'rst', ...somewhere } }],
  fin: [{ on: 'every', do: { kind: 'cut', by: 'fin', ...somewhere } }],
  stall: [{ on: 'every', do: { kind: 'stall', ...somewhere } }],
  refuse: [{ on: 'every', shareRatio: 0.5, do: { kind: 'refuse' } }],
  'above-two': [{ on: 'every', concurrentAbove: 2, do: { kind: 'refuse' } }],
  slow: [
    {
      on: 'every',
      do: [
        { kind: 'rate', bytesPerSecond: 1_048_576 },
        { kind: 'latency', delayMs: 200 },
      ],
    },
  ],
  none: [],
} as const satisfies Readonly<Record<string, readonly FrontRule[]>>;

export const frontNames = Object.keys(named);

/** `undefined` where none has this name. */
export function namedRules(name: string): readonly FrontRule[] | undefined {
  return Object.hasOwn(named, name) ? named[name as keyof typeof named] : undefined;
}
