// Plays every case of test/diagnose with three seeds, and writes what was said of them into docs/diagnose.md.
//   npm run diagnose-matrix -- [--seeds 1,2,3] [--only NAME,…] [--jobs 3] [--no-write] [--save FILE] [--from FILE,…]
// --save keeps what was found, --from renders what was kept: one seed at a time, where a machine is free for minutes only.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { playVitest } from './play-vitest.mjs';
import { renderMatrix, replaceBetween } from './render-diagnose.mjs';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '3' },
    'no-write': { type: 'boolean', default: false },
    save: { type: 'string' },
    from: { type: 'string' },
  },
});

const run = values.from === undefined ? play() : joined(values.from.split(','));
const right = run.results.filter(({ verdict }) => verdict.startsWith('right')).length;
const bad = run.results.filter(({ verdict }) => verdict === 'confident-and-wrong').length;
console.log(`${right} of ${run.results.length} named the right cause first, ${bad} confident and wrong`);
if (right < 0.9 * run.results.length || bad > 0) process.exitCode = 1;
if (values.save !== undefined) writeFileSync(values.save, JSON.stringify(run));
else if (!values['no-write'] && values.only === '') write(run);

function play() {
  const { seeds, only, jobs } = values;
  return playVitest('scripts/diagnose-matrix.config.ts', 'REKNIT_MATRIX_FILE', {
    REKNIT_MATRIX_SEEDS: seeds,
    REKNIT_MATRIX_ONLY: only,
    REKNIT_MATRIX_JOBS: jobs,
  });
}

/** Runs with a seed each, as one. */
function joined(files) {
  const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  return {
    cases: runs[0].cases,
    seeds: runs.flatMap(({ seeds }) => seeds),
    results: runs.flatMap(({ results }) => results),
  };
}

function write(found) {
  const machine = `Node.js ${process.versions.node}, ${cpus().length} processors, ${values.jobs} at a time`;
  const date = new Date().toISOString().slice(0, 10);
  const page = readFileSync('docs/diagnose.md', 'utf8');
  writeFileSync('docs/diagnose.md', replaceBetween(page, 'matrix', renderMatrix(found, { machine, date })));
}
