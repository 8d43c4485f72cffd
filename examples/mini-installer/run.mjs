// node examples/mini-installer/run.mjs [--installers 40]
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { install } from './install.mjs';
import { startRegistry } from './registry.mjs';

const { values } = parseArgs({
  options: { installers: { type: 'string', default: '1' }, packages: { type: 'string', default: '50' } },
});
const [installers, packages] = [Number(values.installers), Number(values.packages)];

const folder = await mkdtemp(join(tmpdir(), 'mini-installer-'));
const stateFolder = join(folder, 'state');
const registry = await startRegistry({ packages });
const startedAtMs = performance.now();
try {
  console.log(
    `${packages} packages from ${registry.firewall.origin}, which allows 8 connections, by ${installers} at once`,
  );
  const tallies = await Promise.all(Array.from({ length: installers }, (_, i) => installAs(i)));
  report(tallies);
  await check();
} finally {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
}

/** The first here, where it can be stepped through; the others are processes of their own. */
function installAs(i) {
  const what = { indexUrl: registry.indexUrl, into: join(folder, `installed-${i}`), stateFolder };
  return installers === 1 ? install(what) : inProcess(what);
}

async function inProcess(what) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('child.mjs', import.meta.url)), JSON.stringify(what)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((done) => child.once('close', done));
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  if ((await ended) !== 0) throw new Error(`an installer failed: ${text}`);
  return JSON.parse(text);
}

function report(tallies) {
  const sum = (key) => tallies.reduce((total, tally) => total + tally[key], 0);
  const { seen } = registry.firewall;
  const requests = registry.requests;
  const count = (holds) => requests.filter(holds).length;
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  console.log(`
the registry saw   ${requests.length} requests; it answered ${count(({ answered }) => answered.status === 429)} with 429, ${count(({ faults }) => faults.includes('empty-200'))} with nothing, and cut ${count(({ answered }) => answered.endedBy === 'rst')}
the firewall saw   ${seen.connections} connections, ${seen.mostOpen} at once; it cut ${seen.cut}, and refused ${seen.refused} as too many
the installers     made ${sum('attempts')} attempts, and went on in the middle of a body ${sum('healed')} times
installed          ${sum('packages')} packages, ${sum('files')} files, ${sum('bytes')} bytes in ${seconds} s`);
}

async function check() {
  for (let i = 0; i < installers; i += 1) {
    const names = await readdir(join(folder, `installed-${i}`));
    if (names.length !== packages) throw new Error(`${names.length} packages of ${packages}`);
  }
  const left = (await readdir(folder)).filter((name) => name.includes('.part-'));
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  console.log('               whole, each proven by the digest of its metadata, nothing left behind');
}
