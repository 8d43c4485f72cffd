/**
 * Whether an upstream is in service: closed, or ejected for a time until one probe brings it back. State in, state out; a
 * generation counts the transitions, so that what was begun before one cannot undo it.
 */
import type { EjectionPolicy } from './pool-policy.ts';

/** Requests that ended within one slice of the window. */
interface Slice {
  readonly index: number;
  readonly requests: number;
  readonly failures: number;
}

export interface ClosedCircuit {
  readonly kind: 'closed';
  readonly generation: number;
  /** Failed requests since the last one that ended well. */
  readonly consecutiveFailures: number;
  /** The slice that was added to last: every request makes it anew, and the list of those before it only now and then. */
  readonly newest: Slice | undefined;
  readonly older: readonly Slice[];
  /** Ejections in a row; how long the next one takes. */
  readonly strikes: number;
  /** When it came back from an ejection. */
  readonly closedAtMs: number | undefined;
}

export interface EjectedCircuit {
  readonly kind: 'ejected';
  readonly generation: number;
  readonly strikes: number;
  readonly untilMs: number;
  /** Until then the one probe that is out may bring it back. */
  readonly probeUntilMs: number | undefined;
}

export type Circuit = ClosedCircuit | EjectedCircuit;

export interface CircuitFacts {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Another upstream is in service: the last one is never taken out. */
  readonly mayEject: boolean;
  /** From `isOutlier`; without it, a share of failures takes nobody out, only failures in a row do. */
  readonly isOutlier: boolean;
}

export const freshCircuit: Circuit = Object.freeze({
  kind: 'closed',
  generation: 0,
  consecutiveFailures: 0,
  newest: undefined,
  older: [],
  strikes: 0,
  closedAtMs: undefined,
});

const SLICES_PER_WINDOW = 10;

/** One more failed request. */
export function addFailure(circuit: ClosedCircuit, policy: EjectionPolicy, facts: CircuitFacts): Circuit {
  const next = withRequest(circuit, policy, facts.nowMs, 'failed');
  return facts.mayEject && isFailing(next, policy, facts) ? eject(next, policy, facts) : next;
}

/**
 * Whether the others would do better without it. Where all fail alike, the pool has more to do than it can, and to take one
 * out would leave even more to the rest: such an overload would outlast its cause (DESIGN, law 9). One that fails is worse
 * when somebody else fails at most half as often.
 */
export function isOutlier(
  circuit: Circuit,
  othersInService: readonly Circuit[],
  policy: EjectionPolicy,
  nowMs: number,
): boolean {
  const own = failureRatioOf(circuit, policy, nowMs);
  return othersInService.some((other) => failureRatioOf(other, policy, nowMs) <= own / 2);
}

/** Of nothing, nothing has failed. */
function failureRatioOf(circuit: Circuit, policy: EjectionPolicy, nowMs: number): number {
  if (circuit.kind === 'ejected') return 1;
  const { requests, failures } = countsOf(circuit, policy, nowMs);
  return requests === 0 ? 0 : failures / requests;
}

/** A request that ended well. `withdrawnAtMs`: it had been counted as failed then, and is counted once. */
export function addSuccess(
  circuit: ClosedCircuit,
  policy: EjectionPolicy,
  nowMs: number,
  withdrawnAtMs: number | undefined,
): ClosedCircuit {
  const cleared = withdrawnAtMs === undefined ? circuit : withdrawFrom(circuit, policy, withdrawnAtMs);
  return withRequest(cleared, policy, nowMs, 'succeeded');
}

/** May a request that has elsewhere to go test whether it is back? */
export function isProbeDue(circuit: Circuit, nowMs: number): circuit is EjectedCircuit {
  if (circuit.kind !== 'ejected' || nowMs < circuit.untilMs) return false;
  return circuit.probeUntilMs === undefined || nowMs >= circuit.probeUntilMs;
}

export function takeProbe(circuit: EjectedCircuit, policy: EjectionPolicy, nowMs: number): EjectedCircuit {
  return { ...circuit, generation: circuit.generation + 1, probeUntilMs: nowMs + policy.probeMs };
}

/** The probe ended without a verdict: throttled, cancelled, never sent. */
export function returnProbe(circuit: EjectedCircuit): EjectedCircuit {
  return { ...circuit, probeUntilMs: undefined };
}

