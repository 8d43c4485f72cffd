// `npm run conformance`: every client that is known by name through the catalogue, into docs/conformance.md and .html.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeCommit, describeMachine } from '../bench/report.mjs';
import { cardOf } from '../dist/cli/conformance-card.js';
import { resolveConformance } from '../dist/cli/conformance-settings.js';
import { describeScorecard, renderScorecards } from '../dist/lab/index.js';
import { renderConformance } from './render-conformance.mjs';

const usage = `npm run conformance -- [options]

  --preset NAMES   only these clients (default: all)
  --only NAMES     only these scenarios or families
  --jobs N         scenarios at the same time
  --out PREFIX     writes PREFIX.md and PREFIX.html (default: docs/conformance)
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const bench = fileURLToPath(new URL('../bench/', import.meta.url));

const { values } = parseArgs({
  options: {
    preset: { type: 'string', default: 'all' },
    only: { type: 'string' },
    jobs: { type: 'string' },
    out: { type: 'string', default: `${root}docs/conformance` },
    help: { type: 'boolean', default: false },
  },
});

function installPeers() {
  if (existsSync(`${bench}node_modules/got`)) return;
  console.error('installing the peers into bench/node_modules');
  const { status } = spawnSync('npm', ['ci', '--prefix', bench, '--no-audit', '--no-fund'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('npm ci --prefix bench failed');
}

async function main() {
  if (values.help) return void console.log(usage);
  installPeers();
  const flags = {
    preset: values.preset.split(','),
    ...(values.only && { only: values.only.split(',') }),
    ...(values.jobs && { jobs: values.jobs }),
  };
  const settings = await resolveConformance([], flags, bench);
  for (const line of settings.missing) console.error(line);
  const columns = [];
  for (const client of settings.clients) {
    try {
      columns.push(await cardOf(client, settings, {}));
      console.log(
        describeScorecard(columns.at(-1))
          .split('\n')
          .find((line) => line.startsWith(`${client.title}: `)),
      );
    } catch (error) {
      if (error.name !== 'UnfitClientError') throw error;
      console.error(`${client.title}: ${error.message}`);
    }
  }
  const date = new Date().toISOString().slice(0, 10);
  const made = `Node.js ${process.versions.node}, ${describeMachine()}, ${date}, commit ${describeCommit(root)}`;
  const facts = { seed: settings.seed, limitMs: settings.limitMs, made };
  writeFileSync(`${values.out}.md`, renderConformance(columns, settings.entries, facts));
  writeFileSync(`${values.out}.html`, renderScorecards(columns, settings.entries, facts));
}

await main();
