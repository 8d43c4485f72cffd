// Whole programs that download, side by side: one file clean over loopback from nginx and its SHA-256 checked, over
// connections that are slow each, cut again and again; and many small files.
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
import { batchCommands, columns, commands, rowOf, runOnce } from './download-programs.mjs';
import { interleave } from './rounds.mjs';

const MiB = 1024 * 1024;
const cutBytes = 4 * MiB;
const limitedRate = '4m';
const smallFiles = 2_000;
const atOnce = 16;
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

/** Each has its own server and files, so that one alone can be measured. */
const parts = { clean, limited, cut, small };

/** What is there, and is compared with. */
const peers = {
  'curl + sha256sum': 'curl',
  'aria2 -x8': 'aria2c',
  'wget + sha256sum': 'wget',
  'aria2 -i': 'aria2c',
  'curl --parallel': 'curl',
};

async function clean({ folder, all, there, bytes, rounds, progress }) {
  const sha256 = writeRandom(join(folder, 'www/body'), bytes);
  const server = await startNginx(folder);
  try {
    const ours = ['reknit', 'reknit, one connection'];
    const labels = [...ours, ...there(['curl + sha256sum', 'aria2 -x8', 'wget + sha256sum'])];
    const runOne = (label) => runOnce(folder, all[label](`${server.origin}/body`, sha256));
    await interleave(labels, 1, runOne);
    const samples = await interleave(labels, rounds, runOne, progress);
    return {
      title: `One file of ${bytes / MiB} MiB over loopback, with SHA-256`,
      note: 'from nginx, to the disk; reknit alone also syncs it; above 1.00 reknit is ahead',
      columns,
      rows: ours.flatMap((label) =>
        labels.slice(2).map((peer) => rowOf(samples, label, peer, label === 'reknit' ? 1 : undefined)),
      ),
    };
  } finally {
    await server.stop();
  }
}

async function limited({ folder, all, there, bytes, rounds, progress }) {
  const limitedBytes = bytes / 4;
  const sha256 = writeRandom(join(folder, 'www/limited'), limitedBytes);
  const server = await startNginx(folder);
  try {
    const labels = ['reknit', ...there(['aria2 -x8'])];
    const runOne = (label) => runOnce(folder, all[label](`${server.origin}/slow/limited`, sha256));
    const samples = await interleave(labels, Math.min(5, rounds), runOne, progress);
    return {
      title: `${limitedBytes / MiB} MiB over connections of ${limitedRate}B/s each`,
      note: 'nginx limit_rate; above 1.00 reknit is ahead',
      columns,
      rows: labels.slice(1).map((peer) => rowOf(samples, 'reknit', peer, 0.91)),
    };
  } finally {
    await server.stop();
  }
}

async function cut({ node, folder, all, bytes, rounds, progress }) {
  const server = await startCutting(node, bytes);
  try {
    const urlOf = (label) => (label === 'cut' ? `${server.url}?cut=${cutBytes}` : server.url);
    const runOne = (label) => runOnce(folder, all.reknit(urlOf(label), server.sha256));
    const samples = await interleave(['whole', 'cut'], rounds, runOne, progress);
    return {
      title: `Cut every ${cutBytes / MiB} MiB`,
      note: `${bytes / MiB} MiB, against the same without a cut`,
      columns,
      rows: [rowOf(samples, 'cut', 'whole', 0.83)],
    };
  } finally {
    await server.stop();
  }
}

async function small({ node, dists, folder, there, rounds, isQuick, progress }) {
  const count = isQuick ? smallFiles / 10 : smallFiles;
  const names = writeSmallFiles(join(folder, 'www/small'), count);
  const server = await startNginx(folder);
  const all = batchCommands(node, dists.own, atOnce);
  const lists = writeLists(folder, names, `${server.origin}/small`);
  try {
    const labels = ['reknit', 'reknit, limits shared', ...there(['aria2 -i', 'curl --parallel'])];
    const runOne = (label) => runOnce(folder, all[label](lists));
    await interleave(labels, 1, runOne);
    const samples = await interleave(labels, Math.min(5, rounds), runOne, progress);
    return {
      title: `${count} small files, ${atOnce} at once`,
      note: 'of 1 to 64 KiB, from nginx, to the disk; reknit alone puts each under its name when it is whole and synced; above 1.00 reknit is ahead',
      columns,
      rows: labels
        .slice(0, 2)
        .flatMap((label) =>
          labels.slice(2).map((peer) => rowOf(samples, label, peer, label === 'reknit' ? 1 : undefined)),
        ),
    };
  } finally {
    await server.stop();
  }
}

function writeSmallFiles(folder, count) {
  mkdirSync(folder);
  const block = Buffer.alloc(65_536);
  for (let i = 0; i < block.length; i += 4) block.writeUInt32LE(Math.imul(i + 1, 2654435761) >>> 0, i);
  return Array.from({ length: count }, (_, n) => {
    writeFileSync(join(folder, `${n}.bin`), block.subarray(0, 1_024 + ((n * 7_919) % (63 * 1_024))));
    return `${n}.bin`;
  });
}

function writeLists(folder, names, base) {
  const write = (name, lineOf) => {
    const path = join(folder, name);
    writeFileSync(path, names.map(lineOf).join(''));
    return path;
  };
  return {
    plain: write('plain', (name) => `${base}/${name}\n`),
    aria2: write('aria2', (name) => `${base}/${name}\n out=${name}\n`),
    curl: write('curl', (name) => `url = "${base}/${name}"\noutput = "a/${name}"\ncreate-dirs\n`),
    state: join(folder, 'state'),
  };
}

/** @param only the name of one part; all of them without it */
export async function downloads({ node, dists, isQuick, progress }, only) {
  const missing = [nginx, '/usr/bin/time'].filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`the suite downloads needs ${missing.join(' and ')}`);
  const bytes = (isQuick ? 128 : 1024) * MiB;
  const rounds = isQuick ? 3 : 7;
  const all = commands(node, dists.own);
  const there = (labels) => labels.filter((label) => has(peers[label]));
  const tables = [];
  for (const part of Object.keys(parts).filter((name) => only === undefined || name === only)) {
    const folder = mkdtempSync(join(tmpdir(), 'reknit-bench-'));
    // nginx reads it as another user where it is started by root.
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'www'));
    try {
      tables.push(await parts[part]({ node, dists, folder, all, there, bytes, rounds, isQuick, progress }));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return tables;
}

/** `downloads-clean` and so on: one part each, for a machine that is not free for long. */
export const downloadParts = Object.fromEntries(
  Object.keys(parts).map((part) => [`downloads-${part}`, (settings) => downloads(settings, part)]),
);
