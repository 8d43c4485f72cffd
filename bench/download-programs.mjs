// The programs that are measured by what they download, each in a process of its own: wall time, peak memory.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, median } from './rounds.mjs';

/** Programs write into their own folder, which is emptied behind them: nobody pays for the pages of another. */
export function commands(node, dist) {
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

/** Many files by one process, as many at the same time by each. Lists and folder are given as arguments. */
export function batchCommands(node, dist, atOnce) {
  const main = fileURLToPath(new URL('cli/main.js', dist));
  const get = ({ plain }) => [node, main, 'get', '-i', plain, '-o', 'a', '--quiet', '--jobs', `${atOnce}`];
  return {
    reknit: (lists) => [...get(lists), '--no-state'],
    'reknit, limits shared': (lists) => ['env', `REKNIT_STATE_DIR=${lists.state}`, ...get(lists)],
    'aria2 -i': ({ aria2 }) => ['aria2c', '-q', '-i', aria2, '-d', 'a', `-j${atOnce}`, '-x1'],
    'curl --parallel': ({ curl }) => ['curl', '-sS', '--parallel', '--parallel-max', `${atOnce}`, '--config', curl],
  };
}

export async function runOnce(folder, command) {
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

export function rowOf(samples, label, baseline, target) {
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

export const columns = ['speed', 'middle half', 'wall time', 'peak memory'];
