/** Trouble of the disk: exit 6, the cause in one line, and nothing lost that was durable. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder, reknit, start } from './command.ts';

const MiB = 1_048_576;
const plain: Scenario = { name: 'plain', resource: { sizeBytes: 12 * MiB } };

/** A small disk of its own; undefined where this user may not mount one. */
async function mountSmallDisk(folder: Folder): Promise<(AsyncDisposable & { readonly path: string }) | undefined> {
  const path = folder.file('disk');
  await mkdir(path);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path]);
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

test('a folder that may not be written is exit 6 before anything is sent', async (context) => {
  if (process.getuid?.() === 0) return context.skip('root may write everywhere');
  await using lab = await startLab();
  await using folder = await createFolder();
  await chmod(folder.path, 0o555);
  const run = lab.play(plain);
  const { code, stderr } = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
  await chmod(folder.path, 0o755);
  expect(code).toBe(6);
  expect(stderr).toContain('permission denied (EACCES)');
  expect(run.requestCount).toBe(0);
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
