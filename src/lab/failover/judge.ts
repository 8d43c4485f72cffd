/** What both sides saw, as one verdict. Pure. */
import type { FailoverFault, FailoverView } from './faults.ts';

/**
 * `pass`: the caller has the whole answer (or, where nobody should answer, the provider's error), and every check holds;
 * `partial`: the same, but an advisory check does not hold, or a refusal was routed around; `safe`: no answer, but an error
 * in time, and the required checks hold; `fail`: a hang, a part passed off as the whole, or a required check that does not hold.
 */
export type FailoverVerdict = 'pass' | 'partial' | 'safe' | 'fail';

export interface FailoverScore {
  readonly id: string;
  readonly title: string;
  readonly verdict: FailoverVerdict;
  /** For people: what spoke against more, or what happened. */
  readonly because: string;
  readonly primaryAttempts: number;
  readonly fallbackAttempts: number;
  readonly durationMs: number;
}

export function judgeFailover(fault: FailoverFault, view: FailoverView): FailoverScore {
  const { id, title } = fault;
  const { calls, primaryAtMs, fallbackCount } = view;
  return {
    id,
    title,
    ...verdictOf(fault, view),
    primaryAttempts: primaryAtMs.length,
    fallbackAttempts: fallbackCount,
    durationMs: Math.max(...calls.map(({ durationMs }) => durationMs)),
  };
}

function verdictOf({ ideal = 'success', checks }: FailoverFault, view: FailoverView) {
  const { calls } = view;
  const found = (verdict: FailoverVerdict, because: string) => ({ verdict, because });
  if (calls.some(({ outcome }) => outcome === 'hang')) return found('fail', 'a hang');
  if (ideal === 'success' && calls.some(({ outcome, isComplete }) => outcome === 'success' && !isComplete))
    return found('fail', 'a part is passed off as the whole');
  const broken = checks.filter((check) => !check.holds(view));
  const required = broken.filter(({ isAdvisory }) => isAdvisory !== true).map(({ name }) => name);
  if (required.length > 0) return found('fail', `does not hold: ${required.join('; ')}`);
  const error = calls.find(({ outcome }) => outcome === 'error')?.error;
  if (ideal === 'error')
    return error === undefined
      ? found('partial', 'the refusal was routed around')
      : found('pass', `the provider's own error: ${error}`);
  if (error !== undefined) return found('safe', `an error, in time: ${error}`);
  if (broken.length === 0) return found('pass', 'the whole answer');
  return found('partial', `the whole answer; does not hold: ${broken.map(({ name }) => name).join('; ')}`);
}
