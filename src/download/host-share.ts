/**
 * How many connections a host gets, and how the processes of a user share them. Pure: whoever drives it brings the time,
 * what became of connections, and who has gone.
 *
 * The limit begins at 8. A refusal (429, 503, GOAWAY, a proxy that throttles) halves it, once for all the connections
 * that were begun before, and it comes back by one a second; cuts and silence halve it when there are several, and the old limit comes back where
 * fewer connections were cut just as often: then it is the line, and not their number. One more is tried when all are in
 * use and somebody waits, and is kept while it brings more bytes. So a host sees at most one connection more than it
 * allows, until that one fails; and then for half a minute none, a minute the next time, and so on up to ten.
 */
import type { ProcessMark } from './process-mark.ts';

export const FIRST_LIMIT = 8;
export const MAX_LIMIT = 64;
/** A limit stands at least so long before one more is tried. */
const MIN_GROW_MS = 1_000;
/** And so much longer where it was one too many on the way back to what the host once took. */
const RECOVERY_PAUSE_MS = 3_000;
const MAX_STEP_MS = 10_000;
const FIRST_CEILING_MS = 30_000;
const MAX_CEILING_MS = 600_000;
/** One more has to bring this much more, or it is one for nothing. */
const MIN_GAIN_RATIO = 1.02;
/** Cuts of fewer connections than these, or of a smaller share, say nothing about their number. */
const MIN_CUTS = 2;
const MIN_CUT_RATIO = 0.15;
/** Fewer connections have to lower the share of cut ones to this, or their number was not the reason. */
const HELPED_RATIO = 0.6;
const MIN_OUTCOMES = 8;
const CUTS_IGNORED_MS = 60_000;
/** Where more processes wait than there are connections, each has its turn. */
export const TURN_MS = 5_000;
/** A process that has said nothing for so long is taken for gone, wherever it is. */
export const SILENT_MS = 60_000;
/** What nobody has used for so long is forgotten. */
const FORGOTTEN_MS = 600_000;

/** A process may hold connections at several places of its program. */
export interface MemberId extends ProcessMark {
  readonly n: number;
}

/** One process, as it told itself. */
export interface Member extends MemberId {
  readonly seenAtMs: number;
  /** Connections that are its own now. */
  readonly held: number;
  /** Downloads without a connection. */
  readonly waiting: number;
  /** More connections for files that have one. */
  readonly extras: number;
  readonly waitsSinceMs: number;
  /** Since when it has had at least one. */
  readonly holdsSinceMs: number;
}

interface Ceiling {
  readonly limit: number;
  readonly untilMs: number;
  readonly holdMs: number;
}

/** Times are milliseconds since 1970: they are compared between processes. */
export interface HostState {
  readonly limit: number;
  readonly changedAtMs: number;
  readonly loweredAtMs: number;
  /** The host asked to be left alone until then. */
  readonly holdUntilMs: number;
  readonly members: readonly Member[];
  /** Since the limit changed. */
  readonly worked: number;
  readonly cuts: number;
  readonly bytes: number;
  /** One fewer brought this; undefined where the limit did not come from trying one more. */
  readonly tried?: { readonly limit: number; readonly bytesPerSecond: number } | undefined;
  /** Halved by a refusal: on the way back to what it was, one more at a time. */
  readonly recovery?: { readonly to: number; readonly stepMs: number } | undefined;
  /** More than this came to nothing. */
  readonly ceiling?: Ceiling | undefined;
  /** Lowered for cuts: whether it helps is seen later. */
  readonly onTrial?: { readonly limit: number; readonly cutRatio: number } | undefined;
  readonly cutsIgnoredUntilMs: number;
}

/** What became of connections of one process since it last told. */
export interface News {
  readonly worked: number;
  readonly bytes: number;
  readonly cuts: number;
  /** When the latest of those that the host refused was begun. */
  readonly refusedBegunAtMs: number | undefined;
  /** Of those that were cut or silent before a body came: what a host or firewall does that counts connections. */
  readonly turnedAwayBegunAtMs: number | undefined;
  readonly cutBegunAtMs: number | undefined;
  readonly holdUntilMs: number;
}

export const noNews: News = {
  worked: 0,
  bytes: 0,
  cuts: 0,
  refusedBegunAtMs: undefined,
  turnedAwayBegunAtMs: undefined,
  cutBegunAtMs: undefined,
  holdUntilMs: 0,
};

export function freshHost(nowMs: number, limit = FIRST_LIMIT): HostState {
  return {
    limit,
    changedAtMs: nowMs,
    loweredAtMs: 0,
    holdUntilMs: 0,
    members: [],
    worked: 0,
    cuts: 0,
    bytes: 0,
    cutsIgnoredUntilMs: 0,
  };
}

