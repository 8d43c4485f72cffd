/** What dies half-way is continued by the same command, and never trusted further than it can be proven. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder, jsonLines, reknit, type Started, start } from './command.ts';

const MiB = 1_048_576;
const sizeBytes = 16 * MiB;

/** The first answer brings this much and then waits: whoever is killed there is killed in the middle. */
const half: Scenario = {
  name: 'half',
  resource: { sizeBytes },
  requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 9 * MiB } }],
};

interface Stopped {
  readonly run: Run;
  readonly first: Started;
}

/** Starts a download, and waits until all that comes of it is written, and a good part of it is durable. */
async function downloadHalf(
  lab: Lab,
  folder: Folder,
  scenario: Scenario = half,
  args: readonly string[] = [],
): Promise<Stopped> {
  const run = lab.play(scenario);
  // What one connection brings has one place at a time.
  const first = start(['get', run.url, '-o', 'a.bin', '--max-connections', '1', ...args], { cwd: folder.path });
  await run.until(({ requests }) => requests[0]?.answered.bodyBytesSent === 9 * MiB);
  await untilWritten(folder);
  return { run, first };
}

/** Of the last whole line; everything is brought by one connection here. */
function durableIn(journal: string): number {
  const [, durableBytes] = /.*\{"durable":\[\[0,(\d+)\]\]\}\n$/s.exec(journal) ?? [];
  return Number(durableBytes ?? 0);
}

async function untilWritten(folder: Folder): Promise<void> {
  const part = (name: string) => folder.file(`a.bin.reknit/${name}`);
  while (true) {
    const durableBytes = durableIn(await readFile(part('journal'), 'utf8').catch(() => ''));
    if (durableBytes === 9 * MiB) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('Ctrl-C keeps the progress and says how to go on; the second run asks for the rest only', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const { run, first } = await downloadHalf(lab, folder);
  first.child.kill('SIGINT');
  const { code, stderr } = await first.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /reknit: interrupted; 9\.0 MiB of 16\.0 MiB are kept in .*a\.bin\.reknit: run the same command again to continue\n$/,
  );
  expect(await readdir(folder.path)).toEqual(['a.bin.reknit']);
  expect((await readdir(folder.file('a.bin.reknit'))).sort()).toEqual(['data', 'journal']);

  const second = await reknit(['get', run.url, '-o', 'a.bin', '--json'], { cwd: folder.path });
  expect(second.code).toBe(0);
  expect(run.record.requests[1]).toMatchObject({ range: `bytes=${9 * MiB}-`, ifRange: run.versions[0]!.etag });
  expect(await folder.sha256('a.bin')).toBe(run.sha256);
  expect(await readdir(folder.path)).toEqual(['a.bin']);
  expect(second.stderr).toContain('9.0 MiB kept from an earlier run');
  expect(jsonLines(second.stdout).at(-1)).toMatchObject({ resumedBytes: 9 * MiB, refetchedBytes: 0, attempts: 1 });
});

test('SIGTERM keeps the progress, too: exit 143', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const { first } = await downloadHalf(lab, folder);
  first.child.kill('SIGTERM');
  expect((await first.ended).code).toBe(143);
  expect(existsSync(folder.file('a.bin.reknit/data'))).toBe(true);
});

test('Ctrl-C before the first byte leaves nothing', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({ ...half, requests: [{ on: 'every', do: { kind: 'stall', at: 'request' } }] });
  const { child, ended } = start(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
  await run.untilRequest(1);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([130, 'reknit: interrupted\n']);
  expect(await readdir(folder.path)).toEqual([]);
});

test('Ctrl-C is heard in a wait at once', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    ...half,
    requests: [{ on: 'every', do: { kind: 'status', status: 503, retryAfter: '200' } }],
  });
  const { child, ended } = start(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
  await once(child.stderr!, 'data');
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
});

