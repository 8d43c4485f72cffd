// The sixteen faults of a failover benchmark, with their real times, against `reknit gateway` as an operator runs it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeCommit } from '../bench/report.mjs';
import { failoverFaults, fallbackModel, fullTiming, playFailover, startLab } from '../dist/lab/index.js';
import { renderFailover } from './render-failover.mjs';

const usage = `npm run failover-benchmark -- [options]

  --only ID     one fault, S01 to S16; can be given several times
  --row NAME    one of none, error, atomic; can be given several times
  --json        one JSON document instead of tables
  --write       also put the tables into docs/failover.md

It takes about five minutes: the faults of one row are played at once, the longest lasts eighty seconds.
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const rows = { none: undefined, error: 'error', atomic: 'atomic' };

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: failoverFaults.map(({ id }) => id) },
      row: { type: 'string', multiple: true, default: Object.keys(rows) },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const check = (name, known) => {
    const wrong = values[name].find((value) => !known.includes(value));
    if (wrong !== undefined) throw new Error(`--${name} must be one of ${known.join(', ')}: received ${wrong}`);
  };
  check(
    'only',
    failoverFaults.map(({ id }) => id),
  );
  check('row', Object.keys(rows));
  return values;
}

/** The benchmark's budget for everybody: two repeats, 30 s of silence, one fallback. What else departs from defaults is here. */
export function configOf({ primary, fallback }, mode) {
  const at = ({ url }) => {
    const { origin, search } = new URL(url);
    return `${origin}/${search}`;
  };
  const well = { name: 'fallback', url: at(fallback) };
  return {
    listen: '127.0.0.1:0',
    admin: false,
    log: { level: 'none' },
    pools: {
      both: {
        upstreams: [
          { name: 'primary', url: at(primary), inputLimit: 8_000 },
          { ...well, tier: 1, model: fallbackModel, inputLimit: 128_000 },
        ],
        rounds: { within: 'tier' },
        timeouts: { headers: '30s', firstContent: '10s', idle: '20s' },
        stream: { mode, damagedEvents: 'pass' },
      },
      well: { upstreams: [well] },
    },
    routes: [{ model: fallbackModel, pool: 'well' }, { pool: 'both' }],
  };
}

async function startGateway(upstreams, mode) {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-failover-'));
  const path = join(folder, 'gateway.json');
  await writeFile(path, JSON.stringify(configOf(upstreams, mode)));
  const args = [join(root, 'dist/cli/main.js'), 'gateway', '--config', path, '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  let said = '';
  const url = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${said}`)));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      const line = said.split('\n').find((one) => one.includes('"listening"'));
      if (line !== undefined) resolve(JSON.parse(line).urls[0]);
    });
  });
  return {
    url,
    close: async () => {
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** The control: nothing between caller and provider. `/v1/…` is appended to where a run is served. */
async function startNothing({ primary, fallback }) {
  const { createServer, request } = await import('node:http');
  // A caller without a gateway still names a model; this only looks up whose address that is, and copies bytes.
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const run = JSON.parse(body).model === fallbackModel ? fallback : primary;
    const { host: _host, ...headers } = incoming.headers;
    const { origin, search } = new URL(run.url);
    const passed = request(`${origin}${incoming.url}${search}`, { method: 'POST', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.on('error', () => outgoing.destroy());
      answer.on('close', () => answer.complete || outgoing.destroy());
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    passed.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    hasFallback: false,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function playRow(name, ids) {
  const start = name === 'none' ? startNothing : (upstreams) => startGateway(upstreams, rows[name]);
  const lab = await startLab({ sparePorts: 2 * ids.length });
  const chosen = failoverFaults.filter(({ id }) => ids.includes(id));
  const scores = await Promise.all(chosen.map((fault) => playFailover(lab, fault, fullTiming, start)));
  await lab.close();
  return scores;
}

function printRow(name, scores) {
  console.log(`\n${name}\n`);
  for (const { id, title, verdict, primaryAttempts, fallbackAttempts, durationMs, because } of scores) {
    const asked = `${primaryAttempts}+${fallbackAttempts}`;
    const took = `${(durationMs / 1_000).toFixed(1)} s`;
    const why = because.length > 70 ? `${because.slice(0, 69)}…` : because;
    console.log(
      `  ${id}  ${verdict.padEnd(7)}  ${asked.padStart(5)}  ${took.padStart(7)}  ${title.padEnd(56)}  ${why}`,
    );
  }
  const count = (wanted) => scores.filter(({ verdict }) => verdict === wanted).length;
  console.log(
    `\n  ${count('pass')} pass, ${count('partial')} partial, ${count('safe')} safe, ${count('fail')} fail (attempts: primary+fallback)`,
  );
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return;
  }
  const found = {};
  for (const name of options.row) {
    found[name] = await playRow(name, options.only);
    if (!options.json) printRow(name === 'none' ? 'nothing between' : `reknit gateway, mode ${name}`, found[name]);
  }
  const facts = { date: new Date().toISOString().slice(0, 10), commit: describeCommit(root), node: process.version };
  if (options.json) console.log(JSON.stringify({ ...facts, rows: found }, null, 2));
  if (options.write) {
    const page = renderFailover(found, facts);
    await writeFile(join(root, 'docs/failover.md'), page);
  }
  if (
    Object.entries(found).some(([name, scores]) => name !== 'none' && scores.some(({ verdict }) => verdict === 'fail'))
  )
    process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`failover-benchmark: ${error.message}`);
  process.exitCode = 2;
}
