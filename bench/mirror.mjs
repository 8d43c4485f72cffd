// Tools at their origin and through `reknit mirror`, one after the other: pip with many small wheels, curl with a large one.
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, interleave, median } from './rounds.mjs';

const MiB = 1024 * 1024;
const wheelBytes = 20_000;
/** One gigabit per second, as a good line to a registry has. */
const linkBytesPerSecond = 125_000_000;

/** An index whose pages name files of the same host; the large one is made of a block that is sent again and again. */
function startOrigin(count, largeBytes) {
  const files = new Map();
  const needed = Array.from({ length: count }, (_, n) => `part${n}`);
  const python = `
import os, sys, zipfile
def wheel(name, requires):
    info = f'{name}-1.0.dist-info'
    meta = 'Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n' % name + ''.join('Requires-Dist: %s\\n' % one for one in requires)
    with zipfile.ZipFile(f'{sys.argv[1]}/{name}-1.0-py3-none-any.whl', 'w') as out:
        out.writestr(f'{name}/data', os.urandom(${wheelBytes}))
        out.writestr(f'{info}/METADATA', meta)
        out.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: bench\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        out.writestr(f'{info}/RECORD', '')
names = sys.argv[2:]
for name in names: wheel(name, [])
wheel('whole', names)
`;
  const folder = mkdtempSync(join(tmpdir(), 'reknit-bench-wheels-'));
  execFileSync('python3', ['-c', python, folder, ...needed]);
  for (const name of [...needed, 'whole']) {
    const file = `${name}-1.0-py3-none-any.whl`;
    const bytes = execFileSync('cat', [join(folder, file)], { maxBuffer: MiB });
    files.set(`/files/${file}`, {
      bytes,
      project: name,
      file,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  }
  rmSync(folder, { recursive: true });
  const block = randomBytes(MiB);
  const hash = createHash('sha256');
  for (let at = 0; at < largeBytes; at += MiB) hash.update(block);
  const large = { file: 'large-1.0.tar.gz', project: 'large', sha256: hash.digest('hex') };
  const unbound = { ...large, file: 'unbound-1.0.tar.gz', project: 'unbound' };
  const sendLarge = (response, bytesPerSecond) => {
    const startedAt = performance.now();
    let sent = 0;
    response.writeHead(200, { 'content-length': largeBytes, etag: '"large"' });
    const more = () => {
      while (sent < largeBytes) {
        const aheadMs = (sent / bytesPerSecond) * 1_000 - (performance.now() - startedAt);
        if (aheadMs > 1) return void setTimeout(more, aheadMs);
        sent += MiB;
        if (!response.write(block)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };
  const server = createServer(({ url }, response) => {
    const found = files.get(url);
    const project = /^\/simple\/([^/]+)\/$/.exec(url)?.[1];
    if (found !== undefined) response.writeHead(200, { 'content-length': found.bytes.length }).end(found.bytes);
    else if (url === `/files/${large.file}`) sendLarge(response, linkBytesPerSecond);
    else if (url === `/files/${unbound.file}`) sendLarge(response, Number.POSITIVE_INFINITY);
    else if (project !== undefined) {
      const own = [...files.values(), large, unbound].filter((one) => one.project === project);
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(own.map(({ file, sha256 }) => `<a href="/files/${file}#sha256=${sha256}">${file}</a>`).join('\n'));
    } else response.writeHead(404).end();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const close = () => {
        server.closeAllConnections();
        return new Promise((done) => server.close(done));
      };
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close });
    });
  });
}

async function startMirror(node, dist, origin, args) {
  const main = fileURLToPath(new URL('cli/main.js', dist));
  const child = spawn(node, [main, 'mirror', `pypi=${origin}/simple/`, '--listen', '127.0.0.1:0', '--json', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  const url = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`reknit mirror ended: ${text}`)));
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const line = text.split('\n').find((one) => one.includes('"listening"'));
      if (line !== undefined) resolve(JSON.parse(line).url);
    });
  });
  const stop = () =>
    new Promise((resolve) => {
      child.removeAllListeners('exit').once('exit', resolve);
      child.kill('SIGTERM');
    });
  return { index: `${url}/pypi/simple/`, stop };
}