test('after kill -9 the next run goes on from what was durable', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const { run, first } = await downloadHalf(lab, folder);
  first.child.kill('SIGKILL');
  await first.ended;
  expect(existsSync(folder.file('a.bin'))).toBe(false);
  const { code, stdout } = await reknit(['get', run.url, '-o', 'a.bin', '--json', '--quiet'], { cwd: folder.path });
  expect(code).toBe(0);
  expect(await folder.sha256('a.bin')).toBe(run.sha256);
  expect(await readdir(folder.path)).toEqual(['a.bin']);
  const done = jsonLines(stdout).at(-1)!;
  expect(done.resumedBytes).toBeGreaterThanOrEqual(6 * MiB);
  expect(run.record.requests[1]!.range).toBe(`bytes=${done.resumedBytes}-`);
  expect(run.record.requests[1]!.answered.bodyBytesSent).toBe(sizeBytes - Number(done.resumedBytes));
});

for (const ranges of ['honoured', 'ignored'] as const) {
  test(`a file that changed between the runs arrives in its new version (ranges ${ranges})`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const scenario = { ...half, resource: { sizeBytes, ranges }, changes: [{ fromRequest: 2 }] };
    const { run, first } = await downloadHalf(lab, folder, scenario);
    first.child.kill('SIGKILL');
    await first.ended;
    const { code, stderr } = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
    expect(code).toBe(0);
    expect(run.versionOf(await folder.sha256('a.bin'))).toBe(1);
    expect(stderr).toContain('the content changed');
    expect(run.requestCount).toBe(2);
  });
}

test('a changed file behind a server that ignores If-Range is noticed, too', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const scenario: Scenario = {
    ...half,
    changes: [{ fromRequest: 2 }],
    requests: [...half.requests!, { on: 'resumes', do: { kind: 'if-range-ignored' } }],
  };
  const { run, first } = await downloadHalf(lab, folder, scenario);
  first.child.kill('SIGKILL');
  await first.ended;
  const { code } = await reknit(['get', run.url, '-o', 'a.bin', '--retry-delay', '1ms'], { cwd: folder.path });
  expect(code).toBe(0);
  expect(run.versionOf(await folder.sha256('a.bin'))).toBe(1);
});

test('without a strong validator nothing is continued, unless a checksum proves it', async () => {
  for (const proof of ['none', 'checksum'] as const) {
    await using lab = await startLab();
    await using folder = await createFolder();
    const scenario: Scenario = { ...half, resource: { sizeBytes, validator: 'weak' } };
    const { run, first } = await downloadHalf(lab, folder, scenario);
    first.child.kill('SIGINT');
    const { stderr } = await first.ended;
    expect(stderr).toContain('can be continued only with --checksum');
    const checksum = proof === 'none' ? [] : ['--checksum', `sha256:${run.sha256}`];
    const { code } = await reknit(['get', run.url, '-o', 'a.bin', ...checksum], { cwd: folder.path });
    expect(code).toBe(0);
    expect(await folder.sha256('a.bin')).toBe(run.sha256);
    expect(run.record.requests[1]!.range).toBe(proof === 'none' ? undefined : `bytes=${9 * MiB}-`);
  }
});

test('what a checksum let continue and then disproved is fetched again whole', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const scenario: Scenario = { ...half, resource: { sizeBytes, validator: 'none' }, changes: [{ fromRequest: 2 }] };
  const { run, first } = await downloadHalf(lab, folder, scenario);
  first.child.kill('SIGKILL');
  await first.ended;
  const args = [
    'get',
    run.url,
    '-o',
    'a.bin',
    '--checksum',
    `sha256:${run.versions[1]!.sha256}`,
    '--retry-delay',
    '1ms',
  ];
  const { code } = await reknit(args, { cwd: folder.path });
  expect(code).toBe(0);
  expect(run.versionOf(await folder.sha256('a.bin'))).toBe(1);
});