/** Back in service, with a share that grows. */
export function closeAfterProbe(circuit: EjectedCircuit, nowMs: number): ClosedCircuit {
  return {
    kind: 'closed',
    generation: circuit.generation + 1,
    consecutiveFailures: 0,
    newest: undefined,
    older: [],
    strikes: circuit.strikes,
    closedAtMs: nowMs,
  };
}

/** Out again, for longer. */
export function ejectAgain(circuit: EjectedCircuit, policy: EjectionPolicy, facts: CircuitFacts): EjectedCircuit {
  return ejected(circuit.generation + 1, circuit.strikes + 1, policy, facts);
}

/** The part of its share that an upstream gets, above 0 and up to 1: it grows after a return. */
export function rampOf(circuit: Circuit, policy: EjectionPolicy, nowMs: number): number {
  if (circuit.kind === 'ejected' || circuit.closedAtMs === undefined || policy.slowStartMs === 0) return 1;
  return Math.min(1, Math.max(MIN_RAMP, (nowMs - circuit.closedAtMs) / policy.slowStartMs));
}

const MIN_RAMP = 0.1;

/** Requests and failures of the window that ends now. */
export function countsOf(
  circuit: ClosedCircuit,
  policy: EjectionPolicy,
  nowMs: number,
): { readonly requests: number; readonly failures: number } {
  let requests = 0;
  let failures = 0;
  const firstIndex = sliceIndex(policy, nowMs) - SLICES_PER_WINDOW + 1;
  const add = (slice: Slice) => {
    if (slice.index < firstIndex) return;
    requests += slice.requests;
    failures += slice.failures;
  };
  circuit.older.forEach(add);
  if (circuit.newest !== undefined) add(circuit.newest);
  return { requests, failures };
}

function isFailing(circuit: ClosedCircuit, policy: EjectionPolicy, { isOutlier, nowMs }: CircuitFacts): boolean {
  if (circuit.consecutiveFailures >= policy.maxConsecutiveFailures) return true;
  const { requests, failures } = countsOf(circuit, policy, nowMs);
  return isOutlier && requests >= policy.minRequests && failures / requests >= policy.errorRatio;
}

function eject(circuit: ClosedCircuit, policy: EjectionPolicy, facts: CircuitFacts): EjectedCircuit {
  // Whoever has served well for as long as the longest ejection begins anew.
  const isRelapse = circuit.closedAtMs !== undefined && facts.nowMs - circuit.closedAtMs < policy.maxMs;
  return ejected(circuit.generation + 1, isRelapse ? circuit.strikes + 1 : 0, policy, facts);
}

function ejected(generation: number, strikes: number, policy: EjectionPolicy, facts: CircuitFacts): EjectedCircuit {
  const meanMs = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(strikes, 30));
  // ±20 %, so that many processes do not probe at the same instant.
  const untilMs = facts.nowMs + Math.round(meanMs * (0.8 + 0.4 * facts.random()));
  return { kind: 'ejected', generation, strikes, untilMs, probeUntilMs: undefined };
}

function sliceIndex(policy: EjectionPolicy, atMs: number): number {
  return Math.floor((atMs * SLICES_PER_WINDOW) / policy.windowMs);
}

function withRequest(
  circuit: ClosedCircuit,
  policy: EjectionPolicy,
  nowMs: number,
  ended: 'succeeded' | 'failed',
): ClosedCircuit {
  const index = sliceIndex(policy, nowMs);
  const { newest, generation, strikes, closedAtMs } = circuit;
  const isSame = newest?.index === index;
  const requests = (isSame ? newest.requests : 0) + 1;
  const failures = (isSame ? newest.failures : 0) + (ended === 'failed' ? 1 : 0);
  return {
    kind: 'closed',
    generation,
    consecutiveFailures: ended === 'failed' ? circuit.consecutiveFailures + 1 : 0,
    newest: { index, requests, failures },
    older: isSame || newest === undefined ? circuit.older : olderThan(index, [...circuit.older, newest]),
    strikes,
    closedAtMs,
  };
}

function olderThan(index: number, slices: readonly Slice[]): readonly Slice[] {
  return slices.filter((slice) => slice.index > index - SLICES_PER_WINDOW);
}

function withdrawFrom(circuit: ClosedCircuit, policy: EjectionPolicy, atMs: number): ClosedCircuit {
  const index = sliceIndex(policy, atMs);
  const without = (slice: Slice) =>
    slice.index === index ? { index, requests: slice.requests - 1, failures: slice.failures - 1 } : slice;
  const { newest, older } = circuit;
  return { ...circuit, newest: newest === undefined ? undefined : without(newest), older: older.map(without) };
}
