/** Archives as people make them, by programs that share no code with ours. */
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { ArchiveError, type ExtractedEntry, extract } from '../../src/extract/index.ts';
import { createFolder, type Folder, inPieces, look, tarOf } from './archives.ts';

function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** What an archive has to carry: depth, long names, other scripts, modes, links, an empty file, one of some size. */
async function makeTree(folder: Folder): Promise<string> {
  const root = folder.file('tree');
  const deep = `${root}/${'folder-with-a-long-name/'.repeat(8)}`;
  await mkdir(deep, { recursive: true });
  await mkdir(`${root}/empty folder`);
  await writeFile(`${root}/empty`, '');
  await writeFile(`${root}/héllo wörld ✓.txt`, 'text');
  await writeFile(`${deep}${'n'.repeat(120)}`, 'deep');
  await writeFile(`${root}/run.sh`, '#!/bin/sh\n');
  await chmod(`${root}/run.sh`, 0o755);
  await writeFile(`${root}/read-only`, 'x', { mode: 0o444 });
  await writeFile(`${root}/some`, Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * n) % 253)));
  await symlink('../some', `${root}/empty folder/to some`);
  await symlink('not there', `${root}/dangling`);
  await symlink('.', `${root}/circle`);
  return root;
}

interface Packer {
  readonly name: string;
  readonly programs: readonly string[];
  /** Run beside the tree. */
  readonly command: string;
  readonly file: string;
}

const packers: readonly Packer[] = [
  { name: 'tar, GNU', programs: ['tar'], file: 'a.tar', command: 'tar --format=gnu -cf a.tar tree' },
  { name: 'tar, POSIX', programs: ['tar'], file: 'a.tar', command: 'tar --format=posix -cf a.tar tree' },
  { name: 'tar, absolute and ./ names', programs: ['tar'], file: 'a.tar', command: 'tar -cf a.tar ./tree' },
  { name: 'tar.gz', programs: ['tar', 'gzip'], file: 'a.tgz', command: 'tar czf a.tgz tree' },
  {
    name: 'tar.gz of several members',
    programs: ['tar', 'gzip', 'head', 'tail'],
    file: 'a.tgz',
    command: 'tar cf a.tar tree; (head -c 100000 a.tar | gzip; tail -c +100001 a.tar | gzip) > a.tgz',
  },
  { name: 'tar.zst', programs: ['tar', 'zstd'], file: 'a.tzst', command: 'tar cf - tree | zstd -q -19 > a.tzst' },
  {
    name: 'tar.zst of several frames, with one to skip',
    programs: ['tar', 'zstd', 'head', 'tail', 'printf'],
    file: 'a.tzst',
    command:
      "tar cf a.tar tree; (printf '\\120\\052\\115\\030\\003\\000\\000\\000abc'; head -c 100000 a.tar | zstd -q; tail -c +100001 a.tar | zstd -q) > a.tzst",
  },
  { name: 'zip', programs: ['zip'], file: 'a.zip', command: 'zip -qry a.zip tree' },
  {
    name: 'Python’s tarfile',
    programs: ['python3'],
    file: 'a.tgz',
    command: "python3 -c \"import tarfile; t = tarfile.open('a.tgz', 'w:gz'); t.add('tree'); t.close()\"",
  },
];

for (const { name, programs, command, file } of packers) {
  for (const way of ['as a stream', 'from a file'] as const) {
    test(`a tree packed by ${name} comes out as it went in, ${way}`, async (context) => {
      const missing = programs.find((program) => !hasProgram(program));
      if (missing !== undefined) return context.skip(`${missing} is not installed`);
      await using folder = await createFolder();
      const tree = await makeTree(folder);
      expect(spawnSync('sh', ['-c', command], { cwd: folder.path, stdio: 'inherit' }).status).toBe(0);
      const path = folder.file(file);
      const source = way === 'from a file' ? path : createReadStream(path, { highWaterMark: 777 });
      const { entries, archiveBytes } = await extract(source, { into: folder.file('out') });
      const original = await look(tree);
      expect(await look(folder.file('out/tree'))).toEqual(original);
      expect(entries).toBe(Object.keys(original).length + 1);
      expect(archiveBytes).toBe((await stat(path)).size);
      const [unpacked, packed] = await Promise.all([stat(folder.file('out/tree/some')), stat(`${tree}/some`)]);
      // Zip tells seconds, and with some packers even ones only.
      expect(Math.abs(unpacked.mtimeMs - packed.mtimeMs)).toBeLessThanOrEqual(2_000);
    });
  }
}

