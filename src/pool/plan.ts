/** The plan of one round, from one look at the upstreams. */
import { type AttemptStart, type Candidate, planOrder } from '../core/index.ts';
import type { Member } from './member.ts';
import type { CourseRules, PoolShared } from './rules.ts';

export interface Plan {
  readonly order: readonly number[];
  /** The upstream that this request tests; the place is taken. */
  readonly probe: { readonly index: number; readonly start: AttemptStart } | undefined;
}

export function planFor<U>(pool: PoolShared<U>, rules: CourseRules<U>, eligible: readonly number[]): Plan {
  const { members, runtime } = pool;
  const allowed = allowedOf(members, rules, eligible);
  // Of one that serves there is nothing to choose.
  if (allowed.length === 1 && members[allowed[0]!]!.circuit.kind === 'closed')
    return { order: allowed, probe: undefined };
  const probeIndex = allowed.find((index) => takesProbe(members, rules, allowed, index));
  const candidates = allowed.map((index) => candidateOf(members[index]!, index === probeIndex));
  const order = planOrder(candidates, runtime.random);
  if (probeIndex === undefined) return { order, probe: undefined };
  const { generation } = members[probeIndex]!.circuit;
  return { order, probe: { index: probeIndex, start: { generation, isProbe: true } } };
}

function allowedOf<U>(
  members: readonly Member<U>[],
  rules: CourseRules<U>,
  eligible: readonly number[],
): readonly number[] {
  const isAllowed = (index: number) => {
    const { weight, value } = members[index]!.upstream;
    return weight > 0 && (rules.mayUse?.(value) ?? true);
  };
  // Mostly all are, and no list is made.
  return eligible.every(isAllowed) ? eligible : eligible.filter(isAllowed);
}

/** A probe should be a request that can still go elsewhere, unless there is no elsewhere. */
function takesProbe<U>(
  members: readonly Member<U>[],
  rules: CourseRules<U>,
  allowed: readonly number[],
  index: number,
): boolean {
  const member = members[index]!;
  if (member.circuit.kind !== 'ejected' || member.heldForMs > 0) return false;
  const others = allowed.filter((other) => other !== index && members[other]!.isInService);
  return member.tryTakeProbe(others.length === 0 || rules.isRepeatable());
}

function candidateOf(member: Member<unknown>, isProbe: boolean): Candidate {
  const { upstream, ramp, inFlight, latencyMs, isBenched, circuit } = member;
  const { index, tier, weight } = upstream;
  const isEjected = circuit.kind === 'ejected';
  const consecutiveFailures = circuit.kind === 'closed' ? circuit.consecutiveFailures : 0;
  return { index, tier, weight, ramp, inFlight, latencyMs, consecutiveFailures, isProbe, isBenched, isEjected };
}
