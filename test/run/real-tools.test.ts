/**
 * Real tools against real servers, behind connections that are cut after 256 KiB to 2 MiB and refused one time of five.
 * `npm run real-tools` runs each a hundred times, and beside it without reknit; here it is a few times.
 */
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findProgram } from '../peers/daemon.ts';
import { runMany, type Tally, type Way } from './real/real-tools.ts';
import { realTools } from './real/tools.ts';
import { hasProgram } from './servers.ts';

const {
  REKNIT_REAL_COUNT,
  REKNIT_REAL_BESIDE,
  REKNIT_REAL_SEED = '20261128',
  REKNIT_REAL_REPORT,
  REKNIT_REAL_ONLY = '',
} = process.env;
const count = Number(REKNIT_REAL_COUNT ?? 2);
const beside = Number(REKNIT_REAL_BESIDE ?? 0);
const hasNginx = findProgram('nginx', 'nginx-light') !== undefined;
const TIMEOUT_MS = 600_000;
const tallies: Tally[] = [];

const say = (tally: Tally) => {
  tallies.push(tally);
  if (REKNIT_REAL_REPORT !== undefined) writeFileSync(REKNIT_REAL_REPORT, JSON.stringify(tallies));
};

const chosen = realTools.filter(({ name }) => REKNIT_REAL_ONLY === '' || name === REKNIT_REAL_ONLY);

describe.each(chosen.map((tool) => [tool.name, tool] as const))('%s', (_name, tool) => {
  const isReady = hasNginx && tool.needs.every(([program, ...args]) => hasProgram(program, ...args));
  const seed = Number(REKNIT_REAL_SEED);
  const run = async (way: Way, runs: number, timeoutMs: number) => {
    const tally = await runMany({
      tool,
      way,
      count: runs,
      atOnce: Math.min(runs, way === 'via' ? 4 : 10),
      seed,
      timeoutMs,
    });
    say(tally);
    return tally;
  };

  test.skipIf(!isReady)(
    'every run through `reknit run --via` ends with all that was asked for',
    async () => {
      const { told, cut } = await run('via', count, 300_000);
      expect(told.filter(({ isDone }) => !isDone).map(({ said }) => said)).toEqual([]);
      expect(cut, 'the connections were broken').toBeGreaterThan(0);
    },
    TIMEOUT_MS * 3,
  );

  test.skipIf(!isReady || beside === 0)(
    'and without it, and with its repeats alone, it ends as it ends',
    async () => {
      expect((await run('plain', beside, 120_000)).told).toHaveLength(beside);
      // Where it cannot come through, each of these takes all its time.
      await run('run', Math.min(beside, 10), 120_000);
    },
    TIMEOUT_MS * 3,
  );
});
