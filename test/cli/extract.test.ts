/** `reknit get URL --extract DIR`: one unpacker over a body that heals, and a folder that is whole or not there. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { look, tarOf, zipOf } from '../extract/archives.ts';
import { createFolder, type Folder, jsonLines, reknit, start } from './command.ts';

const KiB = 1_024;

/** Content that does not shrink, the same each time. */
function noise(seed: string, bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 64) }, (_, n) =>
    createHash('sha512').update(`${seed} ${n}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

const names = ['package/index.js', 'package/lib/a', 'package/lib/b', 'package/lib/deep/c'];
const filesOf = (version: string) => names.map((name) => ({ name, content: noise(`${version} ${name}`, 500 * KiB) }));
const tgz = (version: string) => zlib.gzipSync(tarOf(...filesOf(version)));
const base64 = (bytes: Buffer) => bytes.toString('base64');

const cutEvery = (everyBytes: number): NonNullable<Scenario['requests']> => [
  { on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', everyBytes } },
];

/** What the folder must look like, from the entries and not from the archive. */
async function expectUnpacked(folder: Folder, version: string): Promise<void> {
  const seen = await look(folder.file('out'));
  const files = Object.entries(seen).filter(([, what]) => what !== 'folder');
  const expected = filesOf(version).map(({ name, content }) => [
    name,
    `file:644:${createHash('sha256').update(content).digest('hex')}`,
  ]);
  expect(Object.fromEntries(files)).toEqual(Object.fromEntries(expected));
  expect(await readdir(folder.path)).toEqual(['out']);
}

function play(lab: Lab, archive: Buffer, scenario: Partial<Scenario> = {}): Run {
  const { resource, ...rest } = scenario;
  return lab.play({ name: 'archive', ...rest, resource: { bodyBase64: base64(archive), ...resource } });
}

const get = (run: Run, folder: Folder, ...args: readonly string[]) =>
  reknit(['get', run.url, '--extract', 'out', '--json', '--retry-delay', '1ms', ...args], { cwd: folder.path });

const startsIn = (stdout: Buffer) => jsonLines(stdout).filter(({ event }) => event === 'unpack').length;

for (const [format, archive] of [
  ['tar', tarOf(...filesOf('1'))],
  ['tar.gz', tgz('1')],
] as const) {
  test(`a ${format} cut every 256 KiB is unpacked by one unpacker that never notices`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const run = play(lab, archive, { requests: cutEvery(256 * KiB) });
    const { code, stdout, stderr } = await get(run, folder);
    expect([code, startsIn(stdout)], stderr).toEqual([0, 1]);
    await expectUnpacked(folder, '1');
    expect(run.requestCount).toBe(Math.ceil(archive.length / (256 * KiB)));
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      event: 'done',
      path: folder.file('out'),
      format,
      entries: names.length,
      unpackedBytes: names.length * 500 * KiB,
      unpackerStarts: 1,
      refetchedBytes: 0,
      bytes: archive.length,
      sha256: run.sha256,
    });
    expect(stderr).toMatch(
      /reknit: unpacked 4 entries, 2\.0 MiB into .*out: [\d,]+ bytes in .*, \d+ attempts, 0 B fetched twice\n/,
    );
  });
}

test('file mode keeps what was downloaded when it is interrupted, and the next run goes on', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const archive = tgz('1');
  const run = play(lab, archive, { requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 1_400 * KiB } }] });
  const args = ['get', run.url, '--extract', 'out', '--extract-mode', 'file', '--json'];
  const first = start(args, { cwd: folder.path });
  await untilTold(first.child.stdout!, 'progress');
  first.child.kill('SIGINT');
  const { code, stderr } = await first.ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/kept in .*: run the same command again to continue/);
  expect(await readdir(folder.path)).toEqual(['out.reknit-archive.reknit']);
  const second = await reknit(args, { cwd: folder.path });
  expect(second.code, second.stderr).toBe(0);
  expect(Number(jsonLines(second.stdout).at(-1)!.resumedBytes)).toBeGreaterThan(0);
  await expectUnpacked(folder, '1');
});

test('a zip is downloaded and proven first, also where the mode and the name say nothing of it', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = play(lab, zipOf(...filesOf('1')), { requests: cutEvery(256 * KiB) });
  for (const args of [['--extract-mode', 'file'], ['--extract-mode', 'stream', '--force'], ['--force']]) {
    const { code, stdout, stderr } = await get(run, folder, ...args);
    expect([code, startsIn(stdout)], stderr).toEqual([0, 1]);
    await expectUnpacked(folder, '1');
  }
});

test('Ctrl-C in the middle of a stream leaves nothing', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = play(lab, tgz('1'), { requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 1_400 * KiB } }] });
  const { child, ended } = start(['get', run.url, '--extract', 'out'], { cwd: folder.path });
  await run.until(({ requests }) => requests[0]?.answered.bodyBytesSent === 1_400 * KiB);
  await untilUnpacking(folder);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130, stderr: 'reknit: interrupted\n' });
  expect(await readdir(folder.path)).toEqual([]);
});

async function untilTold(stdout: Readable, event: string): Promise<void> {
  let text = '';
  while (!text.includes(`"event":"${event}"`)) text += (await once(stdout, 'data'))[0];
}

/** The first file is there, in the temporary folder. */
async function untilUnpacking(folder: Folder): Promise<void> {
  while (!(await readdir(folder.path, { recursive: true })).some((name) => name.endsWith('lib/a'))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const ranges of ['honoured', 'ignored'] as const) {
  test(`content that changes under the unpacker is thrown away and begun anew (ranges ${ranges})`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const run = play(lab, tgz('1'), {
      resource: { ranges },
      changes: [{ fromRequest: 2, bodyBase64: base64(tgz('2')) }],
      requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 1_400 * KiB } }],
    });
    const { code, stdout, stderr } = await get(run, folder);
    expect([code, startsIn(stdout)], stderr).toEqual([0, 2]);
    await expectUnpacked(folder, '2');
    expect(jsonLines(stdout).find(({ event }) => event === 'restart')).toMatchObject({
      because: 'the content changed',
      lostBytes: 1_400 * KiB,
    });
  });
}

test('a body whose rest cannot be asked for is begun anew, and is whole in the end', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = play(lab, tgz('1'), {
    resource: { framing: 'chunked', validator: 'none', ranges: 'refused' },
    requests: [{ on: [1, 2], do: { kind: 'cut', by: 'rst', at: 'body', atByte: 900 * KiB } }],
  });
  const { code, stderr } = await get(run, folder);
  expect(code, stderr).toBe(0);
  await expectUnpacked(folder, '1');
});

test('content that never stays the same ends as what it is: exit 5, and nothing is left', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const changes = Array.from({ length: 8 }, (_, n) => ({ fromRequest: n + 2, bodyBase64: base64(tgz(String(n))) }));
  const run = play(lab, tgz('first'), {
    changes,
    requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atByte: 300 * KiB } }],
  });
  const { code, stderr } = await get(run, folder, '--max-attempts', '3');
  expect([code, stderr.trimEnd().split('\n').at(-1)]).toEqual([5, expect.stringContaining('the content changed')]);
  expect(await readdir(folder.path)).toEqual([]);
});

test('a wrong checksum is exit 5 though the archive is fine, after one clean fetch past caches', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = play(lab, tgz('1'));
  const { code, stderr } = await get(run, folder, '--checksum', `sha256:${'0'.repeat(64)}`);
  expect(code).toBe(5);
  expect(stderr).toContain(`expected sha256 ${'0'.repeat(64)}, got ${run.sha256}`);
  expect(run.record.requests.map(({ headers }) => headers['cache-control'])).toEqual([undefined, 'no-cache']);
  expect(await readdir(folder.path)).toEqual([]);
});

test('damage on the wire that a checksum knows is fetched again, and not told as a corrupt archive', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  // In the header of the second entry, where the unpacker sees it long before the end.
  const run = play(lab, tarOf(...filesOf('1')), {
    requests: [{ on: 1, do: { kind: 'corrupt', atByte: 500 * KiB + 512 + 5, bytes: 9 } }],
  });
  const { code, stdout, stderr } = await get(run, folder, '--checksum', `sha256:${run.sha256}`);
  expect([code, startsIn(stdout)], stderr).toEqual([0, 2]);
  await expectUnpacked(folder, '1');
});

for (const mode of ['stream', 'file'] as const) {
  test(`a corrupt archive is named with its entry and place, and not downloaded again (${mode})`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const archive = tarOf(...filesOf('1'));
    // In the header of the third entry.
    archive[2 * (500 * KiB + 512) + 5] = 1;
    const run = play(lab, archive);
    const { code, stderr } = await get(run, folder, '--extract-mode', mode);
    expect(code).toBe(5);
    expect(stderr).toMatch(/reknit: The archive is corrupt, at byte [\d,]+: Invalid tar header.*"package\/lib\/a"\n$/);
    expect(run.requestCount).toBe(1);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test(`an unsafe archive is exit 5, with the entry named (${mode})`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const run = play(lab, zlib.gzipSync(tarOf({ name: 'fine', content: 'x' }, { name: '../out-of-it', content: 'x' })));
    const { code, stderr } = await get(run, folder, '--extract-mode', mode);
    expect(code).toBe(5);
    expect(stderr).toMatch(
      /not safe to unpack \(entry "\.\.\/out-of-it"\), at byte \d+: its name leads out with \.\.\n$/,
    );
    expect(await readdir(folder.path)).toEqual([]);
  });

  test(`a cut that nobody can prove is told as a cut, and not as a corrupt archive (${mode})`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const run = play(lab, tgz('1'), {
      resource: { framing: 'close', validator: 'none', ranges: 'refused' },
      requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atByte: 900 * KiB } }],
    });
    const { code, stderr } = await get(run, folder, '--extract-mode', mode, '--max-attempts', '2');
    expect([code, stderr.trimEnd().split('\n').at(-1)]).toEqual([
      3,
      expect.stringMatching(/Cannot extract .*: the body ended after \d+ bytes, in the middle of the archive/),
    ]);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test(`a server that fails for good is never told as an archive error (${mode})`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const run = play(lab, tgz('1'), {
      requests: [
        { on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 900 * KiB } },
        { on: { from: 2 }, do: { kind: 'status', status: 503 } },
      ],
    });
    const { code, stderr } = await get(run, folder, '--extract-mode', mode, '--max-attempts', '3');
    expect(code).toBe(3);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/HTTP 503/);
    expect(stderr).not.toMatch(/archive is/);
    expect(await readdir(folder.path)).toEqual(mode === 'stream' ? [] : ['out.reknit-archive.reknit']);
  });
}

test('a folder that exists is exit 6 before anything is sent, and --force replaces it', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = play(lab, tgz('1'));
  await mkdir(folder.file('out'));
  await writeFile(folder.file('out/mine'), 'mine');
  for (const mode of ['stream', 'file']) {
    const { code, stderr } = await get(run, folder, '--extract-mode', mode);
    expect([code, stderr]).toEqual([6, expect.stringMatching(/out: it exists; use --force to replace it/)]);
  }
  expect(run.requestCount).toBe(0);
  expect(await readFile(folder.file('out/mine'), 'utf8')).toBe('mine');
  expect((await get(run, folder, '--force')).code).toBe(0);
  await expectUnpacked(folder, '1');
});

test('what is too much is refused by --extract-max-size, --extract-max-entries and --extract-max-ratio', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = play(lab, tgz('1'));
  for (const [flag, value, says] of [
    ['--extract-max-size', '1MiB', 'more than 1.0 MiB unpacked'],
    ['--extract-max-entries', '3', 'more than 3 entries'],
  ] as const) {
    const { code, stderr } = await get(run, folder, flag, value);
    expect([code, stderr]).toEqual([5, expect.stringContaining(says)]);
  }
  const bomb = play(lab, zlib.gzipSync(tarOf({ name: 'zeros', content: Buffer.alloc(70 * KiB * KiB) })));
  expect((await get(bomb, folder, '--extract-max-ratio', '100')).stderr).toContain(
    'more than 100 bytes unpacked for each',
  );
  expect((await get(bomb, folder, '--extract-max-ratio', '2000')).code).toBe(0);
});

test('flags that contradict each other are exit 2, in one line', async () => {
  const url = 'http://127.0.0.1:9/a.tgz';
  for (const [args, says] of [
    [['--extract', 'd', '-o', 'x', url], '--extract with -o'],
    [['--extract', 'd', '-o', '-', url], '--extract with -o'],
    [['--extract', 'd', url, url], 'there must be one URL'],
    [['--extract-mode', 'file', url], 'received no --extract'],
    [['--extract-max-size', '1MiB', url], 'received no --extract'],
    [['--extract', 'd', '--extract-mode', 'other', url], '--extract-mode'],
    [['--extract', 'd', '--extract-max-size', 'lots', url], '--extract-max-size'],
    [['--extract', 'd', '--extract-max-entries', '0', url], '--extract-max-entries'],
    [['--extract', '', url], '--extract'],
  ] as const) {
    const { code, stderr } = await reknit(['get', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^reknit: .*\n$/)]);
    expect(stderr).toContain(says);
  }
});
