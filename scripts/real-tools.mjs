// Real tools through connections that break, with and without reknit: `npm run real-tools -- --only 'npm ci' --write`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeCommit, describeMachine } from '../bench/report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs/real-tools.md');
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    count: { type: 'string', default: '100' },
    beside: { type: 'string', default: '20' },
    seed: { type: 'string', default: '20261128' },
    write: { type: 'boolean', default: false },
  },
});
for (const name of ['count', 'beside', 'seed']) {
  if (!/^\d+$/.test(values[name])) {
    console.error(`Cannot run real tools as --${name} must be a whole number: received ${values[name]}`);
    process.exit(2);
  }
}

const head = [
  '| tool | `reknit run --via` completes | median | alone completes | median | `reknit run` without `--via` completes | connections through `--via` |',
  '|---|---|---|---|---|---|---|',
];
const text = `# Real tools through connections that break

<!-- Made by \`npm run real-tools -- --write\`. Do not edit. -->

Each tool is called as its users call it, in a new folder with no cache of its own, against real servers: nginx with a
static simple index (three wheels, 5 MiB), a registry (six packages, 4.7 MiB), an apt repository (one package, 3 MiB) and a
file of 8 MiB; \`git http-backend\` with a repository of 1 MiB. Between them is the lab's TCP proxy: it refuses 20 % of all
connections and cuts every other one after 256 KiB to 2 MiB. A run is complete when the tool ends with 0 and everything is
there with the right digest (\`git fsck\` for the clone). Four run at once through \`--via\`, up to ten without.

Alone, a tool has the repeats that it brings along; a run is ended after 120 s. \`reknit run\` without \`--via\` starts the
tool again, which helps where an attempt can come through by luck or continues, and not where a file is larger than what a
connection brings: for those there is \`--via\`. A pack of git is nothing that can be continued: it must come through one
connection, so that one of more than 2 MiB could not be had here by anybody.
`;

const folder = mkdtempSync(join(tmpdir(), 'reknit-real-report-'));
const report = join(folder, 'report.json');
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const env = {
  ...process.env,
  REKNIT_REAL_COUNT: values.count,
  REKNIT_REAL_BESIDE: values.beside,
  REKNIT_REAL_SEED: values.seed,
  REKNIT_REAL_ONLY: values.only,
  REKNIT_REAL_REPORT: report,
};
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/run/real-tools.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env,
});
const rows = rowsOf(JSON.parse(readFileSync(report, 'utf8')));
rmSync(folder, { recursive: true });
console.log([...head, ...rows.values()].join('\n'));
if (values.write) write(rows);
process.exit(status ?? 1);

function rowsOf(tallies) {
  const rows = new Map();
  for (const name of new Set(tallies.map(({ tool }) => tool.name))) {
    const of = (way) => tallies.find((tally) => tally.tool.name === name && tally.way === way);
    const via = of('via');
    const { refused, cut, connections } = via;
    const faults = `${connections}: ${refused} refused, ${cut} cut`;
    const cells = [name, share(via), median(via), share(of('plain')), median(of('plain')), share(of('run')), faults];
    rows.set(name, `| ${cells.join(' | ')} |`);
  }
  return rows;
}

function share(tally) {
  return tally === undefined ? '–' : `${tally.told.filter(({ isDone }) => isDone).length} of ${tally.told.length}`;
}

function median(tally) {
  if (tally === undefined) return '–';
  const times = tally.told.map(({ elapsedMs }) => elapsedMs).sort((a, b) => a - b);
  return `${(times[Math.floor(times.length / 2)] / 1000).toFixed(1)} s`;
}

/** Rows of tools that were not run stay. */
function write(rows) {
  let before = [];
  try {
    before = readFileSync(page, 'utf8').split('\n');
  } catch {
    // The first time.
  }
  const kept = before
    .filter((line) => /^\| (?!tool|---)/.test(line))
    .map((line) => [line.split(' | ')[0].slice(2), line]);
  const all = [...new Map([...kept, ...rows]).values()];
  const { count, beside, seed } = values;
  const foot = `Last written with \`--count ${count} --beside ${beside} --seed ${seed}\` on ${new Date().toISOString().slice(0, 10)}, commit ${describeCommit(root)}; ${describeMachine()}; Node ${process.version}.`;
  writeFileSync(page, `${text}\n${[...head, ...all].join('\n')}\n\n${foot}\n`);
}