/** What an earlier user of the host left, less what is too old. */
export function reviveHost(state: HostState | undefined, nowMs: number): HostState {
  if (state === undefined) return freshHost(nowMs);
  const lastMs = Math.max(state.changedAtMs, ...state.members.map(({ seenAtMs }) => seenAtMs));
  // A clock that was set back must not hold anybody for years.
  const isOfFuture = lastMs > nowMs + SILENT_MS || state.holdUntilMs > nowMs + MAX_HOLD_MS;
  if (isOfFuture || nowMs - lastMs > FORGOTTEN_MS) return freshHost(nowMs);
  const members = state.members.filter(({ seenAtMs }) => nowMs - seenAtMs < SILENT_MS);
  return { ...state, members };
}

/** A longer wish is left to those who asked: `maxPushbackMs` decides. */
export const MAX_HOLD_MS = 300_000;

export function isSame(a: MemberId, b: MemberId): boolean {
  return a.pid === b.pid && a.n === b.n && a.startedAt === b.startedAt && a.place === b.place;
}

export function heldOf({ members }: HostState): number {
  return members.reduce((sum, { held }) => sum + held, 0);
}

// Sharing.

/** How many connections each member should have: as equal as their wishes allow, and extras from what is left. */
export function seatsOf(state: HostState, nowMs: number): readonly number[] {
  const { members, limit } = state;
  const seats = members.map(() => 0);
  const order = members.map((_, i) => i).sort((a, b) => rank(members[a]!, nowMs) - rank(members[b]!, nowMs));
  let left = limit;
  const deal = (wishOf: (member: Member) => number): void => {
    let dealt = true;
    while (dealt && left > 0) {
      dealt = false;
      for (const i of order) {
        if (left === 0 || seats[i]! >= wishOf(members[i]!)) continue;
        seats[i]! += 1;
        left -= 1;
        dealt = true;
      }
    }
  };
  deal((member) => Math.min(1, wishOf(member)));
  deal(wishOf);
  deal((member) => wishOf(member) + member.extras);
  return seats;
}

function wishOf({ held, waiting }: Member): number {
  return held + waiting;
}

/** Those whose turn it is keep what they have; then those who wait, the longest first; then those who had their turn. */
function rank({ held, holdsSinceMs, waitsSinceMs }: Member, nowMs: number): number {
  if (held === 0) return waitsSinceMs;
  return nowMs - holdsSinceMs < TURN_MS ? holdsSinceMs - 1e13 : holdsSinceMs + 1e13;
}

/** How many `id` may have now: its seats, as far as others have left room for them. */
export function grantFor(state: HostState, id: MemberId, nowMs: number): number {
  const i = state.members.findIndex((member) => isSame(member, id));
  if (i < 0) return 0;
  const { held } = state.members[i]!;
  const seats = seatsOf(state, nowMs)[i]!;
  return Math.min(seats, held + Math.max(0, state.limit - heldOf(state)));
}

// The limit.

export function learn(before: HostState, news: News, nowMs: number): HostState {
  const state: HostState = {
    ...before,
    worked: before.worked + news.worked,
    bytes: before.bytes + news.bytes,
    cuts: before.cuts + news.cuts,
    holdUntilMs: Math.max(before.holdUntilMs, Math.min(news.holdUntilMs, nowMs + MAX_HOLD_MS)),
  };
  return (
    onRefusal(state, news.refusedBegunAtMs, nowMs) ??
    onTurnedAway(state, news.turnedAwayBegunAtMs, nowMs) ??
    onTrialEnd(state, nowMs) ??
    onCuts(state, news.cutBegunAtMs, nowMs) ??
    onRecovery(state, nowMs) ??
    onRoomForMore(state, nowMs) ??
    state
  );
}

/** A connection that was begun under an older limit, or while there were more than the limit, says nothing about it. */
function isAbout({ loweredAtMs, members, limit }: HostState, begunAtMs: number): boolean {
  const held = members.reduce((sum, member) => sum + member.held, 0);
  return begunAtMs > loweredAtMs && held <= limit;
}

function onRefusal(state: HostState, begunAtMs: number | undefined, nowMs: number): HostState | undefined {
  if (begunAtMs === undefined || !isAbout(state, begunAtMs)) return undefined;
  if (state.tried !== undefined) return stepBack(state, state.tried.limit, nowMs);
  const { recovery, limit } = state;
  const stepMs = recovery === undefined ? MIN_GROW_MS : Math.min(MAX_STEP_MS, recovery.stepMs * 2);
  const next = changed(state, Math.max(1, limit >> 1), nowMs);
  return { ...next, loweredAtMs: nowMs, recovery: { to: Math.max(limit, recovery?.to ?? 0), stepMs } };
}

