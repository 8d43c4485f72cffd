/**
 * What comes next for a request in a pool: another upstream at once, another round after a wait, or the end. Pure and
 * total; the verdict follows from what each upstream said last, not from the order in which they said it.
 */
import { delayCapMs } from './back-off.ts';
import type { GiveUpReason, Reason } from './decide.ts';
import type { UpstreamVerdict } from './outcome-class.ts';
import type { RoundPolicy } from './pool-policy.ts';

/** What is remembered of a request between its attempts. Upstreams are known by their index in its snapshot. */
export interface PoolState {
  /** The current round, 1-based. */
  readonly roundNumber: number;
  /** Attempts started. */
  readonly attempts: number;
  /** Upstreams that this round has yet to visit, in order. */
  readonly queue: readonly number[];
  readonly visitsInRound: number;
  /** In this round somebody has taken a connection. */
  readonly hasReached: boolean;
  /** Rounds that reached nobody and do not count, and the attempts in them. */
  readonly freeRounds: number;
  readonly freeAttempts: number;
  /** When the first of the rounds in a row that reached nobody had ended. */
  readonly unreachedSinceMs: number | undefined;
  /** Waits in a row after which nobody could be visited. */
  readonly idleWaits: number;
  /** Where the last visit went; rounds `within` a tier stay there. */
  readonly tier: number | undefined;
  /** Rounds of that tier, the current one included. */
  readonly tierRoundNumber: number;
  /** What each upstream said last. */
  readonly verdicts: ReadonlyMap<number, UpstreamVerdict>;
  /** What the last attempt came to; undefined before its end, and before the first. */
  readonly last: UpstreamVerdict | undefined;
  /** The budget has been charged for the next attempt when its round was decided. */
  readonly isPaid: boolean;
}

export interface PoolFacts {
  readonly nowMs: number;
  /** On the clock of `nowMs`. */
  readonly deadlineAtMs: number | undefined;
  /** In [0, 1). */
  readonly random: () => number;
  readonly hasBudget: boolean;
  /** Sending again does no harm, even where the last attempt may have run. */
  readonly isRepeatable: boolean;
  /** The request body can be produced again, whole. */
  readonly isReplayable: boolean;
  /** How long the upstream still wants to be left alone; 0 when it may be asked. */
  heldForMs(upstreamIndex: number): number;
  /** The most input that it is declared to take, in any unit that all share. */
  inputLimit(upstreamIndex: number): number | undefined;
  tier(upstreamIndex: number): number;
}

export type PoolDecision =
  | {
      readonly kind: 'attempt';
      readonly upstreamIndex: number;
      /** Takes one retry from the budget. */
      readonly isCharged: boolean;
      /** Nobody else could use the time that is left: it gets all of it. */
      readonly isLastCandidate: boolean;
    }
  | {
      readonly kind: 'wait';
      readonly delayMs: number;
      readonly because: Reason;
      /** The round that begins after the wait, and whom it may visit. */
      readonly roundNumber: number;
      readonly eligible: readonly number[];
      readonly isCharged: boolean;
      /** The round that has ended reached nobody, and does not count. */
      readonly isFree: boolean;
      readonly unreachedSinceMs: number | undefined;
    }
  | { readonly kind: 'give-up'; readonly reason: GiveUpReason };

export function beginRequest(order: readonly number[]): PoolState {
  return {
    roundNumber: 1,
    attempts: 0,
    queue: order,
    visitsInRound: 0,
    hasReached: false,
    freeRounds: 0,
    freeAttempts: 0,
    unreachedSinceMs: undefined,
    idleWaits: 0,
    tier: undefined,
    tierRoundNumber: 1,
    verdicts: noVerdicts,
    last: undefined,
    isPaid: false,
  };
}

const noVerdicts: ReadonlyMap<number, UpstreamVerdict> = new Map();

export function beginRound(
  state: PoolState,
  decision: PoolDecision & { readonly kind: 'wait' },
  order: readonly number[],
): PoolState {
  const { roundNumber, unreachedSinceMs } = decision;
  const freeRounds = state.freeRounds + (decision.isFree ? 1 : 0);
  const freeAttempts = state.freeAttempts + (decision.isFree ? state.visitsInRound : 0);
  const isSame = roundNumber === state.roundNumber;
  const idleWaits = isSame ? state.idleWaits + 1 : 0;
  const tierRoundNumber = state.tierRoundNumber + (isSame ? 0 : 1);
  const isPaid = state.isPaid || decision.isCharged;
  return {
    ...state,
    ...{ roundNumber, tierRoundNumber, queue: order, visitsInRound: 0, idleWaits, isPaid },
    ...{ hasReached: false, freeRounds, freeAttempts, unreachedSinceMs },
  };
}

