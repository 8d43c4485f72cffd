/** Whether a failed attempt is repeated: core's decision, asked with what is known of a command. Pure. */
import { decideAfterFailure, type Failure, type RequestState, type RetryPolicy } from '../core/index.ts';
import type { Judged } from './judge.ts';
import type { Judgement, RunReason } from './run-events.ts';

export interface RepeatFacts {
  readonly nowMs: number;
  readonly deadlineAtMs: number | undefined;
  readonly random: () => number;
  /** The user named this exit code or this output. */
  readonly isAsked: boolean;
  readonly isRepeatable: boolean;
  readonly isInputConsumed: boolean;
  readonly isOutputPassedOn: boolean;
}

export type Repeat =
  | { readonly kind: 'again'; readonly delayMs: number; readonly state: RequestState }
  | { readonly kind: 'stop'; readonly reason: RunReason };

export function decideRepeat(
  policy: RetryPolicy,
  state: RequestState,
  { judgement, failure }: Judged,
  facts: RepeatFacts,
): Repeat {
  const { decision, state: next } = decideAfterFailure(policy, state, asked(failure, facts.isAsked), {
    nowMs: facts.nowMs,
    deadlineAtMs: facts.deadlineAtMs,
    random: facts.random,
    newBytes: 0,
    missingBytes: undefined,
    isRepeatable: facts.isRepeatable || facts.isAsked,
    isReplayable: !facts.isInputConsumed && !facts.isOutputPassedOn,
    delivery: { kind: 'nothing' },
    // One command at a time, a bounded number of times: there is no crowd to hold back.
    hasBudget: true,
    isCrowded: false,
  });
  if (decision.kind === 'give-up') return { kind: 'stop', reason: reasonOf(decision.reason, judgement, facts) };
  return { kind: 'again', delayMs: decision.delayMs, state: next };
}

/** Who asks for it by name gets it; what was learned of the failure stays. */
function asked(failure: Failure, isAsked: boolean): Failure {
  return isAsked ? { ...failure, transient: true } : failure;
}

function reasonOf(reason: string, judgement: Judgement, facts: RepeatFacts): RunReason {
  switch (reason) {
    case 'may-have-run':
    case 'deterministic':
    case 'deadline':
    case 'attempts-exhausted':
      return reason;
    case 'content-changed':
      return 'deterministic';
    case 'body-not-replayable':
      return facts.isInputConsumed ? 'input-consumed' : 'output-passed-on';
    default:
      return judgement.verdict === 'local' || judgement.verdict === 'unknown' ? judgement.verdict : 'permanent';
  }
}
