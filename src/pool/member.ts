/** An upstream in its pool: what is known of it now, over all requests. */
import {
  type AttemptHealth,
  type AttemptStart,
  type Circuit,
  type CircuitFacts,
  type EjectionPolicy,
  freshCircuit,
  type HealthTicket,
  heldForMs,
  isOutlier,
  isProbeDue,
  nextLatencyMs,
  type PushbackMemory,
  rampOf,
  rememberPushback,
  returnProbe,
  settleHealth,
  takeProbe,
} from '../core/index.ts';
import type { Runtime } from '../runtime/index.ts';
import type { Upstream } from './upstream.ts';

/** How long an upstream whose key was refused is asked after the others. */
const BENCH_MS = 60_000;

/** What an upstream looks like from outside, for people and metrics. */
export interface UpstreamStatus {
  readonly name: string;
  readonly state: 'in-service' | 'ejected' | 'probing';
  /** Until a probe may bring it back; 0 in service. */
  readonly ejectedForMs: number;
  /** As it asked to be left alone; 0 when it may be asked. */
  readonly heldForMs: number;
  readonly consecutiveFailures: number;
  readonly inFlight: number;
  readonly latencyMs: number | undefined;
  readonly weight: number;
  readonly tier: number;
  /** Since the pool was made. */
  readonly attempts: number;
  readonly succeededRequests: number;
  /** Requests that were charged to it, and not taken back. */
  readonly failedRequests: number;
  readonly ejections: number;
}

type Standing = Pick<CircuitFacts, 'mayEject' | 'isOutlier'>;

/** Where nothing has failed, nobody asks. */
export const noStanding: Standing = Object.freeze({ mayEject: false, isOutlier: false });

export class Member<U> {
  readonly upstream: Upstream<U>;
  readonly #policy: EjectionPolicy;
  readonly #runtime: Runtime;
  circuit: Circuit = freshCircuit;
  #held: PushbackMemory;
  #benchedUntilMs = 0;
  #latencyMs: number | undefined;
  inFlight = 0;
  /** That were started, since the pool was made. */
  attempts = 0;
  #succeeded = 0;
  #failed = 0;
  #ejections = 0;

  constructor(upstream: Upstream<U>, policy: EjectionPolicy, runtime: Runtime) {
    this.upstream = upstream;
    this.#policy = policy;
    this.#runtime = runtime;
  }

  get #nowMs(): number {
    return this.#runtime.clock.nowMs();
  }

  get isInService(): boolean {
    return this.circuit.kind === 'closed' && this.upstream.weight > 0;
  }

  /** What its circuit must know of the others when it has failed. */
  standingAmong(members: readonly Member<U>[]): Standing {
    const others = members.filter((other) => other !== this && other.isInService).map(({ circuit }) => circuit);
    return { mayEject: others.length > 0, isOutlier: isOutlier(this.circuit, others, this.#policy, this.#nowMs) };
  }

  get heldForMs(): number {
    return this.#held === undefined ? 0 : heldForMs(this.#held, this.#nowMs);
  }

  get isBenched(): boolean {
    return this.#benchedUntilMs > 0 && this.#benchedUntilMs > this.#nowMs;
  }

  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  get ramp(): number {
    return rampOf(this.circuit, this.#policy, this.#nowMs);
  }

  /**
   * Takes the one probe, if it is due. A request that must not run twice is a bad probe, and becomes one only when no
   * better one has come for a while.
   */
  tryTakeProbe(isGoodProbe: boolean): boolean {
    const { circuit } = this;
    if (!isProbeDue(circuit, this.#nowMs)) return false;
    if (!isGoodProbe && this.#nowMs < circuit.untilMs + this.#policy.baseMs) return false;
    this.circuit = takeProbe(circuit, this.#policy, this.#nowMs);
    return true;
  }

  /** A probe that was never sent. */
  returnProbe(start: AttemptStart): void {
    if (this.circuit.kind === 'ejected' && this.circuit.generation === start.generation)
      this.circuit = returnProbe(this.circuit);
  }

  begin(isProbe: boolean): AttemptStart {
    this.inFlight += 1;
    return { generation: this.circuit.generation, isProbe };
  }

  sampleLatency(sampleMs: number): void {
    this.#latencyMs = nextLatencyMs(this.#latencyMs, sampleMs);
  }

  hold(pushbackMs: number): void {
    this.#held = rememberPushback(this.#held, pushbackMs, this.#nowMs);
  }

  bench(): void {
    this.#benchedUntilMs = this.#nowMs + BENCH_MS;
  }

  /** An attempt has ended; returns the request's ticket as it is now. */
  settle(ticket: HealthTicket, start: AttemptStart, ended: AttemptHealth, standing: Standing): HealthTicket {
    const before = this.circuit;
    const step = settleHealth(ticket, before, start, ended, this.#policy, {
      nowMs: this.#nowMs,
      random: this.#runtime.random,
      ...standing,
    });
    this.circuit = step.circuit;
    if (ended === 'succeeded') this.#benchedUntilMs = 0;
    this.#count(ticket, step.ticket);
    if (step.circuit.kind === 'ejected' && before.kind === 'closed') this.#ejections += 1;
    return step.ticket;
  }

  #count(before: HealthTicket, after: HealthTicket): void {
    const wasCharged = before.chargedAtMs !== undefined;
    const isCharged = after.chargedAtMs !== undefined;
    this.#failed += Number(isCharged) - Number(wasCharged);
    this.#succeeded += Number(after.isCredited) - Number(before.isCredited);
  }

  get status(): UpstreamStatus {
    const { circuit, upstream } = this;
    const isEjected = circuit.kind === 'ejected';
    const isProbing = isEjected && circuit.probeUntilMs !== undefined && circuit.probeUntilMs > this.#nowMs;
    return {
      name: upstream.name,
      state: isProbing ? 'probing' : isEjected ? 'ejected' : 'in-service',
      ejectedForMs: isEjected ? Math.max(0, circuit.untilMs - this.#nowMs) : 0,
      heldForMs: this.heldForMs,
      consecutiveFailures: circuit.kind === 'closed' ? circuit.consecutiveFailures : 0,
      inFlight: this.inFlight,
      latencyMs: this.#latencyMs,
      weight: upstream.weight,
      tier: upstream.tier,
      attempts: this.attempts,
      succeededRequests: this.#succeeded,
      failedRequests: this.#failed,
      ejections: this.#ejections,
    };
  }
}