export function beginVisit(state: PoolState, upstreamIndex: number, tier: number): PoolState {
  const { roundNumber, idleWaits, verdicts, queue, hasReached, freeRounds, freeAttempts, unreachedSinceMs } = state;
  return {
    roundNumber,
    attempts: state.attempts + 1,
    queue: queue.length === 1 && queue[0] === upstreamIndex ? [] : queue.filter((index) => index !== upstreamIndex),
    visitsInRound: state.visitsInRound + 1,
    hasReached,
    freeRounds,
    freeAttempts,
    unreachedSinceMs,
    idleWaits,
    tier,
    tierRoundNumber: state.tier === undefined || state.tier === tier ? state.tierRoundNumber : 1,
    verdicts,
    last: undefined,
    isPaid: false,
  };
}

export function endVisit(state: PoolState, upstreamIndex: number, verdict: UpstreamVerdict): PoolState {
  const hasReached = state.hasReached || !isUnreached(verdict);
  return { ...state, hasReached, verdicts: new Map(state.verdicts).set(upstreamIndex, verdict), last: verdict };
}

/** Nobody took the connection: certainly nothing was sent. */
function isUnreached({ class: outcomeClass, failure }: UpstreamVerdict): boolean {
  const isBefore = failure.phase === 'resolve' || failure.phase === 'connect';
  return outcomeClass === 'transient' && isBefore && !failure.mayHaveRun;
}

export function decideInPool(policy: RoundPolicy, state: PoolState, facts: PoolFacts): PoolDecision {
  const refusal = findRefusal(policy, state, facts);
  if (refusal !== undefined) return { kind: 'give-up', reason: refusal };
  const mayVisit = (index: number) => facts.heldForMs(index) === 0 && isLargeEnough(state, facts, index);
  const { tier } = state;
  if (policy.within === 'tier' && tier !== undefined) {
    const sibling = state.queue.find((index) => facts.tier(index) === tier && mayVisit(index));
    if (sibling !== undefined) return decideVisit(policy, state, facts, sibling);
    const again = decideNextRound(policy, state, facts, tier);
    if (again.kind === 'wait') return again;
  }
  const next = state.queue.find(mayVisit);
  return next === undefined ? decideNextRound(policy, state, facts) : decideVisit(policy, state, facts, next);
}

function decideVisit(policy: RoundPolicy, state: PoolState, facts: PoolFacts, upstreamIndex: number): PoolDecision {
  const isRetry = state.attempts > 0;
  if (isRetry && !state.isPaid && !facts.hasBudget) return { kind: 'give-up', reason: 'budget-exhausted' };
  const isLast = isLastCandidate(policy, state, facts, upstreamIndex);
  return { kind: 'attempt', upstreamIndex, isCharged: isRetry && !state.isPaid, isLastCandidate: isLast };
}

/** Reasons that hold whoever is left. */
function findRefusal(policy: RoundPolicy, state: PoolState, facts: PoolFacts): GiveUpReason | undefined {
  const { last } = state;
  if (last?.nextUpstream === 'none') return 'permanent';
  if (facts.deadlineAtMs !== undefined && facts.nowMs >= facts.deadlineAtMs) return 'deadline';
  if (last?.failure.mayHaveRun === true && !facts.isRepeatable) return 'may-have-run';
  if (state.attempts > 0 && !facts.isReplayable) return 'body-not-replayable';
  return state.attempts - state.freeAttempts >= policy.maxAttempts ? 'upstreams-exhausted' : undefined;
}

/**
 * Where somebody said "too big", only those that are declared to take more are asked, in later rounds, too: else the
 * order would decide whether they are. Nothing declared counts as the least, for the same reason.
 */
function isLargeEnough(state: PoolState, facts: PoolFacts, upstreamIndex: number): boolean {
  for (const [index, verdict] of state.verdicts) {
    if (verdict.nextUpstream !== 'larger') continue;
    if ((facts.inputLimit(upstreamIndex) ?? 0) <= (facts.inputLimit(index) ?? 0)) return false;
  }
  return true;
}

function isLastCandidate(policy: RoundPolicy, state: PoolState, facts: PoolFacts, chosen: number): boolean {
  if (state.attempts - state.freeAttempts + 1 >= policy.maxAttempts || !hasElsewhere(policy, state, facts, chosen))
    return true;
  // After a silence the request may have run: for one that must not run twice, there is no other candidate.
  return !facts.isRepeatable || !facts.isReplayable;
}

/** Somebody else would be asked after the chosen one, in this round or in the next. */
function hasElsewhere(policy: RoundPolicy, state: PoolState, facts: PoolFacts, chosen: number): boolean {
  if (state.queue.some((index) => index !== chosen && isLargeEnough(state, facts, index))) return true;
  const isNewTier = state.tier !== undefined && facts.tier(chosen) !== state.tier;
  const roundNumber =
    policy.within === 'pool' ? state.roundNumber - state.freeRounds : isNewTier ? 1 : state.tierRoundNumber;
  if (roundNumber >= policy.maxRounds) return false;
  // Whose tier has had its rounds will not use the time.
  const isOfThese = (index: number) => policy.within === 'pool' || facts.tier(index) === facts.tier(chosen);
  return [...state.verdicts].some(([index, verdict]) => index !== chosen && verdict.nextRound && isOfThese(index));
}

