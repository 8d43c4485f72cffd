import { diagnose, type Step } from '../../src/diagnose/index.ts';
import type { Case, Outcome } from './scenario.ts';

/** From here on a verdict is confident. */
export const CONFIDENT = 0.8;

export interface Judged extends Outcome {
  readonly case: string;
  readonly seed: number;
  readonly expect: readonly string[];
  readonly verdict: 'right' | 'right-unsettled' | 'wrong' | 'confident-and-wrong';
  readonly steps: readonly string[];
}

/** Plays a case once, and judges what was said of it. */
export async function judgeCase(one: Case, seed: number): Promise<Judged> {
  const steps: string[] = [];
  await using played = await one.play(seed);
  const outcome = await (played.elsewhere?.() ?? ours(played.url, { ...played.options }, steps));
  const [first] = outcome.causes;
  const isRight = first !== undefined && one.expect.includes(first.cause);
  const isConfident = outcome.kind === 'settled' && (first?.confidence ?? 0) >= CONFIDENT;
  const verdict = isRight ? (isConfident ? 'right' : 'right-unsettled') : isConfident ? 'confident-and-wrong' : 'wrong';
  return { ...outcome, case: one.name, seed, expect: one.expect, verdict, steps: outcome.steps ?? steps };
}

async function ours(
  url: string,
  options: NonNullable<Parameters<typeof diagnose>[1]>,
  steps: string[],
): Promise<Outcome> {
  const { verdict, requestCount, tookMs } = await diagnose(url, {
    ...options,
    onEvent: (event) => {
      if (event.type === 'finding') steps.push(wordsOf(event));
    },
  });
  const causes = verdict.causes.map(({ cause, confidence }) => ({ cause, confidence }));
  return { kind: verdict.kind, causes, requestCount, tookMs };
}

function wordsOf({ experiment, outcome, evidence, moved }: Step): string {
  const after = moved.after.map(({ cause, probability }) => `${cause} ${probability.toFixed(2)}`).join(', ');
  return `${experiment} = ${outcome} | ${evidence} | ${after}`;
}
