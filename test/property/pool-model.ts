/** The rules of rounds and of health once more, straight from their text: slow, simple, and sharing no code with core. */
import type { EjectionPolicy, OutcomeClass } from '../../src/core/index.ts';

/**
 * "A round visits the eligible ones in order. The next round visits only upstreams whose own last outcome was transient or
 * throttled. A caller's error stops the request at once."
 */
export function nextRoundByTheText(
  order: readonly number[],
  outcomes: readonly OutcomeClass[],
  policy: { readonly gate: 'each' | 'all'; readonly maxRounds: number; readonly maxAttempts: number },
): { readonly visited: readonly number[]; readonly next: 'stop' | 'exhausted' | readonly number[] } {
  const visited: number[] = [];
  let isTooBig = false;
  for (const index of order) {
    // No upstream of this model declares a limit: after one "too big" nobody is known to take more.
    if (isTooBig || visited.length === policy.maxAttempts) break;
    visited.push(index);
    const outcome = outcomes[index]!;
    if (['caller', 'cancelled', 'internal'].includes(outcome)) return { visited, next: 'stop' };
    if (outcome === 'too-big') isTooBig = true;
  }
  const said = visited.map((index) => ({ index, outcome: outcomes[index]! }));
  const mayPass = said.filter(({ outcome }) => outcome === 'transient' || outcome === 'throttled');
  if (visited.length === policy.maxAttempts || policy.maxRounds === 1 || isTooBig)
    return { visited, next: 'exhausted' };
  if (policy.gate === 'all' && mayPass.length < said.length) return { visited, next: 'exhausted' };
  if (mayPass.length === 0) return { visited, next: 'exhausted' };
  return { visited, next: mayPass.map(({ index }) => index).toSorted((a, b) => a - b) };
}

interface Entry {
  readonly requestId: number;
  readonly atMs: number;
  readonly kind: 'failed' | 'succeeded';
}

/**
 * The health of one upstream that is never taken out, as a list of what happened; everything is computed anew from it.
 * "An upstream is charged once per request, at the first failure. Success withdraws this request's charge and resets the
 * counter."
 */
export class HealthModel {
  readonly #policy: EjectionPolicy;
  #entries: Entry[] = [];

  constructor(policy: EjectionPolicy) {
    this.#policy = policy;
  }

  failed(requestId: number, atMs: number): void {
    if (this.#entries.some((entry) => entry.requestId === requestId)) return;
    this.#entries.push({ requestId, atMs, kind: 'failed' });
  }

  succeeded(requestId: number, atMs: number): void {
    if (this.#entries.some((entry) => entry.requestId === requestId && entry.kind === 'succeeded')) return;
    this.#entries = this.#entries.filter((entry) => entry.requestId !== requestId);
    this.#entries.push({ requestId, atMs, kind: 'succeeded' });
  }

  get consecutiveFailures(): number {
    const lastSuccess = this.#entries.findLastIndex(({ kind }) => kind === 'succeeded');
    return this.#entries.length - 1 - lastSuccess;
  }

  /** Requests and failures of the window, which moves in tenths. */
  countsAt(nowMs: number): { readonly requests: number; readonly failures: number } {
    const tenth = (atMs: number) => Math.floor((atMs * 10) / this.#policy.windowMs);
    const inside = this.#entries.filter(({ atMs }) => tenth(atMs) > tenth(nowMs) - 10);
    return { requests: inside.length, failures: inside.filter(({ kind }) => kind === 'failed').length };
  }

  isFailingAt(nowMs: number): boolean {
    const { requests, failures } = this.countsAt(nowMs);
    const isRatio = requests >= this.#policy.minRequests && failures >= requests * this.#policy.errorRatio;
    return isRatio || this.consecutiveFailures >= this.#policy.maxConsecutiveFailures;
  }
}
