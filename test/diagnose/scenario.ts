/** What a diagnosis is judged by: servers and ways whose trouble is known, because this code has made it. */
import type { DiagnoseOptions } from '../../src/diagnose/index.ts';
import { type Lab, type LabOptions, type Scenario, startLab } from '../../src/lab/index.ts';

export interface Played extends AsyncDisposable {
  readonly url: string;
  readonly options?: DiagnoseOptions;
  /** Runs it elsewhere (inside of a network namespace), and returns what `--json` said last. */
  readonly elsewhere?: () => Promise<Outcome>;
}

/** What a diagnosis came to. */
export interface Outcome {
  readonly kind: 'settled' | 'not-settled';
  readonly causes: readonly { readonly cause: string; readonly confidence: number }[];
  readonly requestCount: number;
  readonly tookMs: number;
  readonly steps?: readonly string[];
}

export interface Case {
  readonly name: string;
  /** What is the matter: the first is what it is called, the others are what an engineer might as well say. */
  readonly expect: readonly [string, ...string[]];
  /** In one line, for the table. */
  readonly what: string;
  /** Undefined where it can be played; else why not. */
  readonly missing?: string | undefined;
  /** In `npm test`. */
  readonly isQuick?: boolean;
  play(seed: number): Promise<Played>;
}

export const KiB = 1_024;
export const MiB = 1_048_576;

export interface LabCase {
  readonly name: string;
  readonly expect: Case['expect'];
  readonly what: string;
  readonly isQuick?: boolean;
  readonly lab?: LabOptions;
  readonly scenario: (seed: number) => Omit<Scenario, 'name'>;
  readonly options?: (lab: Lab) => DiagnoseOptions;
  /** Goes through the run's proxy. */
  readonly isProxied?: boolean;
  readonly url?: (url: string) => string;
}

/** A scenario of the lab, on a port of its own. */
export function labCase({
  name,
  expect,
  what,
  isQuick,
  lab: labOptions,
  scenario,
  options,
  isProxied,
  url,
}: LabCase): Case {
  return {
    name,
    expect,
    what,
    ...(isQuick === undefined ? {} : { isQuick }),
    play: async (seed) => {
      const lab = await startLab({ ...labOptions, seed });
      const run = lab.play({ name, ...scenario(seed) }, { port: 'own' });
      await run.ready;
      return {
        url: url?.(run.url) ?? run.url,
        options: {
          ...(labOptions?.tls === true || run.url.startsWith('https:') ? { tls: { ca: lab.ca } } : {}),
          ...(isProxied ? { proxy: run.proxy!.url } : { proxy: false as const }),
          ...options?.(lab),
        },
        [Symbol.asyncDispose]: () => lab.close(),
      };
    },
  };
}

/** mulberry32, as the seeds of a case are used. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Numbers from 1 to 200, each with that probability. */
export function some(seed: number, ratio: number): readonly number[] {
  const random = seeded(seed);
  return Array.from({ length: 200 }, (_, index) => index + 1).filter(() => random() < ratio);
}
