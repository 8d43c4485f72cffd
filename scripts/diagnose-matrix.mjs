// Plays every case of test/diagnose with three seeds, and writes what was said of them into docs/diagnose.md.
//   npm run diagnose-matrix -- [--seeds 1,2,3] [--only NAME,…] [--jobs 3] [--no-write]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderMatrix, replaceBetween } from './render-diagnose.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '3' },
    'no-write': { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'reknit-matrix-'));
const file = join(folder, 'matrix.json');
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
try {
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'scripts/diagnose-matrix.config.ts'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      REKNIT_MATRIX_FILE: file,
      REKNIT_MATRIX_SEEDS: values.seeds,
      REKNIT_MATRIX_ONLY: values.only,
      REKNIT_MATRIX_JOBS: values.jobs,
    },
  });
  if (status !== 0) process.exitCode = 1;
  const run = JSON.parse(readFileSync(file, 'utf8'));
  const right = run.results.filter(({ verdict }) => verdict.startsWith('right')).length;
  const bad = run.results.filter(({ verdict }) => verdict === 'confident-and-wrong').length;
  console.log(`${right} of ${run.results.length} named the right cause first, ${bad} confident and wrong`);
  if (right < 0.9 * run.results.length || bad > 0) process.exitCode = 1;
  if (!values['no-write'] && values.only === '') {
    const machine = `Node.js ${process.versions.node}, ${cpus().length} processors, ${values.jobs} at a time`;
    const page = readFileSync('docs/diagnose.md', 'utf8');
    writeFileSync(
      'docs/diagnose.md',
      replaceBetween(page, 'matrix', renderMatrix(run, { machine, date: new Date().toISOString().slice(0, 10) })),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