async function timed(command, args, out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd: out, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaint}`);
  return { wallMs: performance.now() - startedAt };
}

function row(samples, label, baseline, target) {
  const speed = compare(samples, label, baseline, 'wallMs', true);
  const seconds = (name) => (median(samples[name].map(({ wallMs }) => wallMs)) / 1000).toFixed(2);
  const cells = [
    speed.ratio.toFixed(2),
    `${speed.low.toFixed(2)}–${speed.high.toFixed(2)}`,
    `${seconds(label)} : ${seconds(baseline)} s`,
  ];
  return { label, baseline, speed, cells, ...(target === undefined ? {} : { target }) };
}

const columns = ['speed', 'middle half', 'wall time'];

export async function mirror({ node, dists, isQuick, progress }) {
  const count = isQuick ? 10 : 60;
  const largeBytes = (isQuick ? 64 : 512) * MiB;
  const rounds = isQuick ? 3 : 7;
  const folder = mkdtempSync(join(tmpdir(), 'reknit-bench-mirror-'));
  writeFileSync(join(folder, 'pip.conf'), '');
  const state = join(folder, 'state');
  process.env.REKNIT_STATE_DIR = state;
  const origin = await startOrigin(count, largeBytes);
  const [plain, keeping] = await Promise.all([
    startMirror(node, dists.own, origin.url, ['--no-cache']),
    startMirror(node, dists.own, origin.url, ['--cache', join(folder, 'cache')]),
  ]);
  const places = {
    origin: `${origin.url}/simple/`,
    'origin (control)': `${origin.url}/simple/`,
    mirror: plain.index,
    'mirror, kept': keeping.index,
  };
  const out = join(folder, 'out');
  const pip = (label) =>
    timed(
      'python3',
      [
        '-m',
        'pip',
        'download',
        '-q',
        '--isolated',
        '--no-cache-dir',
        '--disable-pip-version-check',
        '--index-url',
        places[label],
        'whole',
      ],
      out,
    );
  const curl = (project) => async (label) => {
    const page = await (await fetch(`${places[label]}${project}/`)).text();
    const link = new URL(/href="([^"#]+)/.exec(page)[1], places[label]).href;
    const sample = await timed('curl', ['-sS', '-o', 'large', link], out);
    if (statSync(join(out, 'large')).size !== largeBytes) throw new Error('curl has got another length');
    return sample;
  };
  try {
    const labels = Object.keys(places);
    await interleave(labels, 1, pip);
    const small = await interleave(labels, rounds, pip, progress);
    await interleave(labels, 1, curl('large'));
    const large = await interleave(labels, rounds, curl('large'), progress);
    await interleave(labels, 1, curl('unbound'));
    const unbound = await interleave(labels, Math.min(5, rounds), curl('unbound'), progress);
    return [
      {
        title: `pip download of ${count + 1} small wheels, at their origin and through reknit mirror`,
        note: `${wheelBytes} bytes each, no cache of pip's own; the target is 20 % more time`,
        columns,
        rows: [
          row(small, 'origin (control)', 'origin'),
          row(small, 'mirror', 'origin', 0.833),
          row(small, 'mirror, kept', 'origin', 0.833),
        ],
      },
      {
        title: `curl of one file of ${largeBytes / MiB} MiB over 1 Gbit/s, at its origin and through reknit mirror`,
        note: 'the mirror proves it by the SHA-256 of the index; kept, the line is not needed',
        columns,
        rows: [
          row(large, 'origin (control)', 'origin'),
          row(large, 'mirror', 'origin', 0.98),
          row(large, 'mirror, kept', 'origin', 0.98),
        ],
      },
      {
        title: `the same from memory over loopback, as fast as it goes`,
        note: 'what hashing, and the file that slow clients read from, cost on two cores',
        columns,
        rows: [
          row(unbound, 'origin (control)', 'origin'),
          row(unbound, 'mirror', 'origin'),
          row(unbound, 'mirror, kept', 'origin'),
        ],
      },
    ];
  } finally {
    await Promise.all([plain.stop(), keeping.stop()]);
    await origin.close();
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  }
}