test('a zip of Python, without Unix modes of its own, comes out whole', async (context) => {
  if (!hasProgram('python3')) return context.skip('python3 is not installed');
  await using folder = await createFolder();
  const script = `
import zipfile
with zipfile.ZipFile('a.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('a/é.txt', 'text' * 1000)
    z.writestr(zipfile.ZipInfo('a/empty/'), '')
`;
  expect(spawnSync('python3', ['-c', script], { cwd: folder.path, stdio: 'inherit' }).status).toBe(0);
  await extract(folder.file('a.zip'), { into: folder.file('out') });
  expect(await readFile(folder.file('out/a/é.txt'), 'utf8')).toBe('text'.repeat(1_000));
  expect((await stat(folder.file('out/a/empty'))).isDirectory()).toBe(true);
});

test('hard links stay one file', async (context) => {
  if (!hasProgram('tar')) return context.skip('tar is not installed');
  await using folder = await createFolder();
  await mkdir(folder.file('tree'));
  await writeFile(folder.file('tree/a'), 'x');
  await link(folder.file('tree/a'), folder.file('tree/b'));
  spawnSync('tar', ['cf', 'a.tar', 'tree'], { cwd: folder.path });
  const seen: ExtractedEntry[] = [];
  await extract(folder.file('a.tar'), { into: folder.file('out'), onEntry: (entry) => void seen.push(entry) });
  const [a, b] = await Promise.all([stat(folder.file('out/tree/a')), stat(folder.file('out/tree/b'))]);
  expect(a.ino).toBe(b.ino);
  expect(seen.map(({ kind }) => kind)).toEqual(['folder', 'file', 'hardlink']);
});

test('a tar from before POSIX, without magic, is known by its checksum', async () => {
  await using folder = await createFolder();
  await extract(inPieces(tarOf({ name: 'old', content: 'x', magic: 'v7' })), { into: folder.file('out') });
  expect(await readFile(folder.file('out/old'), 'utf8')).toBe('x');
});

test('names with line breaks and of several hundred bytes come out as they are', async () => {
  await using folder = await createFolder();
  const name = `${'d'.repeat(120)}/line\nbreak ${'é'.repeat(60)}`;
  const packed = pack();
  packed.entry({ name }, 'x');
  packed.finalize();
  await extract(packed as unknown as AsyncIterable<Buffer>, { into: folder.file('out') });
  expect(await readFile(folder.file(`out/${name}`), 'utf8')).toBe('x');
});

