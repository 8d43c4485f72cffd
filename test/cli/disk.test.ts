/** Trouble of the disk: exit 6, the cause in one line, and nothing lost that was durable. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder, reknit, start } from './command.ts';

const MiB = 1_048_576;
const plain: Scenario = { name: 'plain', resource: { sizeBytes: 12 * MiB } };

/** A small disk of its own; undefined where this user may not mount one. */
async function mountSmallDisk(
  folder: Folder,
  { name = 'disk', size = '8m' } = {},
): Promise<(AsyncDisposable & { readonly path: string }) | undefined> {
  const path = folder.file(name);
  await mkdir(path);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  if (status !== 0) return undefined;
  return { path, [Symbol.asyncDispose]: async () => void spawnSync('umount', [path]) };
}

test('a full disk is exit 6, keeps what is durable, and the next run goes on once there is room', async (context) => {
  await using lab = await startLab();
  await using folder = await createFolder();
  await using disk = await mountSmallDisk(folder);
  if (disk === undefined) return context.skip('a tmpfs cannot be mounted by this user');
  const run = lab.play(plain);
  const args = ['get', run.url, '-o', 'a.bin'];
  const full = await reknit(args, { cwd: disk.path });
  expect(full.code).toBe(6);
  expect(full.stderr.trimEnd().split('\n').at(-1)).toMatch(
    /^reknit: Cannot write .*data: no space left on the disk \(ENOSPC\); [678]\.\d MiB of 12\.0 MiB are kept in .*: run the same command again to continue$/,
  );
  const claims = (await readFile(`${disk.path}/a.bin.reknit/journal`, 'utf8')).trimEnd().split('\n');
  const { durable } = JSON.parse(claims.at(-1)!.slice(17)) as { readonly durable: readonly [number, number][] };
  expect(durable).toEqual([[0, expect.any(Number)]]);
  expect(durable[0]![1]).toBeGreaterThan(6 * MiB);

  const stillFull = await reknit(args, { cwd: disk.path });
  expect(stillFull.code).toBe(6);
  spawnSync('mount', ['-o', 'remount,size=32m', disk.path]);
  expect((await reknit(args, { cwd: disk.path })).code).toBe(0);
  expect(await folder.sha256('disk/a.bin')).toBe(run.sha256);
  expect(run.record.requests.at(-1)!.range).toMatch(/^bytes=\d{7}-$/);
  expect(await readdir(disk.path)).toEqual(['a.bin']);
});

test('a read-only file system is exit 6 before anything is sent', async (context) => {
  await using lab = await startLab();
  await using folder = await createFolder();
  await using disk = await mountSmallDisk(folder);
  if (disk === undefined) return context.skip('a tmpfs cannot be mounted by this user');
  spawnSync('mount', ['-o', 'remount,ro', disk.path]);
  const run = lab.play(plain);
  const { code, stderr } = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: disk.path });
  expect(code).toBe(6);
  expect(stderr).toMatch(/^reknit: Cannot write .*: the file system is read-only \(EROFS\)\n$/);
  expect(run.requestCount).toBe(0);
});

/** Root may write everywhere, unless it has given that up. */
const asMortal: readonly string[] | undefined =
  process.getuid?.() !== 0
    ? []
    : spawnSync('setpriv', ['--bounding-set=-dac_override', '--inh-caps=-dac_override', 'true']).status === 0
      ? ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override']
      : undefined;

test('a folder that may not be written is exit 6 before anything is sent', async (context) => {
  if (asMortal === undefined) return context.skip('root may write everywhere, and there is no setpriv');
  await using lab = await startLab();
  await using folder = await createFolder();
  await chmod(folder.path, 0o555);
  const run = lab.play(plain);
  const { code, stderr } = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: folder.path, under: asMortal });
  await chmod(folder.path, 0o755);
  expect(code).toBe(6);
  expect(stderr).toContain('permission denied (EACCES)');
  expect(run.requestCount).toBe(0);
});

test('a target whose folder loses its permission under the download is exit 6, and all that was brought is kept', async (context) => {
  if (asMortal === undefined) return context.skip('root may write everywhere, and there is no setpriv');
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'gate', name: 'middle', at: 'body', atByte: 3 * MiB } }],
  });
  const { ended } = start(['get', run.url, '-o', 'a.bin'], { cwd: folder.path, under: asMortal });
  await run.untilGate('middle');
  await chmod(folder.path, 0o555);
  run.open('middle');
  const { code, stderr } = await ended;
  await chmod(folder.path, 0o755);
  expect(code).toBe(6);
  expect(stderr).toMatch(
    /permission denied \(EACCES\); 12\.0 MiB of 12\.0 MiB are kept in .*: run the same command again/,
  );
  expect((await reknit(['get', run.url, '-o', 'a.bin'], { cwd: folder.path })).code).toBe(0);
  expect(await folder.sha256('a.bin')).toBe(run.sha256);
  expect(run.record.requests[1]!.answered.bodyBytesSent).toBe(1);
});

test('a target on another file system than its part folder is exit 6, and all that was brought is kept', async (context) => {
  await using lab = await startLab();
  await using folder = await createFolder();
  await using disk = await mountSmallDisk(folder, { name: 'a.bin.reknit', size: '32m' });
  if (disk === undefined) return context.skip('a tmpfs cannot be mounted by this user');
  const run = lab.play(plain);
  const { code, stderr } = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
  expect(code).toBe(6);
  expect(stderr).toMatch(
    /Cannot write .*a\.bin: it is on another file system \(EXDEV\); 12\.0 MiB of 12\.0 MiB are kept/,
  );
  expect(await readdir(folder.path)).toEqual(['a.bin.reknit']);
  expect((await readdir(disk.path)).sort()).toEqual(['data', 'journal']);
});

test('a part folder that is removed under the download is exit 6, and no wrong file appears', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'gate', name: 'middle', at: 'body', atByte: 3 * MiB } }],
  });
  const { ended } = start(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
  await run.untilGate('middle');
  spawnSync('rm', ['-rf', folder.file('a.bin.reknit')]);
  run.open('middle');
  const { code, stderr } = await ended;
  expect(code).toBe(6);
  expect(stderr).toContain('ENOENT');
  expect(await readdir(folder.path)).toEqual([]);
});

test('a target that appears meanwhile is not replaced', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'gate', name: 'middle', at: 'body', atByte: 3 * MiB } }],
  });
  const { ended } = start(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
  await run.untilGate('middle');
  spawnSync('sh', ['-c', 'echo mine > a.bin'], { cwd: folder.path });
  run.open('middle');
  const { code } = await ended;
  expect(code).toBe(6);
  expect(await readFile(folder.file('a.bin'), 'utf8')).toBe('mine\n');
  expect((await reknit(['get', run.url, '-o', 'a.bin', '--force'], { cwd: folder.path })).code).toBe(0);
  expect(await folder.sha256('a.bin')).toBe(run.sha256);
  // All of it was durable: only its last byte was asked for again, to see that it is still the same.
  expect(run.record.requests[1]!.answered.bodyBytesSent).toBe(1);
});
