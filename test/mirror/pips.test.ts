/**
 * Many `pip download` at once through one mirror, in front of an origin that allows eight connections and resets the ninth.
 * `npm run mirror-pips` starts eighty of them; here there are eight, and three connections.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startFront } from '../../src/lab/index.ts';
import { newFolder, openMirror } from './cached.ts';
import { sha256, startRegistry } from './registry.ts';

const PIPS = Number(process.env.REKNIT_PIPS ?? 8);
const ALLOWED = PIPS > 8 ? 8 : 3;
const PARTS = PIPS > 8 ? 40 : 16;
/** Of the parts, each pip wants so many; no two neighbours the same ones. */
const WANTED = 5;
/** An answer takes a moment: else there would never be two at once. */
const ANSWER_MS = 150;

const run = promisify(execFile);

/** Wheels need no more than this; written by Python itself, so that they are zips as it wants them. */
const makeWheels = `
import base64, hashlib, os, sys, zipfile
folder, parts = sys.argv[1], int(sys.argv[2])
def wheel(name, requires):
    info = f'{name}-1.0.dist-info'
    meta = 'Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n' % name + ''.join('Requires-Dist: %s\\n' % one for one in requires)
    # Random, and therefore as long as it looks.
    files = {f'{name}/__init__.py': '', f'{name}/data.txt': base64.b64encode(os.urandom(60000)).decode(),
        f'{info}/METADATA': meta, f'{info}/WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'}
    files[f'{info}/RECORD'] = ''.join('%s,,\\n' % one for one in [*files, f'{info}/RECORD'])
    with zipfile.ZipFile(f'{folder}/{name}-1.0-py3-none-any.whl', 'w', zipfile.ZIP_DEFLATED) as out:
        for path, text in files.items(): out.writestr(path, text)
names = [f'part{n}' for n in range(parts)]
for name in names: wheel(name, [])
`;

function hasPip(): boolean {
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('skipped: python3 with pip is not installed\n');
    return false;
  }
}

async function startIndex(folder: string) {
  await run('python3', ['-c', makeWheels, folder, String(PARTS)]);
  const wheels = new Map<string, Buffer>();
  for (const name of await readdir(folder))
    if (name.endsWith('.whl')) wheels.set(name, await readFile(join(folder, name)));
  const registry = await startRegistry(async ({ path }, response) => {
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    const wheel = wheels.get(path.slice('/files/'.length));
    if (project !== undefined) {
      const links = [...wheels].filter(([name]) => name.startsWith(`${project}-`));
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(
        links.map(([name, bytes]) => `<a href="/files/${name}#sha256=${sha256(bytes)}">${name}</a>`).join('\n'),
      );
    } else if (wheel !== undefined) response.writeHead(200, { 'content-length': wheel.length }).end(wheel);
    else response.writeHead(404).end();
  });
  return { registry, wheels };
}

test.runIf(hasPip())(
  `${PIPS} pips at once through one mirror: all complete, the origin sees at most ${ALLOWED} connections, and each wheel is fetched once`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reknit-pips-'));
    await using kept = await newFolder();
    const { registry, wheels } = await startIndex(folder);
    const target = { host: '127.0.0.1', port: Number(new URL(registry.url).port) };
    const rules = [{ on: 'every', concurrentAbove: ALLOWED, do: { kind: 'refuse', by: 'rst' } }] as const;
    const front = await startFront({ target, rules });
    await using one = await openMirror({
      origins: [{ preset: 'pypi', upstreams: [`${front.url}/simple/`] }],
      cacheDirectory: kept.path,
      maxPerOrigin: ALLOWED,
    });
    try {
      const startedAt = performance.now();
      const ends = await Promise.all(
        Array.from({ length: PIPS }, (_, n) => download(one.mirror.urlFor('pypi'), join(folder, `to-${n}`), n)),
      );
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      expect(ends.filter(({ error }) => error !== undefined)).toEqual([]);
      for (const { to, names } of ends) {
        const got = await readdir(to);
        expect(got.sort()).toEqual(names.map(wheelOf).sort());
        for (const name of got) expect(sha256(await readFile(join(to, name)))).toBe(sha256(wheels.get(name)!));
      }
      const refused = front.record.connections.filter(({ endedBy }) => endedBy === 'refused');
      expect([refused, registry.mostAtOnce <= ALLOWED]).toEqual([[], true]);
      for (const name of wheels.keys()) expect([name, registry.count(`/files/${name}`)]).toEqual([name, 1]);
      const { connections } = front.record;
      process.stderr.write(
        `${PIPS} pips complete in ${seconds} s: ${registry.requests.length} requests over ${connections.length} connections, at most ${registry.mostAtOnce} at once\n`,
      );
    } finally {
      await front.close();
      await registry[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    }
  },
  600_000,
);

interface Download {
  readonly to: string;
  readonly names: readonly string[];
  readonly error: string | undefined;
}

const wheelOf = (name: string) => `${name}-1.0-py3-none-any.whl`;

async function download(index: string, to: string, n: number): Promise<Download> {
  await mkdir(to);
  const home = join(to, '..', `home-${n}`);
  await mkdir(home);
  await writeFile(join(home, 'pip.conf'), '');
  const names = Array.from({ length: WANTED }, (_, k) => `part${(n * WANTED + k) % PARTS}`);
  const options = ['--no-cache-dir', '--disable-pip-version-check', '--index-url', index, '--dest', to, ...names];
  const { PATH, PYENV_VERSION, PYENV_ROOT } = process.env;
  const env = { PATH, PYENV_VERSION, PYENV_ROOT, HOME: home, PIP_CONFIG_FILE: join(home, 'pip.conf') };
  try {
    await run('python3', ['-m', 'pip', 'download', '--quiet', ...options], { env, maxBuffer: 16_000_000 });
    return { to, names, error: undefined };
  } catch (error) {
    return { to, names, error: (error as { readonly stderr?: string }).stderr ?? String(error) };
  }
}
