import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NOT_WATCHED, SWEEP_MS, Sweep } from './sweep.ts';
import { VirtualClock } from './virtual-clock.ts';

test('one timer serves all that is watched, also when a look begins something new', () => {
  const clock = new VirtualClock();
  const sweep = new Sweep(clock);
  let looks = 0;
  const late = { sweepIndex: NOT_WATCHED, check: () => {} };
  const first = {
    sweepIndex: NOT_WATCHED,
    check: () => {
      looks += 1;
      // A hop that times out gives its slot to the next request, which is watched within the call.
      sweep.delete(first);
      sweep.add(late);
      sweep.add(first);
    },
  };
  sweep.add(first);
  for (let step = 0; step < 50; step += 1) clock.step();
  expect(clock.pending).toBe(1);
  expect(looks).toBe(50);
  expect(clock.nowMs()).toBe(50 * SWEEP_MS);
});

test('nothing runs when nothing is watched', () => {
  const clock = new VirtualClock();
  const sweep = new Sweep(clock);
  const watched = { sweepIndex: NOT_WATCHED, check: () => sweep.delete(watched) };
  sweep.add(watched);
  while (clock.step()) {}
  expect(sweep.size).toBe(0);
  expect(clock.pending).toBe(0);
});

test('stopping leaves no timer', () => {
  const clock = new VirtualClock();
  const sweep = new Sweep(clock);
  sweep.add({ sweepIndex: NOT_WATCHED, check: () => {} });
  sweep.stop();
  expect(clock.pending).toBe(0);
});

test('whoever is watched is looked at on every tick, whoever leaves meanwhile', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat({ max: 11 }), { maxLength: 4 }), { minLength: 12, maxLength: 12 }),
      (leavers) => {
        const clock = new VirtualClock();
        const sweep = new Sweep(clock);
        const looks = new Array<number>(12).fill(0);
        const watched = leavers.map((others, me) => ({
          sweepIndex: NOT_WATCHED,
          check: () => {
            looks[me]! += 1;
            for (const other of others) sweep.delete(watched[other]!);
          },
        }));
        for (const one of watched) sweep.add(one);
        clock.step();
        const left = new Set(leavers.flatMap((others, me) => (looks[me]! > 0 ? others : [])));
        for (const [me, count] of looks.entries()) if (!left.has(me)) expect(count).toBeGreaterThan(0);
        expect(sweep.size).toBe(12 - left.size);
      },
    ),
  );
});
