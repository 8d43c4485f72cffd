// A gateway at 120 % of what its upstreams can do, while they are killed and revived at random: `npm run soak:gateway`.
// Every answer must prove which request it is for; what fails must be said, and when the trouble is over nothing fails.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';

const usage = `npm run soak:gateway -- [options]

  --seconds N   of trouble. Default: 120
  --seed N      of kills and revivals. Default: by chance, and printed
  --json        one JSON document instead of text
`;

const here = fileURLToPath(import.meta.url);
const upstreamCount = 3;
const placesEach = 8;
const serviceMs = 160;
const tokens = 12;
const perSecond = (upstreamCount * placesEach * 1_000) / serviceMs;

// An upstream: so many places, and a refusal for everybody else.

async function serve(port) {
  let busy = 0;
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    if (busy >= placesEach) {
      outgoing.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"no place"}}');
      return;
    }
    busy += 1;
    const id = incoming.headers['x-proof'];
    if (incoming.method === 'GET') {
      await pause(serviceMs);
      outgoing.end(`proof of ${id}\n`.repeat(200));
    } else {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let token = 0; token < tokens && !outgoing.destroyed; token += 1) {
        await pause(serviceMs / tokens);
        outgoing.write(eventOf({ content: `${id}:${token} ` }, null));
      }
      outgoing.end(`${eventOf({}, 'stop')}data: [DONE]\n\n`);
    }
    busy -= 1;
  });
  server.listen(port, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('disconnect', () => process.exit());
}

const eventOf = (delta, finish) =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

// Chance with a seed (mulberry32).

function chanceOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Clients: they come whether the last one has been answered or not.

/** `whole`, `told` (an error that anybody sees), `lost` (no answer, no error in time), or `wrong`: not what was asked for. */
async function ask(url, id, dispatcher) {
  const isStream = id % 3 === 0;
  const headers = { 'x-proof': String(id), 'content-type': 'application/json' };
  const body = isStream ? JSON.stringify({ model: 'm', stream: true, messages: [] }) : undefined;
  const path = isStream ? '/v1/chat/completions' : '/proof';
  let text = '';
  try {
    const signal = AbortSignal.timeout(30_000);
    const answer = await request(`${url}${path}`, {
      method: isStream ? 'POST' : 'GET',
      headers,
      body,
      dispatcher,
      signal,
    });
    answer.body.setEncoding('utf8');
    for await (const part of answer.body) text += part;
    if (answer.statusCode !== 200) return /"code":"[\w-]+"/.test(text) ? 'told' : 'wrong';
    return text === expected(id, isStream) ? 'whole' : 'wrong';
  } catch (error) {
    if (error.name === 'TimeoutError') return 'lost';
    // Cut off, and seen to be: but what came must be the beginning of the right answer.
    const came = isStream ? text.split('data: {"error"')[0] : text;
    return expected(id, isStream).startsWith(came.replaceAll(': keepalive\n\n', '')) ? 'told' : 'wrong';
  }
}

function expected(id, isStream) {
  if (!isStream) return `proof of ${id}\n`.repeat(200);
  const said = Array.from({ length: tokens }, (_, token) => eventOf({ content: `${id}:${token} ` }, null));
  return `${said.join('')}${eventOf({}, 'stop')}data: [DONE]\n\n`;
}

function createLoad(url) {
  const dispatcher = new Agent({ connections: 512 });
  const ends = { whole: 0, told: 0, lost: 0, wrong: 0 };
  const running = new Set();
  let id = 0;
  const one = () => {
    id += 1;
    const running1 = ask(url, id, dispatcher).then((end) => {
      ends[end] += 1;
      running.delete(running1);
    });
    running.add(running1);
  };
  return {
    ends,
    at: async (share, seconds) => {
      const beganAtMs = performance.now();
      let sent = 0;
      while (performance.now() - beganAtMs < seconds * 1_000) {
        const due = ((performance.now() - beganAtMs) / 1_000) * perSecond * share;
        for (; sent < due; sent += 1) one();
        await pause(5);
      }
    },
    settled: async () => {
      await Promise.all(running);
      return { ...ends };
    },
    close: () => dispatcher.destroy(),
  };
}

async function startUpstream(port) {
  const child = fork(here, ['upstream', String(port)]);
  const [told] = await once(child, 'message');
  return { child, port: told.port };
}

