import { expect, test } from 'vitest';
import { freshHost, grantFor, type HostState, learn, type Member, noNews, seatsOf, TURN_MS } from './host-share.ts';

const nowMs = 1_000_000;

function member(pid: number, own: Partial<Member> = {}): Member {
  const times = { seenAtMs: nowMs, waitsSinceMs: nowMs - pid, holdsSinceMs: nowMs };
  return { pid, n: 1, startedAt: '1', place: 'here', held: 0, waiting: 0, extras: 0, ...times, ...own };
}

function host(members: readonly Member[], own: Partial<HostState> = {}): HostState {
  return { ...freshHost(nowMs - 10_000), members, ...own };
}

const full = [member(1, { held: 8, waiting: 4 })];
const refused = { ...noNews, refusedBegunAtMs: nowMs - 10 };
const cut = (cuts: number) => ({ ...noNews, cuts, cutBegunAtMs: nowMs - 10 });

test('connections are shared equally, as far as they are wanted', () => {
  const members = [member(1, { held: 8, waiting: 5 }), member(2, { waiting: 2 }), member(3, { waiting: 9 })];
  expect(seatsOf(host(members), nowMs)).toEqual([3, 2, 3]);
});

test('what is held by others is not given twice', () => {
  const members = [member(1, { held: 8 }), member(2, { waiting: 2 })];
  expect(grantFor(host(members), members[1]!, nowMs)).toBe(0);
  expect(grantFor(host([member(1, { held: 7 }), members[1]!]), members[1]!, nowMs)).toBe(1);
});

test('further connections of a file come behind downloads that have none', () => {
  const members = [member(1, { held: 1, extras: 7 }), member(2, { waiting: 3 })];
  expect(seatsOf(host(members), nowMs)).toEqual([5, 3]);
});

test('where more wait than there is room for, everybody has a turn', () => {
  const holder = member(1, { held: 1, waiting: 9 });
  const waiter = member(2, { waiting: 1 });
  expect(seatsOf(host([holder, waiter], { limit: 1 }), nowMs)).toEqual([1, 0]);
  expect(seatsOf(host([holder, waiter], { limit: 1 }), nowMs + TURN_MS)).toEqual([0, 1]);
});

test('a refusal halves the limit once for all connections that were begun before', () => {
  const once = learn(host(full), refused, nowMs);
  expect(once.limit).toBe(4);
  expect(learn(once, refused, nowMs + 5).limit).toBe(4);
  const later = { ...noNews, refusedBegunAtMs: nowMs + 10 };
  // Eight are still in use: that they are refused says nothing about four.
  expect(learn(once, later, nowMs + 20).limit).toBe(4);
  expect(learn({ ...once, members: [member(1, { held: 4 })] }, later, nowMs + 20).limit).toBe(2);
});

test('a pause that the host asks for holds everybody', () => {
  expect(learn(host(full), { ...noNews, holdUntilMs: nowMs + 4_000 }, nowMs).holdUntilMs).toBe(nowMs + 4_000);
});

test('one cut says nothing; several halve the limit', () => {
  expect(learn(host(full), cut(1), nowMs).limit).toBe(8);
  expect(learn(host(full), cut(3), nowMs).limit).toBe(4);
});

test('where fewer connections are cut just as often, the old limit comes back, and cuts are ignored', () => {
  const lowered = { ...learn(host(full), cut(3), nowMs), members: [member(1, { held: 4 })] };
  const as = { ...cut(4), worked: 8, cutBegunAtMs: nowMs + 10 };
  const back = learn(lowered, as, nowMs + 1_000);
  expect(back.limit).toBe(8);
  expect(learn(back, { ...cut(9), cutBegunAtMs: nowMs + 2_000 }, nowMs + 3_000).limit).toBe(8);
});

test('where fewer connections are cut less, the limit stays below', () => {
  const lowered = { ...learn(host(full), cut(3), nowMs), members: [member(1, { held: 4 })] };
  const after = learn(lowered, { ...noNews, worked: 20 }, nowMs + 100);
  expect([after.limit, after.ceiling?.limit]).toEqual([4, 7]);
});

test('one more is tried when all are in use, kept while it brings more, and left when it does not', () => {
  const worked = (bytes: number) => ({ ...noNews, worked: 10, bytes });
  const tried = learn(host(full), worked(10_000_000), nowMs);
  expect(tried.limit).toBe(9);
  const nine = { ...tried, members: [member(1, { held: 9, waiting: 4 })] };
  expect(learn(nine, worked(2_000_000), nowMs + 1_000).limit).toBe(10);
  const left = learn(nine, worked(1_000_000), nowMs + 1_000);
  expect([left.limit, left.ceiling?.limit]).toEqual([8, 8]);
});

test('one too many goes back by one, and is tried again only after half a minute, then a minute', () => {
  const again = (state: HostState, atMs: number) => {
    const worked = { ...noNews, worked: 10, bytes: 10_000_000 * (atMs / nowMs) ** 99 };
    return learn({ ...state, members: [member(1, { held: state.limit, waiting: 4 })] }, worked, atMs);
  };
  const tried = again(host(full), nowMs);
  const back = learn(tried, { ...cut(1), turnedAwayBegunAtMs: nowMs + 5 }, nowMs + 10);
  expect(back.limit).toBe(8);
  expect(again(back, nowMs + 29_000).limit).toBe(8);
  const second = again(back, nowMs + 31_000);
  expect(second.limit).toBe(9);
  const secondBack = learn(second, { ...cut(1), turnedAwayBegunAtMs: nowMs + 31_005 }, nowMs + 31_010);
  expect(secondBack.ceiling?.holdMs).toBe(60_000);
});

test('what was halved by a refusal comes back by one each second, whatever is cut on the way', () => {
  let state = learn(host(full), refused, nowMs);
  for (let second = 1; second <= 4; second += 1) {
    state = learn(state, { ...cut(2), worked: 4 }, nowMs + second * 1_000);
    expect(state.limit).toBe(4 + second);
  }
  expect([state.limit, state.ceiling]).toEqual([8, undefined]);
});

test('refused again and again it comes back more slowly, and always comes back', () => {
  let state = host([member(1, { held: 1, waiting: 9 })]);
  for (let i = 1; i <= 10; i += 1) {
    state = learn(state, { ...noNews, refusedBegunAtMs: nowMs + i * 1_000 - 1 }, nowMs + i * 1_000);
  }
  expect(state).toMatchObject({ limit: 1, recovery: { to: 8, stepMs: 10_000 } });
  for (let i = 1; i <= 7; i += 1) state = learn(state, { ...noNews, worked: 1 }, nowMs + 10_000 + i * 10_000);
  expect(state.limit).toBe(8);
});

test('one too many on the way back from cuts goes back by one for a moment', () => {
  const lowered = { ...learn(host(full), cut(3), nowMs), members: [member(1, { held: 4, waiting: 4 })] };
  const helped = learn(lowered, { ...noNews, worked: 20 }, nowMs + 100);
  const more = learn(helped, { ...noNews, worked: 4 }, nowMs + 1_100);
  expect(more.limit).toBe(5);
  const tooMany = { ...noNews, turnedAwayBegunAtMs: nowMs + 1_200 };
  const back = learn({ ...more, members: [member(1, { held: 5 })] }, tooMany, nowMs + 1_300);
  expect([back.limit, back.ceiling?.limit]).toEqual([4, 7]);
});

test('nobody waits: the limit stays', () => {
  const worked = { ...noNews, worked: 10, bytes: 10_000_000 };
  expect(learn(host([member(1, { held: 8 })]), worked, nowMs).limit).toBe(8);
});
