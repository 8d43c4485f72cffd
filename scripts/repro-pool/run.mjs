// One upstream behind `reknit gateway`, in the troubles that it was built for; the same load without it beside.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { storyNames } from './story.mjs';

const usage = `npm run repro:pool -- [options]

  --only NAME   one of ${storyNames.join(', ')}; can be given several times
  --short       less of everything: seconds instead of minutes
  --json        one JSON document instead of a table
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: storyNames },
      short: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const wrong = values.only.find((name) => !storyNames.includes(name));
  if (wrong !== undefined) throw new Error(`--only must be one of ${storyNames.join(', ')}: received ${wrong}`);
  return values;
}

const storyFile = fileURLToPath(new URL('story.mjs', import.meta.url));
const inNamespace = ['unshare', '--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];
const needNamespace = new Set(['backlog-reset', 'bridge']);

/** Each story has a process of its own, and a network of its own where it changes one. */
async function play(name, isShort) {
  const command = [process.execPath, storyFile, name, isShort ? 'short' : 'long'];
  const [program, ...args] = needNamespace.has(name) ? [...inNamespace, ...command] : command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      err += error.message;
      resolve(1);
    });
    child.once('close', resolve);
  });
  if (code === 0) return { name, ...JSON.parse(out) };
  const why = err.trim().split('\n').at(-1) ?? '';
  if (needNamespace.has(name) && /unshare|Operation not permitted|ENOENT/.test(err))
    return { name, skipped: `no network namespaces here: ${why}` };
  throw new Error(`${name}: ${err.trim()}`);
}

function print(result) {
  if (result.skipped !== undefined) {
    console.log(`\n${result.name}: skipped, ${result.skipped}`);
    return;
  }
  console.log(`\n${result.name}: ${result.title}`);
  const row = (label, cells) =>
    console.log(`  ${label.padEnd(26)}${cells.map((cell) => String(cell).padStart(12)).join('')}`);
  row('', ['requests', 'failed', 'attempts', 'charged', 'longest']);
  const seconds = (ms) => `${(ms / 1_000).toFixed(2)} s`;
  const { without, runs } = result;
  if (without !== undefined)
    row('without reknit', [without.requests, without.failed, '', '', seconds(without.longestMs)]);
  for (const run of runs)
    row(run.label, [run.requests, run.failed, run.attempts.header, run.charged, seconds(run.longestMs)]);
  for (const { label, checks } of runs)
    for (const { what, holds } of checks) if (!holds) console.log(`  ✗ ${label}: ${what}`);
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return;
  }
  const results = [];
  for (const name of options.only) {
    const result = await play(name, options.short);
    results.push(result);
    if (!options.json) print(result);
  }
  if (options.json) console.log(JSON.stringify(results, null, 2));
  const broken = results.flatMap(({ runs = [] }) => runs).flatMap(({ checks }) => checks.filter(({ holds }) => !holds));
  if (broken.length > 0) process.exitCode = 1;
  else if (!options.json) console.log('\nevery promise holds');
}

try {
  await main();
} catch (error) {
  console.error(`repro:pool: ${error.message}`);
  process.exitCode = 2;
}
