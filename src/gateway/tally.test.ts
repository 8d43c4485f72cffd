import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { CountedByLabels, TimedByLabel } from './tally.ts';

const label = fc.constantFrom('', 'a', 'b "quoted"', 'c\\d', 'e\nf');
const bounds = [0.001, 0.5, 2];

const linesOf = async (registry: Registry) => (await registry.metrics()).split('\n').sort();

test('what is counted reads as the library itself would count it, however often it is asked between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(label, label, label, fc.boolean())), async (events) => {
      const [own, theirs] = [new Registry(), new Registry()];
      const about = { name: 'x_total', help: 'Of x', labelNames: ['pool', 'upstream', 'class'] };
      const counted = new CountedByLabels(own, about);
      const counter = new Counter({ ...about, registers: [theirs] });
      for (const [pool, upstream, kind, isAsked] of events) {
        counted.count(pool, upstream, kind);
        counter.inc({ pool, upstream, class: kind });
        if (isAsked) await own.metrics();
      }
      expect(await linesOf(own)).toEqual(await linesOf(theirs));
    }),
    { numRuns: 50 },
  );
});

test('a counter with one label counts by it alone', async () => {
  const registry = new Registry();
  const counted = new CountedByLabels(registry, { name: 'x_total', help: 'Of x', labelNames: ['pool'] });
  counted.count('a');
  counted.count('a');
  expect(await registry.metrics()).toContain('x_total{pool="a"} 2');
});

test('what is timed falls into the buckets that the library itself would choose', async () => {
  const value = fc.oneof(fc.constantFrom(0, ...bounds, 3), fc.double({ min: 0, max: 5, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(label, value)), async (samples) => {
      const [own, theirs] = [new Registry(), new Registry()];
      const about = { name: 'x_seconds', help: 'Of x', labelNames: ['pool'] };
      const timed = new TimedByLabel(own, about, bounds);
      const histogram = new Histogram({ ...about, buckets: bounds, registers: [theirs] });
      for (const [pool, seconds] of samples) {
        timed.observe(pool, seconds);
        histogram.observe({ pool }, seconds);
      }
      expect(await linesOf(own)).toEqual(await linesOf(theirs));
    }),
    { numRuns: 50 },
  );
});
