import type { Diagnosis } from '../../src/diagnose/index.ts';
import type { Truth } from './truths.ts';

/** A blind diagnosis beside the truth. */
export interface Blind {
  readonly scenario: string;
  readonly verdict: 'right' | 'right-unsettled' | 'wrong-unsettled' | 'confident-and-wrong';
  readonly says: readonly string[];
  readonly causes: readonly { readonly cause: string; readonly confidence: number }[];
  readonly requestCount: number;
  readonly tookMs: number;
  readonly steps: readonly string[];
}

/** @param diagnosis undefined where the command said none */
export function judgeBlind(scenario: string, truth: Truth, diagnosis: Diagnosis | undefined): Blind {
  const causes = (diagnosis?.verdict.causes ?? []).map(({ cause, confidence }) => ({ cause, confidence }));
  const first = causes[0]?.cause;
  const isIn = (list: readonly string[] = []) => first !== undefined && list.includes(first);
  const verdict =
    diagnosis?.verdict.kind === 'settled'
      ? isIn(truth.says)
        ? 'right'
        : 'confident-and-wrong'
      : isIn(truth.says) || isIn(truth.maybe)
        ? 'right-unsettled'
        : 'wrong-unsettled';
  return {
    scenario,
    verdict,
    says: truth.says,
    causes,
    requestCount: diagnosis?.requestCount ?? 0,
    tookMs: diagnosis?.tookMs ?? 0,
    steps: (diagnosis?.steps ?? []).map(({ experiment, outcome, evidence, moved }) => {
      const after = moved.after.map(({ cause, probability }) => `${cause} ${probability.toFixed(2)}`).join(', ');
      return `${experiment} = ${outcome} | ${evidence} | ${after}`;
    }),
  };
}
