import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type Family, families } from './arbitraries.ts';
import { Coverage } from './coverage.ts';
import { expectedCells } from './expected-cells.ts';
import { findBreaches } from './laws.ts';
import { runSchedule } from './run-schedule.ts';
import type { Schedule } from './schedule.ts';

const FIXED_SEED = 20_260;
const FIXED_COUNT = 20_000;
const seed = Number(process.env.REKNIT_SIM_SEED ?? FIXED_SEED);
const count = Number(process.env.REKNIT_SIM_COUNT ?? FIXED_COUNT);
const one = process.env.REKNIT_SIM_SCHEDULE;
const isLong = process.env.REKNIT_SIM_COUNT !== undefined;

const shares: Readonly<Record<Family, number>> = { patient: 0.4, hurried: 0.25, unsafe: 0.2, redirected: 0.15 };
/** Every so many schedules are run twice, to see that the same seed gives the same ledger. */
const TWICE_EVERY = 25;

const coverage = new Coverage();

describe.skipIf(one !== undefined)('the whole client under generated faults', () => {
  for (const family of Object.keys(families) as Family[]) {
    test(`${family} schedules keep every law`, { timeout: 3_600_000 }, async () => {
      let runs = 0;
      const property = fc.asyncProperty(families[family], async (schedule) => {
        runs += 1;
        await checkSchedule(schedule, family, runs % TWICE_EVERY === 0);
      });
      await fc.assert(property, { seed, numRuns: Math.ceil(count * shares[family]), reporter: explain(family) });
    });
  }

  test('every expected cell of phase, failure and decision was reached', () => {
    // A shorter run reaches less.
    if (count >= FIXED_COUNT) expect(coverage.missing(expectedCells)).toEqual([]);
  });

  afterAll(() => {
    if (isLong) process.stdout.write(`\n${coverage.table()}\n`);
  });
});

if (one !== undefined) {
  test('one schedule keeps every law', async () => {
    await checkSchedule(JSON.parse(one) as Schedule, 'patient', true);
  });
}

async function checkSchedule(schedule: Schedule, family: Family, isTwice: boolean): Promise<void> {
  const run = await runSchedule(schedule);
  coverage.add(run);
  const breaches = findBreaches(run, family === 'patient' || family === 'redirected');
  if (isTwice && (await runSchedule(schedule)).ledgerText !== run.ledgerText)
    breaches.push('the ledger is another one');
  if (breaches.length > 0) throw new Error(`${breaches.join('\n')}\n${run.ledgerText}`);
}

/** The shrunk schedule, and how to run it again. */
function explain(family: Family) {
  return (details: fc.RunDetails<[Schedule]>): void => {
    if (!details.failed) return;
    const [schedule] = details.counterexample ?? [];
    throw new Error(
      [
        `a law was broken after ${details.numRuns} ${family} schedules (seed ${details.seed}), shrunk ${details.numShrinks} times`,
        `replay: npm run simulate-faults -- --seed ${seed} --count ${count}`,
        `or, this one: npm run simulate-faults -- --schedule '${JSON.stringify(schedule)}'`,
        (details.errorInstance as Error | undefined)?.message ?? '',
      ].join('\n'),
    );
  };
}