/** Kills and revives until the time is over; then all of them live. */
async function trouble(upstreams, chance, seconds) {
  const endsAtMs = performance.now() + seconds * 1_000;
  let kills = 0;
  while (performance.now() < endsAtMs) {
    await pause(200 + chance() * 1_500);
    const one = upstreams[Math.floor(chance() * upstreams.length)];
    if (one.child === undefined) Object.assign(one, await startUpstream(one.port));
    else {
      const gone = once(one.child, 'exit');
      one.child.kill('SIGKILL');
      await gone;
      one.child = undefined;
      kills += 1;
    }
  }
  for (const one of upstreams) if (one.child === undefined) Object.assign(one, await startUpstream(one.port));
  return kills;
}

async function startGateway(folder, upstreams) {
  const config = {
    listen: '127.0.0.1:0',
    admin: '127.0.0.1:0',
    log: { to: join(folder, 'access.log') },
    ejection: { base: '1s', max: '4s', slowStart: '1s' },
    timeouts: { deadline: '10s' },
    upstreams: upstreams.map(({ port }, index) => ({ name: `u${index + 1}`, url: `http://127.0.0.1:${port}` })),
  };
  const path = join(folder, 'gateway.json');
  await writeFile(path, JSON.stringify(config));
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'gateway', '--json', '--config', path], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  while (!said.includes('"listening"')) {
    if (child.exitCode !== null) throw new Error(`the gateway has ended: ${said}`);
    await pause(10);
  }
  const { urls, adminUrl } = JSON.parse(said.split('\n')[0]);
  return { child, url: urls[0], adminUrl, said: () => said };
}

async function soak(seconds, seed) {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-soak-'));
  const upstreams = [];
  for (let index = 0; index < upstreamCount; index += 1) upstreams.push(await startUpstream(0));
  const gateway = await startGateway(folder, upstreams);
  const load = createLoad(gateway.url);
  try {
    const [kills] = await Promise.all([trouble(upstreams, chanceOf(seed), seconds), load.at(1.2, seconds)]);
    const inTrouble = await load.settled();
    // Everybody is back, and there is room: ejections end, shares grow, and then nothing fails.
    await load.at(0.25, 8);
    const before = await load.settled();
    await load.at(0.25, 4);
    const after = await load.settled();
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    const inFlight = Number(/^reknit_in_flight\{.*\} (\d+)$/m.exec(metrics)?.[1]);
    const ended = once(gateway.child, 'exit');
    gateway.child.kill('SIGTERM');
    const [code] = await ended;
    const lines = (await readFile(join(folder, 'access.log'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"msg":"request"'));
    const sent = Object.values(after).reduce((sum, count) => sum + count, 0);
    const afterwards = Object.fromEntries(Object.keys(after).map((end) => [end, after[end] - before[end]]));
    const unexpected = gateway
      .said()
      .split('\n')
      .filter((line) => line !== '' && !/"event":"(listening|draining|ended)"/.test(line));
    const checks = [
      { what: 'no answer is for another request, and none is a part that looks whole', holds: after.wrong === 0 },
      { what: 'no request is lost: each has an answer or an error', holds: after.lost === 0 },
      { what: 'the log has one line for each request', holds: lines.length === sent },
      { what: 'once the trouble is over, nothing fails', holds: afterwards.told === 0 && afterwards.whole > 0 },
      { what: 'nothing is left in the gateway, which ends with 0', holds: inFlight === 0 && code === 0 },
      { what: 'no error that nobody handles', holds: unexpected.length === 0 },
    ];
    return { seed, seconds, kills, inTrouble, afterwards, unexpected, checks };
  } finally {
    await load.close();
    gateway.child.kill('SIGKILL');
    for (const { child } of upstreams) child?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '120' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  for (const name of ['seconds', 'seed'])
    if (!/^\d+$/.test(values[name])) throw new Error(`--${name} must be a whole number: received ${values[name]}`);
  if (!values.json) console.log(`soak:gateway --seconds ${values.seconds} --seed ${values.seed}`);
  const result = await soak(Number(values.seconds), Number(values.seed));
  if (values.json) console.log(JSON.stringify(result, null, 2));
  else {
    const told = ({ whole, told, lost, wrong }) =>
      `${whole} whole, ${told} failed and said so, ${lost} lost, ${wrong} wrong`;
    console.log(`  at 120 % of ${perSecond} requests a second, ${result.kills} kills: ${told(result.inTrouble)}`);
    console.log(`  afterwards, at 25 %: ${told(result.afterwards)}`);
    for (const { what, holds } of result.checks) console.log(`  ${holds ? '✓' : '✗'} ${what}`);
    for (const line of result.unexpected) console.log(`    ${line}`);
  }
  if (result.checks.some(({ holds }) => !holds)) process.exitCode = 1;
}

if (process.argv[2] === 'upstream') await serve(Number(process.argv[3]));
else {
  try {
    await main();
  } catch (error) {
    console.error(`soak:gateway: ${error.message}`);
    process.exitCode = 2;
  }
}
