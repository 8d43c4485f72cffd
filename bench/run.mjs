// `npm run bench`: reknit beside undici, fetch and its peers, in one run. Prints ratios; writes nothing without `--write`.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { asText, describeCommit, describeMachine, writePage } from './report.mjs';
import { suites, usualSuites } from './suites.mjs';

const usage = `npm run bench -- [NAME…] [options]

  --only NAME      one of ${Object.keys(suites).join(', ')}; can be given several times
  --node PATH      another Node.js binary; can be given several times, each is measured
  --against DIST   another build of reknit (its dist/) beside this one
  --quick          few rounds: shows that it runs, not how fast
  --json           one JSON document instead of tables
  --write          also put these tables, and no others, into docs/benchmarks.md
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const bench = fileURLToPath(new URL('.', import.meta.url));

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      node: { type: 'string', multiple: true, default: [process.execPath] },
      against: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  values.only = [...values.only, ...positionals];
  if (values.only.length === 0) values.only = usualSuites;
  for (const name of values.only) {
    if (suites[name] === undefined) throw new Error(`--only must be one of ${Object.keys(suites)}: received ${name}`);
  }
  return values;
}

function installPeers() {
  if (existsSync(new URL('node_modules/@portkey-ai/gateway', import.meta.url))) return;
  console.error('installing the peers into bench/node_modules');
  const { status } = spawnSync('npm', ['ci', '--prefix', bench, '--no-audit', '--no-fund'], {
    cwd: bench,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('npm ci --prefix bench failed');
}

const asDist = (folder) => pathToFileURL(`${resolve(folder)}/`).href;

function createProgress(what) {
  if (!process.stderr.isTTY) return () => {};
  return (done, all) => process.stderr.write(`\r\x1b[K${done === all ? '' : `${what}: round ${done} of ${all}`}`);
}

async function measure(node, options) {
  const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  const dists = { own: asDist(`${root}/dist`), ...(options.against && { other: asDist(options.against) }) };
  const tables = [];
  if (!options.json) console.log(`\nNode ${version}`);
  for (const name of options.only) {
    const progress = createProgress(`Node ${version}, ${name}`);
    const found = await suites[name]({ node, dists, isQuick: options.quick, progress });
    tables.push(...found);
    if (!options.json) for (const table of found) console.log(asText(table));
  }
  return { version, tables };
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return;
  }
  if (!existsSync(`${root}/dist/http/index.js`)) throw new Error('nothing is built: npm run build');
  if (options.only.some((name) => !name.startsWith('downloads'))) installPeers();
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    commit: describeCommit(root),
    machine: describeMachine(),
  };
  if (!options.json) {
    console.log(`${facts.machine}; commit ${facts.commit}; ${facts.date}`);
    console.log('speed: of the baseline, higher is better; CPU: per request of the baseline, lower is better; medians');
  }
  const runs = [];
  for (const node of options.node) runs.push(await measure(node, options));
  if (options.json) console.log(JSON.stringify({ ...facts, runs }, null, 2));
  if (options.write) writePage(fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url)), runs, facts);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