test('bytes that were damaged on the disk are found by the digest', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const { run, first } = await downloadHalf(lab, folder, { ...half, resource: { sizeBytes, digest: 'repr-digest' } });
  first.child.kill('SIGKILL');
  await first.ended;
  const data = folder.file('a.bin.reknit/data');
  const bytes = await readFile(data);
  bytes[1_000] = bytes[1_000]! ^ 1;
  await writeFile(data, bytes);
  const { code } = await reknit(['get', run.url, '-o', 'a.bin', '--retry-delay', '1ms'], { cwd: folder.path });
  expect(code).toBe(0);
  expect(await folder.sha256('a.bin')).toBe(run.sha256);
});

test('a journal that claims more than the file has, or is garbage, is not believed', async () => {
  for (const damage of ['short', 'garbage', 'absent'] as const) {
    await using lab = await startLab();
    await using folder = await createFolder();
    const { run, first } = await downloadHalf(lab, folder);
    first.child.kill('SIGKILL');
    await first.ended;
    if (damage === 'short') await truncate(folder.file('a.bin.reknit/data'), 1_000);
    if (damage === 'garbage') await writeFile(folder.file('a.bin.reknit/journal'), '{"version":1,"durableBytes":');
    if (damage === 'absent') await writeFile(folder.file('a.bin.reknit/journal'), '');
    const { code } = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: folder.path });
    expect(code).toBe(0);
    expect(await folder.sha256('a.bin')).toBe(run.sha256);
    expect(run.record.requests[1]!.range).toBeUndefined();
  }
});

test('another URL to the same name begins anew, though its ETag is the same', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const { run, first } = await downloadHalf(lab, folder);
  first.child.kill('SIGKILL');
  await first.ended;
  const { code, stderr } = await reknit(['get', run.urlWith({ file: 'other.bin' }), '-o', 'a.bin'], {
    cwd: folder.path,
  });
  expect(code).toBe(0);
  expect(run.record.requests[1]!.range).toBeUndefined();
  expect(stderr).toContain('nothing proves the bytes at hand');
});

test('a second process on the same target is exit 6, and does not disturb the first', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const { run, first } = await downloadHalf(lab, folder);
  const second = await reknit(['get', run.url, '-o', 'a.bin', '--force'], { cwd: folder.path });
  expect(second.code).toBe(6);
  expect(second.stderr).toMatch(/a\.bin: process \d+ is downloading to it/);
  expect(run.requestCount).toBe(1);
  first.child.kill('SIGINT');
  expect((await first.ended).code).toBe(130);
  expect(durableIn(await readFile(folder.file('a.bin.reknit/journal'), 'utf8'))).toBe(9 * MiB);
});

test('a server that is silent is left after the stall timeout, and the rest comes over a new connection', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play(half);
  const args = ['get', run.url, '-o', 'a.bin', '--stall-timeout', '500ms', '--max-connections', '1'];
  expect((await reknit(args, { cwd: folder.path })).code).toBe(0);
  expect(await folder.sha256('a.bin')).toBe(run.sha256);
  expect(run.record.requests.map(({ range }) => range)).toEqual([undefined, `bytes=${9 * MiB}-`]);
});

test('a failure in the middle keeps what is there: exit 3, and the line says where', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    ...half,
    requests: [
      { on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 9 * MiB } },
      { on: { from: 2, to: 4 }, do: { kind: 'status', status: 503 } },
    ],
  });
  const args = ['get', run.url, '-o', 'a.bin', '--retry-delay', '1ms', '--max-attempts', '3', '--max-connections', '1'];
  const { code, stderr } = await reknit(args, { cwd: folder.path });
  expect(code).toBe(3);
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
    /HTTP 503 Service Unavailable.*; 9\.0 MiB of 16\.0 MiB are kept in .*: run the same command again to continue$/,
  );
  expect((await reknit(args, { cwd: folder.path })).code).toBe(0);
  expect(await folder.sha256('a.bin')).toBe(run.sha256);
});
