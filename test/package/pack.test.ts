/** The package as it is published: packed, installed elsewhere, imported by every subpath, with its types. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;

/** Node.js binaries to test on beside this one, separated by colons: `REKNIT_NODES=/path/to/node22:/path/to/node24`. */
const nodes = [process.execPath, ...(process.env.REKNIT_NODES ?? '').split(':').filter((path) => path !== '')];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reknit-pack-'));
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const [archive] = await readdir(folder);
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${archive}`], { cwd: folder });
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function subpaths(): Promise<readonly string[]> {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  return Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => path.replace(/^\./, 'reknit'));
}

describe.each(nodes)('on %s', (node) => {
  test('every subpath can be imported, and prints nothing', async () => {
    for (const path of await subpaths()) {
      const { stdout, stderr } = await run(node, ['-e', `import(${JSON.stringify(path)}).then((module) => module)`], {
        cwd: folder,
      });
      expect(`${path}: ${stdout}${stderr}`).toBe(`${path}: `);
    }
  });

  test('the command line starts', async () => {
    const { stdout } = await run(node, [join(folder, 'node_modules/reknit/dist/cli/main.js'), '--version']);
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('require works where Node.js has require(esm)', async () => {
    const { stdout } = await run(node, ['-e', 'console.log(process.features.require_module === true)']);
    if (stdout.trim() !== 'true') return;
    const code = 'const { createClient } = require("reknit"); createClient().close().then(() => console.log("ok"))';
    const required = await run(node, ['--no-warnings', '-e', code], { cwd: folder });
    expect(required.stdout.trim()).toBe('ok');
  });
});

test('types resolve for a strict consumer', async () => {
  const paths = await subpaths();
  const lines = paths
    .filter((path) => path !== 'reknit/register')
    .map((path, index) => `import * as m${index} from '${path}';\nexport const k${index} = m${index};`);
  await writeFile(join(folder, 'consumer.ts'), lines.join('\n'));
  await symlink(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
    '--exactOptionalPropertyTypes',
  ];
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'consumer.ts'], {
    cwd: folder,
  });
}, 60_000);

test('importing the package needs no network and leaves the globals alone', async () => {
  const code = 'const before = globalThis.fetch; await import("reknit"); console.log(before === globalThis.fetch)';
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
  expect(stdout.trim()).toBe('true');
});