/** @param tier the one that the round stays in, while there are others to go to */
function decideNextRound(policy: RoundPolicy, state: PoolState, facts: PoolFacts, tier?: number): PoolDecision {
  const eligible = eligibleFor(policy, state, facts, tier);
  const asked = tier === undefined ? eligible : eligible.filter((index) => facts.tier(index) === tier);
  if (asked.length === 0) return { kind: 'give-up', reason: 'upstreams-exhausted' };
  // A round that could visit nobody, since all asked for a pause, is not over yet; but it does not wait for ever.
  const isIdle = state.visitsInRound === 0;
  const roundNumber = policy.within === 'tier' ? state.tierRoundNumber : state.roundNumber;
  const isFree = !isIdle && isFreeRound(policy, state, facts);
  // What did not count while nobody was reached counts when nobody was for too long.
  const counted = state.hasReached ? roundNumber - state.freeRounds : roundNumber;
  if (isIdle ? state.idleWaits >= policy.maxRounds : !isFree && counted >= policy.maxRounds)
    return { kind: 'give-up', reason: isIdle ? 'pushback-too-long' : 'upstreams-exhausted' };
  const heldMs = Math.min(...asked.map((index) => facts.heldForMs(index)));
  const hasElsewhere = asked.length < eligible.length;
  if (heldMs > (hasElsewhere ? policy.maxDelayMs : policy.maxPushbackMs))
    return { kind: 'give-up', reason: 'pushback-too-long' };
  const delayMs = delayBeforeRound(policy, isIdle ? 0 : roundNumber, heldMs, facts);
  if (facts.deadlineAtMs !== undefined && facts.nowMs + delayMs >= facts.deadlineAtMs)
    return { kind: 'give-up', reason: 'deadline' };
  const isCharged = state.attempts > 0 && !state.isPaid;
  if (isCharged && !facts.hasBudget) return { kind: 'give-up', reason: 'budget-exhausted' };
  const because = heldMs > 0 ? 'pushback' : reasonOf(state, asked);
  return {
    kind: 'wait',
    ...{ delayMs, because, roundNumber: state.roundNumber + (isIdle ? 0 : 1), eligible, isCharged, isFree },
    unreachedSinceMs: state.hasReached ? undefined : (state.unreachedSinceMs ?? (isIdle ? undefined : facts.nowMs)),
  };
}

/** Whatever the delays between them are. */
const MAX_FREE_ROUNDS = 100;

/** Nobody was reached in the round that has ended, and not for too long yet. */
function isFreeRound(policy: RoundPolicy, state: PoolState, { nowMs, deadlineAtMs }: PoolFacts): boolean {
  if (policy.within === 'tier' || policy.maxRounds === 1 || state.hasReached) return false;
  // Waits are at most half of what is left: before the deadline they would become ever shorter, and rounds ever more.
  if (deadlineAtMs === undefined || deadlineAtMs - nowMs < policy.baseDelayMs) return false;
  return state.freeRounds < MAX_FREE_ROUNDS && nowMs - (state.unreachedSinceMs ?? nowMs) < policy.maxUnreachedMs;
}

/** Who may be asked in the next round, by what each said last. In the order of their indexes: no other order is known. */
function eligibleFor(policy: RoundPolicy, state: PoolState, facts: PoolFacts, tier?: number): readonly number[] {
  // Whose tier has had its rounds is not asked again.
  const said = [...state.verdicts].filter(([index]) => policy.within === 'pool' || facts.tier(index) === tier);
  const isOpen = policy.gate === 'each' || said.every(([, { nextRound }]) => nextRound);
  if (!isOpen) return [];
  const failedForNow = said.filter(([, verdict]) => verdict.nextRound).map(([index]) => index);
  // Who asked for a pause before this request came has not been asked by it yet.
  const passedBy = state.queue.filter((index) => !state.verdicts.has(index));
  return [...failedForNow, ...passedBy]
    .filter((index) => isLargeEnough(state, facts, index))
    .toSorted((left, right) => left - right);
}

/** Full jitter, at least the shortest pause that somebody asked for. `waitNumber` 0: only the pause. */
function delayBeforeRound(policy: RoundPolicy, waitNumber: number, heldMs: number, facts: PoolFacts): number {
  const leftMs = facts.deadlineAtMs === undefined ? Number.POSITIVE_INFINITY : facts.deadlineAtMs - facts.nowMs;
  // Half of what is left at most: the attempt needs the other half.
  const capMs =
    waitNumber === 0 ? 0 : Math.min(delayCapMs(waitNumber, policy.baseDelayMs, policy.maxDelayMs), leftMs / 2);
  const ownMs = Math.round(facts.random() * capMs);
  if (heldMs === 0) return ownMs;
  // Never earlier than told, and not everybody at the same instant.
  const spreadMs = Math.round(facts.random() * Math.min(policy.baseDelayMs, heldMs / 10));
  return Math.max(ownMs, Math.ceil(heldMs) + spreadMs);
}

function reasonOf(state: PoolState, eligible: readonly number[]): Reason {
  const isThrottled = eligible.every((index) => state.verdicts.get(index)?.class === 'throttled');
  return isThrottled ? 'throttled' : 'transient-failure';
}
