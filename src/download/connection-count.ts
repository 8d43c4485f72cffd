/**
 * How many connections one file is worth: more while the measured gain is worth them, fewer on trouble. Pure: whoever
 * drives it brings the time and what was received.
 */

/** The rate of a shorter time is mostly noise. */
const WINDOW_MS = 250;
/** No gain is believed only after this: servers that limit a connection send in bursts. */
const NO_GAIN_MS = 750;
/** Connections that do not bring a byte for so long after they were wanted are not waited for. */
const SETTLE_MS = 2_000;
/** Twice the connections have to bring this much more. */
const MIN_GAIN_RATIO = 1.15;
const FIRST_HOLD_MS = 5_000;
const MAX_HOLD_MS = 60_000;
/** Above this share of waiting for the disk, or for `limitRate`, more connections would only wait with it. */
const MAX_HELD_BACK_RATIO = 0.25;

export interface Sight {
  readonly nowMs: number;
  /** Of the file, by all connections, since the beginning. */
  readonly receivedBytes: number;
  /** How long connections have waited for us instead of the line, since the beginning, as a share of one connection. */
  readonly heldBackMs: number;
  /** Connections that bring bytes now. */
  readonly flowing: number;
  /** Enough is missing to give more connections a part. */
  readonly mayGrow: boolean;
}

interface Mark {
  readonly nowMs: number;
  readonly receivedBytes: number;
  readonly heldBackMs: number;
}

interface Measured {
  readonly connections: number;
  readonly bytesPerSecond: number;
}

export type CountState =
  /** The connections that were wanted are on their way. */
  | (Common & { readonly kind: 'settling'; readonly sinceMs: number })
  | (Common & { readonly kind: 'measuring'; readonly from: Mark })
  | (Common & { readonly kind: 'holding'; readonly untilMs: number });

interface Common {
  readonly target: number;
  readonly max: number;
  /** What fewer connections brought: what more of them are compared with. */
  readonly before: Measured | undefined;
  readonly holdMs: number;
}

export function beginCounting(target: number, max: number, nowMs: number): CountState {
  return { kind: 'settling', target, max, before: undefined, holdMs: FIRST_HOLD_MS, sinceMs: nowMs };
}

export function lookAgain(state: CountState, sight: Sight): CountState {
  switch (state.kind) {
    case 'settling': {
      const isSettled = sight.flowing >= state.target;
      // Where there was nothing to divide, or nobody answered: what is there is what is measured.
      const isLate = sight.nowMs - state.sinceMs >= SETTLE_MS && sight.flowing > 0;
      return isSettled || isLate ? { ...common(state), kind: 'measuring', from: markOf(sight) } : state;
    }
    case 'measuring':
      return sight.nowMs - state.from.nowMs < WINDOW_MS ? state : judge(state, sight);
    case 'holding':
      if (sight.nowMs < state.untilMs) return state;
      return { ...common(state), kind: 'measuring', before: undefined, from: markOf(sight) };
  }
}

function judge(state: CountState & { readonly kind: 'measuring' }, sight: Sight): CountState {
  const { from, target, max, before, holdMs } = state;
  const elapsedMs = sight.nowMs - from.nowMs;
  const bytesPerSecond = ((sight.receivedBytes - from.receivedBytes) / elapsedMs) * 1_000;
  if (before !== undefined && bytesPerSecond < before.bytesPerSecond * MIN_GAIN_RATIO) {
    if (elapsedMs < NO_GAIN_MS) return state;
    return hold({ ...common(state), target: before.connections }, sight.nowMs, holdMs);
  }
  const isHeldBack = (sight.heldBackMs - from.heldBackMs) / elapsedMs > MAX_HELD_BACK_RATIO;
  if (!sight.mayGrow || isHeldBack || target >= max || bytesPerSecond === 0) {
    return { ...common(state), kind: 'measuring', before: undefined, from: markOf(sight) };
  }
  return {
    ...common(state),
    kind: 'settling',
    target: Math.min(max, target * 2),
    before: { connections: target, bytesPerSecond },
    sinceMs: sight.nowMs,
  };
}

/** A connection came to nothing: the server, or something before it, wants fewer of us. */
export function shrink(state: CountState, running: number, nowMs: number, atLeastMs: number): CountState {
  const target = Math.max(1, Math.min(state.target, running) >> 1);
  return hold({ ...common(state), target }, nowMs, Math.max(state.holdMs, atLeastMs));
}

/** More is tried again later, and later still when that came to nothing, too. */
function hold(state: Common, nowMs: number, forMs: number): CountState {
  return {
    ...state,
    kind: 'holding',
    before: undefined,
    untilMs: nowMs + forMs,
    holdMs: Math.min(MAX_HOLD_MS, forMs * 2),
  };
}

function common({ target, max, before, holdMs }: CountState): Common {
  return { target, max, before, holdMs };
}

function markOf({ nowMs, receivedBytes, heldBackMs }: Sight): Mark {
  return { nowMs, receivedBytes, heldBackMs };
}
