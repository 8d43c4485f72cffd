import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('never more at once than the limit, everyone in the order in which they came, nobody forgotten', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.constantFrom('take', 'take', 'release', 'lower'), { maxLength: 60 }),
      (limit, steps) => {
        const slots = new Slots(limit, () => 0);
        const started: number[] = [];
        let asked = 0;
        let running = 0;
        for (const step of steps) {
          if (step === 'take') {
            const number = asked++;
            slots.take(() => {
              started.push(number);
              running += 1;
            });
          } else if (step === 'release' && running > 0) {
            running -= 1;
            slots.release();
          } else if (step === 'lower') slots.lower();
          expect(slots.used).toBe(running);
          expect(slots.used).toBeLessThanOrEqual(limit);
        }
        while (running > 0) {
          running -= 1;
          slots.release();
        }
        expect(started).toEqual(Array.from({ length: asked }, (_, index) => index));
        expect(slots.used).toBe(0);
      },
    ),
  );
});

test('twenty thousand who gave up while they waited are passed over within one frame', () => {
  const slots = new Slots(1, () => 0);
  slots.take(() => {});
  let last = false;
  for (let i = 0; i < 20_000; i += 1) slots.take(slots.release);
  slots.take(() => {
    last = true;
  });
  slots.release();
  expect(last).toBe(true);
});

test('a lowered limit is one fewer than ran, and comes back with good ends, or slowly without', () => {
  let nowMs = 0;
  const slots = new Slots(8, () => nowMs);
  for (let i = 0; i < 6; i += 1) slots.take(() => {});
  slots.lower();
  expect(slots.limit).toBe(5);
  slots.lower();
  slots.lower();
  slots.lower();
  expect(slots.limit).toBe(2);
  slots.wentWell();
  slots.wentWell();
  expect(slots.limit).toBe(2);
  nowMs = 1_000;
  slots.wentWell();
  expect(slots.limit).toBe(3);
  nowMs = 31_000;
  expect(slots.limit).toBe(4);
  nowMs = 1_000_000;
  expect(slots.limit).toBe(8);
  slots.wentWell();
  expect(slots.limit).toBe(8);
});
