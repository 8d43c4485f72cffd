// Has the built command diagnose scenarios of the lab's catalogue whose truths were written down before (test/diagnose/truths.ts).
//   npm run diagnose-blind -- [--half mended|held-back|all|drawn] [--draw N] [--seed N] [--only NAME,…] [--jobs 3] [--counts] [--save FILE]
//   npm run diagnose-blind -- --from FILE,…      writes what was kept into docs/diagnose.md
// One half of the catalogue is there to mend by, the other one is held back: --counts tells no more of it than how many were right.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { playVitest } from './play-vitest.mjs';
import { renderBlind, replaceBetween } from './render-diagnose.mjs';

// As in test/diagnose/halves.ts.
const HALVES_SEED = '20261128';

const { values } = parseArgs({
  options: {
    half: { type: 'string', default: 'mended' },
    draw: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    halves: { type: 'string', default: HALVES_SEED },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '3' },
    counts: { type: 'boolean', default: false },
    save: { type: 'string' },
    from: { type: 'string' },
  },
});

if (values.from !== undefined) {
  const runs = values.from.split(',').map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const machine = `Node.js ${process.versions.node}, ${cpus().length} processors`;
  const date = new Date().toISOString().slice(0, 10);
  const page = readFileSync('docs/diagnose.md', 'utf8');
  writeFileSync('docs/diagnose.md', replaceBetween(page, 'blind', renderBlind(runs, { machine, date })));
  process.exit();
}

const { results } = playVitest('scripts/diagnose-blind.config.ts', 'REKNIT_BLIND_FILE', {
  REKNIT_BLIND_HALF: values.half,
  REKNIT_BLIND_SEED: values.seed,
  REKNIT_BLIND_HALVES: values.halves,
  REKNIT_BLIND_ONLY: values.only,
  REKNIT_BLIND_DRAW: values.draw,
  REKNIT_BLIND_JOBS: values.jobs,
  REKNIT_BLIND_COUNTS: values.counts ? 'yes' : '',
});
const count = (verdict) => results.filter((one) => one.verdict === verdict).length;
const of = results.length;
console.log(
  `\n${values.half}, seed ${values.seed}: ${count('right') + count('right-unsettled')} of ${of} name a right cause first, ${count('right')} of them settled; ` +
    `${count('wrong-unsettled')} not settled with another one first, ${count('confident-and-wrong')} confident and wrong; ` +
    `at most ${Math.max(...results.map(({ requestCount }) => requestCount))} requests and ${(Math.max(...results.map(({ tookMs }) => tookMs)) / 1000).toFixed(1)} s`,
);
if (count('confident-and-wrong') > 0) process.exitCode = 1;
if (values.save !== undefined)
  writeFileSync(values.save, JSON.stringify({ half: values.half, seed: Number(values.seed), results }));
