// The stories of one upstream. As a program: `node story.mjs NAME short|long` plays one and prints what came of it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createGateway } from '../../dist/gateway/index.js';
import { compare, createLoad, summaryOf } from './load.mjs';

/** A deadline, and rounds for all of it: what an operator sets who has one upstream and knows that it is restarted. */
const untilTheDeadline = { rounds: { max: 200, maxAttempts: 200 }, timeouts: { deadline: '30s' } };

async function withFolder(act) {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-repro-'));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The load through a gateway, and whether its counts agree with each other. */
async function through(label, url, settings, drive, seenBy) {
  return await withFolder(async (folder) => {
    const logPath = join(folder, 'access.log');
    const config = { listen: '127.0.0.1:0', admin: false, log: { to: logPath }, upstreams: [{ url, name: 'only' }] };
    const gateway = await createGateway({ ...config, ...settings });
    const load = createLoad(gateway.urls[0]);
    await drive(load);
    await load.close();
    const told = await compare(gateway, load.answers, logPath);
    const summary = summaryOf(load.answers);
    const seen = await seenBy?.();
    const { attempts, charged, loggedRequests } = told;
    const checks = [
      { what: 'one line in the log for each request', holds: loggedRequests === summary.requests },
      { what: 'attempts: header = log', holds: attempts.header === attempts.log },
      { what: 'attempts: log = metric', holds: attempts.log === attempts.metric },
      { what: 'attempts: error = header', holds: attempts.error === attempts.errorHeader },
      { what: 'failures charged = failed requests', holds: charged === summary.failed },
    ];
    return { label, ...summary, attempts, charged, seen, checks };
  });
}

async function without(url, drive) {
  const load = createLoad(url);
  await drive(load);
  await load.close();
  return summaryOf(load.answers);
}

const none = { what: 'no request fails', holds: false };
const demandNone = (run) => ({ ...run, checks: [...run.checks, { ...none, holds: run.failed === 0 }] });
const demandSeen = (run) => ({
  ...run,
  checks: [...run.checks, { what: 'attempts = what the upstream saw', holds: run.attempts.header === run.seen }],
});

async function startUpstream(settings, prefix = []) {
  const [program, ...args] = [...prefix, process.execPath, fileURLToPath(new URL('upstream.mjs', import.meta.url))];
  const child = spawn(program, [...args, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const { port } = await next();
  return {
    port,
    pid: child.pid,
    /** Ends it, and tells how many requests it has seen. */
    end: async () => {
      const told = next();
      child.stdin.end();
      return (await told).seen;
    },
  };
}

// (a) A queue of connections that overflows under bursts.

async function backlog(bursts, what) {
  const title = `a listen backlog of 1 under ${bursts === 1 ? 'a burst' : `${bursts} bursts`} of 50; ${what}`;
  const drive = async (load) => {
    for (let burst = 0; burst < bursts; burst += 1) await load.burst(50);
  };
  const settings = { backlog: 1, blockMs: 2 };
  const plain = await startUpstream(settings);
  const alone = await without(`http://127.0.0.1:${plain.port}`, drive);
  await plain.end();
  const upstream = await startUpstream(settings);
  const run = await through('defaults', `http://127.0.0.1:${upstream.port}`, {}, drive);
  await upstream.end();
  return { title, without: alone, runs: [demandNone(run)] };
}

/** As on a machine whose administrator has set that a full queue is said at once, and half-open connections end soon. */
function backlogReset(isShort) {
  for (const setting of ['tcp_abort_on_overflow=1', 'tcp_syncookies=0', 'tcp_synack_retries=1']) {
    const { status, stderr } = spawnSync('sysctl', ['-qw', `net.ipv4.${setting}`]);
    if (status !== 0) throw new Error(`Operation not permitted: ${stderr}`);
  }
  return backlog(isShort ? 1 : 10, 'what does not fit is reset');
}

// (b) An nginx that is reloaded and restarted under load.

const nginxPath = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function startNginx(folder) {
  const port = await freePort();
  await mkdir(join(folder, 'logs'), { recursive: true });
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `pid ${folder}/nginx.pid; user root; worker_processes 2; worker_shutdown_timeout 1s;
events { worker_connections 512; }
http {
  log_format short '$uri $status'; access_log ${folder}/logs/access.log short; ${scratch.join(' ')}
  server { listen 127.0.0.1:${port}; location ~ ^/proof/(?<id>[0-9]+)$ { return 200 "proof of $id\\n"; } }
}`,
  );
  const args = [
    '-p',
    folder,
    '-e',
    join(folder, 'logs/error.log'),
    '-c',
    join(folder, 'nginx.conf'),
    '-g',
    'daemon off;',
  ];
  let child;
  const start = async () => {
    child = spawn(nginxPath, args, { stdio: 'ignore' });
    while (!(await isListening(port))) await pause(3);
  };
  const stop = async (signal) => {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    reload: () => child.kill('SIGHUP'),
    restart: async (awayMs) => {
      await stop('SIGTERM');
      await pause(awayMs);
      await start();
    },
    end: async () => {
      await stop('SIGQUIT');
      const text = await readFile(join(folder, 'logs/access.log'), 'utf8');
      return text.split('\n').filter((line) => line.endsWith(' 200')).length;
    },
  };
}

/** Eight lanes until all events have happened, each after its share of the requests. */
async function during(load, total, events) {
  let isOver = false;
  const lanes = load.lanes(8, () => !isOver || load.answers.length < total);
  for (const [index, event] of events.entries()) {
    while (load.answers.length < (total * (index + 1)) / (events.length + 1)) await pause(1);
    await event();
  }
  isOver = true;
  await lanes;
}

async function nginx(isShort, kind) {
  if (nginxPath === undefined) return { skipped: 'nginx is not installed (apt-get install nginx-light)' };
  const total = isShort ? 300 : 1_000;
  const reload = async (server) => server.reload();
  const restart = (server) => server.restart(isShort ? 300 : 1_000);
  const events = kind === 'reload' ? Array(isShort ? 4 : 10).fill(reload) : Array(isShort ? 1 : 3).fill(restart);
  const drive = (server) => (load) =>
    during(
      load,
      total,
      events.map((event) => () => event(server)),
    );
  const played = (play) => withFolder(async (folder) => play(await startNginx(folder)));
  const alone = await played(async (server) => {
    const summary = await without(server.url, drive(server));
    await server.end();
    return summary;
  });
  const run = (label, settings) =>
    played((server) => through(label, server.url, settings, drive(server), () => server.end()));
  if (kind === 'reload') {
    const found = demandNone(await run('defaults', {}));
    // Each answer is in nginx's log once: nothing was asked twice behind anybody's back.
    found.checks.push({ what: 'answers that nginx has logged = requests', holds: found.seen === found.requests });
    return { title: `nginx reloaded ${events.length} times under load`, without: alone, runs: [found] };
  }
  const found = await run('rounds to the deadline', untilTheDeadline);
  const usual = await run('defaults', {});
  const title = `nginx stopped and started again ${events.length} times under load`;
  return { title, without: alone, runs: [demandNone(usual), demandNone(found)] };
}

// (c) A bridge that loses its container and gets it back.

function ip(...args) {
  const { status, stderr } = spawnSync('ip', args);
  if (status !== 0) throw new Error(`Operation not permitted: ip ${args.join(' ')}: ${stderr}`);
}

async function startContainer() {
  ip('link', 'add', 'bridge0', 'type', 'bridge');
  ip('address', 'add', '10.77.0.1/24', 'dev', 'bridge0');
  ip('link', 'set', 'bridge0', 'up');
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo up && exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const inside = ['nsenter', '--net', '--target', String(holder.pid)];
  const plug = () => {
    ip('link', 'add', 'outer', 'type', 'veth', 'peer', 'name', 'inner', 'netns', String(holder.pid));
    ip('link', 'set', 'outer', 'master', 'bridge0', 'up');
    const steps = ['ip address add 10.77.0.2/24 dev inner', 'ip link set inner up'];
    for (const step of steps) spawnSync(inside[0], [...inside.slice(1), ...step.split(' ')]);
  };
  plug();
  const upstream = await startUpstream({ host: '0.0.0.0' }, inside);
  return {
    url: `http://10.77.0.2:${upstream.port}`,
    lose: async (awayMs) => {
      ip('link', 'delete', 'outer');
      await pause(awayMs);
      plug();
    },
    end: async () => {
      const seen = await upstream.end();
      holder.kill();
      ip('link', 'delete', 'bridge0');
      return seen;
    },
  };
}

async function bridge(isShort) {
  const total = isShort ? 200 : 1_000;
  const losses = isShort ? 1 : 3;
  const awayMs = isShort ? 1_500 : 4_000;
  const drive = (container) => (load) =>
    during(
      load,
      total,
      Array.from({ length: losses }, () => () => container.lose(awayMs)),
    );
  const played = async (play) => {
    const container = await startContainer();
    return await play(container);
  };
  // Whoever sets no time of their own waits as long as TCP does.
  const alone = await played(async (container) => {
    const summary = await without(container.url, drive(container));
    await container.end();
    return summary;
  });
  const run = (label, settings) =>
    played((container) => through(label, container.url, settings, drive(container), () => container.end()));
  const patient = { ...untilTheDeadline, timeouts: { connect: '1s', headers: '2s', deadline: '30s' } };
  const runs = [demandNone(await run('rounds to the deadline', patient))];
  return { title: `a bridge that loses its container ${losses} times for ${awayMs / 1_000} s`, without: alone, runs };
}

// The numbers, where each attempt reaches the upstream.

async function counts(isShort) {
  const total = isShort ? 100 : 1_000;
  const run = async (label, refuseEvery, settings) => {
    const upstream = await startUpstream({ refuseEvery });
    const drive = (load) => load.lanes(4, () => load.answers.length < total);
    return demandSeen(await through(label, `http://127.0.0.1:${upstream.port}`, settings, drive, () => upstream.end()));
  };
  const quick = { rounds: { baseDelay: '5ms' } };
  return {
    title: 'an upstream that answers 503 to every third request, and one that never does anything else',
    runs: [await run('every third', 3, quick), await run('always', 1, { ...quick, budget: { capacity: 10_000 } })],
  };
}

const stories = {
  'backlog-drop': () => backlog(1, 'what does not fit is dropped, and nobody is told'),
  'backlog-reset': backlogReset,
  reload: (isShort) => nginx(isShort, 'reload'),
  restart: (isShort) => nginx(isShort, 'restart'),
  bridge,
  counts,
};

export const storyNames = Object.keys(stories);

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , name, length] = process.argv;
  console.log(JSON.stringify(await stories[name](length === 'short')));
  process.exit();
}
