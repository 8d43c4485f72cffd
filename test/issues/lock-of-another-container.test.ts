/**
 * Two containers that share a folder have process ids of their own: the lock of a download in one was taken for that of a
 * dead process in the other, and both wrote the same part. And where nobody reaps (a container without an init), a killed
 * download stays a zombie, which was taken for alive: its lock was never given up.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { download } from '../../src/download/index.ts';
import { ownMark } from '../../src/download/process-mark.ts';
import { startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';

const plain = { name: 'plain', resource: { sizeBytes: 1_048_576 } } as const;

test('a lock of another container holds while it is touched, and is nobody’s after a minute and a half of silence', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play(plain);
  const lock = folder.file('a.reknit/lock');
  await mkdir(folder.file('a.reknit'));
  await writeFile(lock, JSON.stringify({ pid: 1, startedAt: '1', place: 'other pid:[1]', n: 1 }));
  await expect(download(run.url, { to: folder.file('a') })).rejects.toMatchObject({
    code: 'ERR_REKNIT_LOCAL',
    message: expect.stringMatching(
      /process 1 on other is downloading to it; wait for it, .*, or remove .*a\.reknit\/lock/,
    ),
  });
  expect(run.requestCount).toBe(0);
  const before = new Date(Date.now() - 100_000);
  await utimes(lock, before, before);
  expect((await download(run.url, { to: folder.file('a') })).sha256).toBe(run.sha256);
  expect(await readdir(folder.path)).toEqual(['a']);
});

test('a process that lost its lock while it slept does not put its file in place', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'gate', name: 'middle', at: 'body', atByte: 500_000 } }],
  });
  const ended = download(run.url, { to: folder.file('a') }).catch((error: Error) => error);
  await run.untilGate('middle');
  const theirs = JSON.stringify({ pid: 1, startedAt: '1', place: 'other pid:[1]', n: 1 });
  await writeFile(folder.file('a.reknit/lock'), theirs);
  run.open('middle');
  expect(await ended).toMatchObject({ code: 'ERR_REKNIT_LOCAL' });
  expect(await readdir(folder.path)).toEqual(['a.reknit']);
  expect(await readFile(folder.file('a.reknit/lock'), 'utf8')).toBe(theirs);
});

test.runIf(process.platform === 'linux')('a lock whose owner is a zombie is nobody’s', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play(plain);
  // The shell becomes a program that reaps nothing.
  const child = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [text] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(String(text).trim());
    let stat: string;
    do stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    while (!stat.includes(') Z '));
    const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    await mkdir(folder.file('a.reknit'));
    await writeFile(folder.file('a.reknit/lock'), JSON.stringify({ ...ownMark(), pid, startedAt, n: 1 }));
    expect((await download(run.url, { to: folder.file('a') })).sha256).toBe(run.sha256);
  } finally {
    child.kill('SIGKILL');
  }
});
