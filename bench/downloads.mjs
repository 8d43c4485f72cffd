// Whole programs that download one file and check its SHA-256, side by side: clean over loopback from nginx, over
// connections that are slow each, and cut again and again. Wall time and peak memory of each.
import { execFileSync, fork, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, interleave, median } from './rounds.mjs';

const MiB = 1024 * 1024;
const cutBytes = 4 * MiB;
const limitedRate = '4m';
const nginx = '/usr/sbin/nginx';

function has(program) {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function writeRandom(path, bytes) {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(MiB);
  for (let at = 0; at < bytes; at += MiB) {
    for (let i = 0; i < MiB; i += 4) block.writeUInt32LE(Math.imul(at + i + 1, 2654435761) >>> 0, i);
    writeSync(file, block, 0, Math.min(MiB, bytes - at));
  }
  closeSync(file);
  return execFileSync('sha256sum', [path], { encoding: 'utf8' }).slice(0, 64);
}

async function startNginx(folder) {
  const port = await freePort();
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/t;`);
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/errors;
events { worker_connections 512; }
http { access_log off; sendfile on; tcp_nopush on; ${temp.join(' ')}
  server { listen 127.0.0.1:${port}; root ${folder}/www; location /slow/ { alias ${folder}/www/; limit_rate ${limitedRate}; } } }
`,
  );
  const child = spawn(nginx, ['-c', config], { stdio: 'ignore' });
  for (let tries = 0; ; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill('SIGTERM');
      }),
  };
}

async function startCutting(node, bytes) {
  const child = fork(fileURLToPath(new URL('cutting-server.mjs', import.meta.url)), [String(bytes)], {
    execPath: node,
  });
  const { port, sha256 } = await new Promise((resolve) => child.once('message', resolve));
  const stop = () =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.disconnect();
    });
  return { url: `http://127.0.0.1:${port}/body`, sha256, stop };
}

/** Programs write into their own folder, which is emptied behind them: nobody pays for the pages of another. */
function commands(node, dist) {
  const main = fileURLToPath(new URL('cli/main.js', dist));
  const get = (extra) => (url, sha256) => [
    node,
    main,
    'get',
    url,
    '-o',
    'a',
    '--quiet',
    '--no-state',
    '--checksum',
    `sha256:${sha256}`,
    ...extra,
  ];
  const check = (fetched) => (url, sha256) => [
    'sh',
    '-c',
    `${fetched} && echo '${sha256}  a' | sha256sum -c --quiet`,
    'sh',
    url,
  ];
  return {
    reknit: get([]),
    'reknit, one connection': get(['--max-connections', '1']),
    'curl + sha256sum': check('curl -sS -o a "$1"'),
    'aria2 -x8': (url, sha256) => [
      'aria2c',
      '-q',
      '-x8',
      '-s8',
      '-k1M',
      '-o',
      'a',
      `--checksum=sha-256=${sha256}`,
      url,
    ],
    'wget + sha256sum': check('wget -q -O a "$1"'),
  };
}

async function runOnce(folder, command) {
  const out = join(folder, 'out');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const timing = join(folder, 'time');
  const startedAt = performance.now();
  const child = spawn('/usr/bin/time', ['-f', '%M %U %S', '-o', timing, ...command], {
    cwd: out,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  const wallMs = performance.now() - startedAt;
  if (code !== 0) throw new Error(`${command.slice(0, 3).join(' ')} ended with ${code}: ${complaint}`);
  const [rssKib, user, system] = execFileSync('tail', ['-n1', timing], { encoding: 'utf8' })
    .trim()
    .split(' ')
    .map(Number);
  return { wallMs, rssKib, cpuMs: (user + system) * 1000 };
}

function rowOf(samples, label, baseline, target) {
  const speed = compare(samples, label, baseline, 'wallMs', true);
  const rssMib = (name) => Math.round(median(samples[name].map(({ rssKib }) => rssKib)) / 1024);
  const seconds = (name) => (median(samples[name].map(({ wallMs }) => wallMs)) / 1000).toFixed(2);
  const cells = [
    speed.ratio.toFixed(2),
    `${speed.low.toFixed(2)}–${speed.high.toFixed(2)}`,
    `${seconds(label)} : ${seconds(baseline)} s`,
    `${rssMib(label)} : ${rssMib(baseline)} MiB`,
  ];
  return { label, baseline, speed, cells, ...(target === undefined ? {} : { target }) };
}

const columns = ['speed', 'middle half', 'wall time', 'peak memory'];

export async function downloads({ node, dists, isQuick, progress }) {
  const missing = [nginx, '/usr/bin/time'].filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`the suite downloads needs ${missing.join(' and ')}`);
  const bytes = (isQuick ? 128 : 1024) * MiB;
  const rounds = isQuick ? 3 : 7;
  const folder = mkdtempSync(join(tmpdir(), 'reknit-bench-'));
  // nginx reads it as another user where it is started by root.
  chmodSync(folder, 0o755);
  const all = commands(node, dists.own);
  const peers = { 'curl + sha256sum': 'curl', 'aria2 -x8': 'aria2c', 'wget + sha256sum': 'wget' };
  const there = Object.keys(peers).filter((label) => has(peers[label]));
  mkdirSync(join(folder, 'www'));
  const sha256 = writeRandom(join(folder, 'www/body'), bytes);
  const limitedBytes = bytes / 4;
  const limitedSha256 = writeRandom(join(folder, 'www/limited'), limitedBytes);
  const server = await startNginx(folder);
  const cutting = await startCutting(node, bytes);
  try {
    const play = (labels, url, sum, count) =>
      interleave(labels, count, (label) => runOnce(folder, all[label](url, sum)), progress);
    const ours = ['reknit', 'reknit, one connection'];
    await play([...ours, ...there], `${server.origin}/body`, sha256, 1);
    const clean = await play([...ours, ...there], `${server.origin}/body`, sha256, rounds);
    const aria2 = there.filter((label) => label.startsWith('aria2'));
    const limited = await play(
      ['reknit', ...aria2],
      `${server.origin}/slow/limited`,
      limitedSha256,
      Math.min(3, rounds),
    );
    const cut = await interleave(
      ['whole', 'cut'],
      rounds,
      (label) =>
        runOnce(folder, all.reknit(label === 'cut' ? `${cutting.url}?cut=${cutBytes}` : cutting.url, cutting.sha256)),
      progress,
    );
    return [
      {
        title: `One file of ${bytes / MiB} MiB over loopback, with SHA-256`,
        note: 'from nginx, to the disk; reknit alone also syncs it; above 1.00 reknit is ahead',
        columns,
        rows: ours.flatMap((label) =>
          there.map((peer) => rowOf(clean, label, peer, label === 'reknit' ? 1 : undefined)),
        ),
      },
      {
        title: `${limitedBytes / MiB} MiB over connections of ${limitedRate}B/s each`,
        note: 'nginx limit_rate; above 1.00 reknit is ahead',
        columns,
        rows: aria2.map((peer) => rowOf(limited, 'reknit', peer, 0.91)),
      },
      {
        title: `Cut every ${cutBytes / MiB} MiB`,
        note: `${bytes / MiB} MiB, against the same without a cut`,
        columns,
        rows: [rowOf(cut, 'cut', 'whole', 0.83)],
      },
    ];
  } finally {
    await Promise.all([server.stop(), cutting.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}