/** The one more that was tried is one too many. */
function onTurnedAway(state: HostState, begunAtMs: number | undefined, nowMs: number): HostState | undefined {
  if (begunAtMs === undefined || state.tried === undefined || !isAbout(state, begunAtMs)) return undefined;
  return stepBack(state, state.tried.limit, nowMs);
}

function onCuts(state: HostState, begunAtMs: number | undefined, nowMs: number): HostState | undefined {
  if (begunAtMs === undefined || !isAbout(state, begunAtMs)) return undefined;
  if (nowMs < state.cutsIgnoredUntilMs || state.onTrial !== undefined) return undefined;
  const cutRatio = cutRatioOf(state);
  if (state.limit === 1 || state.cuts < MIN_CUTS || cutRatio < MIN_CUT_RATIO) return undefined;
  const next = changed(state, Math.max(1, state.limit >> 1), nowMs);
  return { ...next, loweredAtMs: nowMs, onTrial: { limit: state.limit, cutRatio } };
}

function onTrialEnd(state: HostState, nowMs: number): HostState | undefined {
  const { onTrial } = state;
  if (onTrial === undefined || state.worked + state.cuts < Math.max(MIN_OUTCOMES, state.limit * 2)) return undefined;
  const ratio = state.cuts / (state.cuts + state.worked);
  if (ratio > onTrial.cutRatio * HELPED_RATIO) {
    return { ...changed(state, onTrial.limit, nowMs), cutsIgnoredUntilMs: nowMs + CUTS_IGNORED_MS };
  }
  return { ...state, onTrial: undefined, ceiling: ceilingAt(state, onTrial.limit - 1, nowMs) };
}

function cutRatioOf(state: HostState): number {
  return state.cuts / Math.max(1, state.cuts + state.worked + heldOf(state));
}

/** What throttles is often the rate and not the number: after a pause the old limit is right again. */
function onRecovery(state: HostState, nowMs: number): HostState | undefined {
  const { recovery, limit, changedAtMs, worked } = state;
  if (recovery === undefined) return undefined;
  const { to, stepMs } = recovery;
  if (limit >= to) return { ...state, recovery: undefined };
  if (nowMs - changedAtMs < stepMs || worked === 0) return state;
  return { ...changed(state, limit + 1, nowMs), recovery };
}

function onRoomForMore(state: HostState, nowMs: number): HostState | undefined {
  const { limit, tried, ceiling, worked, cuts, changedAtMs, bytes } = state;
  const elapsedMs = nowMs - changedAtMs;
  const wish = state.members.reduce((sum, member) => sum + wishOf(member) + member.extras, 0);
  if (elapsedMs < MIN_GROW_MS || worked === 0 || state.onTrial !== undefined) return undefined;
  const bytesPerSecond = (bytes / elapsedMs) * 1_000;
  const isBelow = ceiling !== undefined && limit < ceiling.limit;
  if (tried !== undefined && !isBelow && bytesPerSecond < tried.bytesPerSecond * MIN_GAIN_RATIO) {
    return stepBack(state, tried.limit, nowMs);
  }
  const isAtCeiling = ceiling !== undefined && limit >= ceiling.limit && nowMs < ceiling.untilMs;
  const isFull = heldOf(state) >= limit && wish > limit;
  const isCutOften = cuts / (cuts + worked) >= MIN_CUT_RATIO && nowMs >= state.cutsIgnoredUntilMs;
  if (!isFull || isAtCeiling || (isCutOften && !isBelow) || limit >= MAX_LIMIT) return undefined;
  return { ...changed(state, limit + 1, nowMs), tried: { limit, bytesPerSecond } };
}

/**
 * One more was one too many: that is tried again later, and later still when it fails again. On the way back to what the
 * host once took it is tried again soon: nothing stays throttled for ever.
 */
function stepBack(state: HostState, limit: number, nowMs: number): HostState {
  const { ceiling } = state;
  if (ceiling !== undefined && limit < ceiling.limit) {
    return { ...changed(state, limit, nowMs + RECOVERY_PAUSE_MS), loweredAtMs: nowMs };
  }
  return { ...changed(state, limit, nowMs), loweredAtMs: nowMs, ceiling: ceilingAt(state, limit, nowMs) };
}

function ceilingAt({ ceiling }: HostState, limit: number, nowMs: number): Ceiling {
  const isKnown = ceiling !== undefined && limit <= ceiling.limit;
  const holdMs = isKnown ? Math.min(MAX_CEILING_MS, ceiling.holdMs * 2) : FIRST_CEILING_MS;
  return { limit: Math.max(1, limit), untilMs: nowMs + holdMs, holdMs };
}

function changed(state: HostState, limit: number, nowMs: number): HostState {
  return { ...state, limit, changedAtMs: nowMs, worked: 0, cuts: 0, bytes: 0, tried: undefined, onTrial: undefined };
}
