/** `reknit get URL -o -`: the body goes to stdout, everything else to stderr. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { createFolder, jsonLines, reknit, start } from './command.ts';

const MiB = 1_048_576;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test('a cut body reaches stdout whole, with --json events on stderr, and nothing is written to disk', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    name: 'cuts',
    resource: { sizeBytes: 8 * MiB },
    requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', everyBytes: 2 * MiB } }],
  });
  const { code, stdout, stderr } = await reknit(['get', run.url, '-o', '-', '--json'], { cwd: folder.path });
  expect(code).toBe(0);
  expect(sha256(stdout)).toBe(run.sha256);
  expect(jsonLines(stderr).at(-1)).toMatchObject({ event: 'done', path: '-', attempts: 4, refetchedBytes: 0 });
  expect(await readdir(folder.path)).toEqual([]);
});

test('an empty 200 is asked for again before a byte is written', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'empty-first', requests: [{ on: 1, do: { kind: 'empty-200' } }] });
  const { code, stdout } = await reknit(['get', run.url, '-o', '-', '--quiet', '--retry-delay', '1ms']);
  expect(code).toBe(0);
  expect(sha256(stdout)).toBe(run.sha256);
});

test('content that changes after the first byte is exit 5, and only bytes of the first version were written', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'changes',
    resource: { sizeBytes: 4 * MiB },
    changes: [{ fromRequest: 2 }],
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: MiB } }],
  });
  const { code, stdout, stderr } = await reknit(['get', run.url, '-o', '-']);
  expect(code).toBe(5);
  expect(stdout.equals(run.bytes().subarray(0, stdout.length))).toBe(true);
  expect(stdout.length).toBe(MiB);
  expect(stderr).toContain('the content changed');
  expect(run.requestCount).toBe(2);
});

test('a wrong checksum is known at the end: exit 5, and not fetched again', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'wrong', resource: { sizeBytes: MiB } });
  const { code } = await reknit(['get', run.url, '-o', '-', '--checksum', `sha256:${'0'.repeat(64)}`]);
  expect(code).toBe(5);
  expect(run.requestCount).toBe(1);
});

test('a reader that leaves ends the download without a word', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'head', resource: { sizeBytes: 32 * MiB } });
  const { child, ended } = start(['get', run.url, '-o', '-']);
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([1, '']);
});

test('a slow reader holds the server back, and gets every byte', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'slow', resource: { sizeBytes: 24 * MiB } });
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  // A reader that starts only when the server has been held back.
  const child = spawn(process.execPath, [main, 'get', run.url, '-o', '-', '--quiet'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await run.until(({ bodyBytesSent }) => bodyBytesSent > MiB);
  const hash = createHash('sha256');
  for await (const chunk of child.stdout) hash.update(chunk);
  expect(hash.digest('hex')).toBe(run.sha256);
});
