/** A cache that is killed at any instant, or whose disk is full, serves no wrong byte afterwards. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { newFolder, openMirror, read } from './cached.ts';
import { seededBytes, sri, startRegistry } from './registry.ts';

const run = promisify(execFile);
const child = new URL('./kill-child.mjs', import.meta.url).pathname;
/** `npm run mirror-kills` kills at every step, and in several rounds; here some are chosen. */
const ROUNDS = Number(process.env.REKNIT_KILL_ROUNDS ?? 0);
/** A part of them, from the beginning to the end. */
const CHOSEN = 8;

const sizes = { small: 40_000, large: 2_500_000 } as const;
type Name = keyof typeof sizes;
const names = Object.keys(sizes) as readonly Name[];

/** Every package has another content in every generation, under the same address: an old one must not be taken for it. */
async function startNpm(generation: () => number) {
  return await startRegistry(({ path }, response, { url }) => {
    const name = /^\/(small|large)(?:\/|$)/.exec(path)?.[1] as Name;
    const bytes = contentOf(name, generation());
    if (path !== `/${name}`) {
      response.writeHead(200, { 'content-length': bytes.length, etag: `"${generation()}"` }).end(bytes);
      return;
    }
    const dist = { tarball: `${url}/${name}/-/${name}-1.0.0.tgz`, integrity: sri(bytes) };
    response.writeHead(200, { 'content-type': 'application/json', etag: `"${generation()}"` });
    response.end(JSON.stringify({ name, versions: { '1.0.0': { dist } } }));
  });
}

function contentOf(name: Name, generation: number): Buffer {
  return seededBytes(`${name} ${generation}`, sizes[name]);
}

const paths = names.flatMap((name) => [name, `${name}/-/${name}-1.0.0.tgz`]);

async function leftoversIn(folder: string): Promise<readonly string[]> {
  return await readdir(join(folder, 'v1', 'new'));
}

test(
  'killed before and within steps on the disk, it serves the right bytes afterwards, and cleans up',
  async () => {
    let generation = 0;
    await using npm = await startNpm(() => generation);
    await using parent = await newFolder();
    const folder = join(parent.path, 'cache');
    await mkdir(folder);
    const { stdout } = await run(process.execPath, [child, npm.url, folder, '0', ...paths]);
    const steps = Number(stdout);
    expect(steps).toBeGreaterThan(20);
    const stride = ROUNDS > 0 ? 1 : Math.ceil(steps / CHOSEN);
    if (ROUNDS > 0) process.stderr.write(`${ROUNDS} rounds of ${steps} kills\n`);
    for (let round = 0; round < Math.max(1, ROUNDS); round += 1) {
      for (let killAt = 1; killAt <= steps; killAt += stride) {
        generation += 1;
        const victim = spawn(process.execPath, [child, npm.url, folder, String(killAt), ...paths], { stdio: 'ignore' });
        await once(victim, 'exit');
        await using one = await openMirror({
          origins: [{ preset: 'npm', upstreams: [npm.url] }],
          cacheDirectory: folder,
        });
        // First with the generation that was being kept, then with the next: what is kept must not be taken for it.
        for (const name of names) {
          const got = await read(`${one.mirror.urlFor('npm')}${name}/-/${name}-1.0.0.tgz`);
          expect([killAt, name, got.status, got.bytes.equals(contentOf(name, generation))]).toEqual([
            killAt,
            name,
            200,
            true,
          ]);
        }
        expect(await leftoversIn(folder)).toHaveLength(1);
      }
    }
  },
  280_000 * Math.max(1, ROUNDS),
);

function mountTiny(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1536k,mode=0700', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('skipped: no tmpfs can be mounted here\n');
    return false;
  }
}

test('on a full disk every client gets the right bytes, none too few, and nothing wrong is kept', async (context) => {
  await using npm = await startNpm(() => 1);
  await using parent = await newFolder();
  const folder = join(parent.path, 'cache');
  await mkdir(folder);
  if (!mountTiny(folder)) return context.skip();
  try {
    for (let n = 0; n < 3; n += 1) {
      await using one = await openMirror({
        origins: [{ preset: 'npm', upstreams: [npm.url] }],
        cacheDirectory: folder,
      });
      for (const name of names) {
        const url = `${one.mirror.urlFor('npm')}${name}/-/${name}-1.0.0.tgz`;
        for (const got of await Promise.all([read(url), read(url), read(url)]))
          expect([name, got.status, got.bytes.equals(contentOf(name, 1))]).toEqual([name, 200, true]);
      }
    }
  } finally {
    execFileSync('umount', [folder]);
  }
});
