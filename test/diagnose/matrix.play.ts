/** Plays every case with every seed for `npm run diagnose-matrix`, which renders what is written here. Not part of `npm test`. */
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { cases } from './cases.ts';
import { type Judged, judgeCase } from './play.ts';

const {
  REKNIT_MATRIX_FILE = 'matrix.json',
  REKNIT_MATRIX_SEEDS = '1,2,3',
  REKNIT_MATRIX_ONLY = '',
  REKNIT_MATRIX_JOBS = '3',
} = process.env;
const seeds = REKNIT_MATRIX_SEEDS.split(',').map(Number);
const only = REKNIT_MATRIX_ONLY.split(',').filter(Boolean);

test('the matrix', { timeout: 3_600_000 }, async () => {
  const chosen = cases.filter(({ name }) => only.length === 0 || only.includes(name));
  const jobs = seeds.flatMap((seed) =>
    chosen.filter(({ missing }) => missing === undefined).map((one) => ({ one, seed })),
  );
  const table = chosen.map(({ name, expect, what, missing }) => ({
    name,
    expect,
    what,
    ...(missing === undefined ? {} : { missing }),
  }));
  const results: Judged[] = [];
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { one, seed } = job;
      const judged = await judgeCase(one, seed).catch((error: unknown): Judged => {
        return {
          case: one.name,
          seed,
          expect: one.expect,
          kind: 'not-settled',
          causes: [],
          requestCount: 0,
          tookMs: 0,
          verdict: 'wrong',
          steps: [String(error)],
        };
      });
      results.push(judged);
      // As it goes: whoever runs out of time keeps what was found.
      writeFileSync(REKNIT_MATRIX_FILE, JSON.stringify({ seeds, cases: table, results }));
      const [first] = judged.causes;
      process.stdout.write(
        `${judged.verdict === 'right' ? '✓' : '✗'} ${one.name} ${seed}: ${first?.cause ?? '-'} ${first?.confidence.toFixed(2) ?? ''} ${judged.requestCount} requests ${judged.tookMs} ms\n`,
      );
      if (judged.verdict !== 'right') process.stdout.write(judged.steps.map((step) => `    ${step}\n`).join(''));
    }
  };
  await Promise.all(Array.from({ length: Number(REKNIT_MATRIX_JOBS) }, work));
});