describe('the folder appears whole or not at all', () => {
  const archive = tarOf({ name: 'a', content: 'new' }, { name: 'b', content: Buffer.alloc(100_000, 1) });

  test('while it is unpacked there is only the temporary folder', async () => {
    await using folder = await createFolder();
    const seen: string[][] = [];
    const onEntry = () => void readdir(folder.path).then((names) => seen.push(names));
    async function* source() {
      yield archive.subarray(0, 2_000);
      // The first entry is on the disk when somebody asks for more.
      seen.push(await readdir(folder.path));
      yield archive.subarray(2_000);
      seen.push(await readdir(folder.path));
    }
    await extract(source(), { into: folder.file('out'), onEntry });
    for (const names of seen) expect(names).toEqual([expect.stringMatching(/^out\.reknit-\w{6}$/)]);
    expect(await readdir(folder.path)).toEqual(['out']);
  });

  test('a source that fails at its very end leaves nothing, and its own error is thrown', async () => {
    await using folder = await createFolder();
    const own = new Error('the digest is wrong');
    async function* source() {
      yield archive;
      throw own;
    }
    await expect(extract(source(), { into: folder.file('out') })).rejects.toBe(own);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('a source that fails in the middle of gzip is not told as an archive error', async () => {
    await using folder = await createFolder();
    const own = new Error('connection reset');
    const { gzipSync } = await import('node:zlib');
    const packed = gzipSync(archive);
    const stream = Readable.from(
      (async function* () {
        yield packed.subarray(0, packed.length - 30);
        throw own;
      })(),
    );
    const thrown = extract(stream, { into: folder.file('out') });
    await expect(thrown).rejects.toBe(own);
    expect(stream.destroyed).toBe(true);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('an abort rejects with its reason at once, though the source never answers, and leaves nothing', async () => {
    await using folder = await createFolder();
    const controller = new AbortController();
    const reason = new Error('stop');
    async function* source() {
      yield archive.subarray(0, 50_000);
      controller.abort(reason);
      await new Promise(() => {});
    }
    await expect(extract(source(), { into: folder.file('out'), signal: controller.signal })).rejects.toBe(reason);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('a function as source is aborted when the archive is refused, and awaited', async () => {
    await using folder = await createFolder();
    let hasEnded = false;
    const bad = tarOf({ name: '../x', content: Buffer.alloc(1_000_000) });
    const refused = extract(
      async (output, signal) => {
        output.write(bad);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        hasEnded = true;
      },
      { into: folder.file('out') },
    );
    await expect(refused).rejects.toBeInstanceOf(ArchiveError);
    expect(hasEnded).toBe(true);
  });

  test('a corrupt archive of a source that proves its bytes wrong is the source’s fault', async () => {
    await using folder = await createFolder();
    const wrong = new Error('expected sha256 a, got b');
    const damaged = Buffer.from(archive);
    damaged[1_030] = 0xff;
    async function* source() {
      yield* inPieces(damaged);
      throw wrong;
    }
    const options = { into: folder.file('out') };
    await expect(extract(source(), { ...options, afterTrouble: 'prove-source' })).rejects.toBe(wrong);
    await expect(extract(source(), options)).rejects.toBeInstanceOf(ArchiveError);
  });

  test('`force` replaces a folder, and only with a whole one', async () => {
    await using folder = await createFolder();
    await mkdir(folder.file('out'));
    await writeFile(folder.file('out/old'), 'old');
    const options = { into: folder.file('out'), force: true };
    await expect(extract(inPieces(archive.subarray(0, 3_000)), options)).rejects.toBeInstanceOf(ArchiveError);
    expect(await readdir(folder.path, { recursive: true })).toEqual(['out', 'out/old']);
    await extract(inPieces(archive), options);
    expect((await readdir(folder.path, { recursive: true })).sort()).toEqual(['out', 'out/a', 'out/b']);
  });

  test('a folder that appears meanwhile is not replaced', async () => {
    await using folder = await createFolder();
    async function* source() {
      yield archive;
      await mkdir(folder.file('out'));
      await writeFile(folder.file('out/mine'), 'mine');
    }
    await expect(extract(source(), { into: folder.file('out') })).rejects.toMatchObject({ code: 'ERR_REKNIT_LOCAL' });
    expect(await readdir(folder.path, { recursive: true })).toEqual(['out', 'out/mine']);
  });

  test('a folder above it that is not there is told before anything is read', async () => {
    await using folder = await createFolder();
    let wasRead = false;
    async function* source() {
      wasRead = true;
      yield archive;
    }
    const failed = extract(source(), { into: folder.file('no/out') });
    await expect(failed).rejects.toMatchObject({
      code: 'ERR_REKNIT_LOCAL',
      message: expect.stringContaining('ENOENT'),
    });
    expect(wasRead).toBe(false);
  });
});
