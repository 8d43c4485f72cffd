/** Archives that nobody should unpack: each is refused with its entry named, and nothing is left or touched. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ArchiveError, type ArchiveTrouble, type ExtractOptions, extract } from '../../src/extract/index.ts';
import { createFolder, inPieces, look, pax, type TarEntry, tarEntry, tarOf, zipOf } from './archives.ts';

interface Refusal {
  readonly trouble: ArchiveTrouble;
  readonly entry?: string;
  readonly says: RegExp;
}

async function expectRefused(
  archive: Buffer,
  { trouble, entry, says }: Refusal,
  options: Partial<ExtractOptions> = {},
): Promise<void> {
  await using folder = await createFolder();
  await mkdir(folder.file('outside'));
  const error: unknown = await extract(inPieces(archive), { into: folder.file('out'), ...options }).catch((e) => e);
  expect(error).toBeInstanceOf(ArchiveError);
  const { trouble: actual, entry: named, message, code } = error as ArchiveError;
  expect({ trouble: actual, message }).toEqual({ trouble, message: expect.stringMatching(says) });
  if (entry !== undefined) expect(named).toBe(entry);
  expect(code).toBe('ERR_REKNIT_INTEGRITY');
  expect(await readdir(folder.path, { recursive: true })).toEqual(['outside']);
}

const file = (name: string): TarEntry => ({ name, content: 'x' });

const unsafeNames: readonly (readonly [name: string, says: RegExp])[] = [
  ['../outside/x', /leads out with \.\./],
  ['a/../../outside/x', /leads out with \.\./],
  ['a/..', /leads out with \.\./],
  ['..', /leads out with \.\./],
  ['/etc/x', /absolute/],
  ['//x', /absolute/],
  ['C:\\x', /backslash/],
  ['C:x', /drive letter/],
  ['c:/x', /drive letter/],
  ['a\\..\\..\\x', /backslash/],
  ['..\\x', /backslash/],
];

describe('a name that leads out is refused', () => {
  for (const [name, says] of unsafeNames) {
    test(`${JSON.stringify(name)} in a tar, in its pax header, and in a zip`, async () => {
      const refusal = { trouble: 'unsafe', entry: name, says } as const;
      await expectRefused(tarOf(file(name)), refusal);
      await expectRefused(tarOf(pax({ path: name }), file('harmless')), refusal);
      await expectRefused(zipOf({ name, content: 'x' }), refusal);
    });
  }

  test('after entries that were fine, which are gone with it', async () => {
    await expectRefused(tarOf(file('fine/1'), file('fine/2'), file('../outside/3')), {
      trouble: 'unsafe',
      entry: '../outside/3',
      says: /leads out/,
    });
  });

  test('in the name of a GNU long name, too', async () => {
    const long = `${'a/'.repeat(60)}../../x`;
    const archive = tarOf(
      { name: '././@LongLink', type: 'L', content: `${long}\0`, magic: 'gnu' },
      { ...file('short'), magic: 'gnu' },
    );
    await expectRefused(archive, { trouble: 'unsafe', entry: long, says: /leads out/ });
  });
});

test('a name with a NUL is refused', async () => {
  await expectRefused(tarOf(pax({ path: 'a\0b' }), file('c')), { trouble: 'unsafe', says: /NUL/ });
  await expectRefused(zipOf({ name: 'a\0b' }), { trouble: 'unsafe', says: /NUL/ });
});

test('a name that is not UTF-8 is refused, wherever it stands', async () => {
  const bad = Buffer.from([0x61, 0xff, 0x62]);
  const refusal = { trouble: 'unsafe', says: /not UTF-8/ } as const;
  await expectRefused(tarOf({ name: bad, content: 'x' }), refusal);
  await expectRefused(tarOf(pax({ path: bad }), file('c')), refusal);
  await expectRefused(zipOf({ name: bad, flags: 0 }), refusal);
  await expectRefused(zipOf({ name: bad, flags: 0x800 }), refusal);
});

describe('a symbolic link never leads out', () => {
  const link = (name: string, linkname: string): TarEntry => ({ name, type: '2', linkname });
  const rows: readonly (readonly [what: string, entries: readonly TarEntry[], entry: string])[] = [
    ['by an absolute name', [link('l', '/etc/passwd')], 'l'],
    ['by ..', [link('l', '../outside')], 'l'],
    ['by .. from a folder', [link('a/b/l', '../../../outside')], 'a/b/l'],
    ['through another link', [link('d/up', '..'), link('l', 'd/up/../outside')], 'l'],
    ['through another link that comes later', [link('l', 'd/up/../outside'), link('d/up', '..')], 'l'],
    ['through a chain of links', [link('a', 'b'), link('b', 'd/c'), link('d/c', '../..')], 'd/c'],
  ];
  for (const [what, entries, entry] of rows) {
    test(what, async () => {
      await expectRefused(tarOf(...entries), { trouble: 'unsafe', entry, says: /outside of the folder/ });
    });
  }

  test('in a zip', async () => {
    const archive = zipOf({ name: 'l', unixMode: 0o120777, content: '../outside' });
    await expectRefused(archive, { trouble: 'unsafe', entry: 'l', says: /outside of the folder/ });
  });

  test('and nothing is written through one, not even inside', async () => {
    const refusal = { trouble: 'unsafe', entry: 'l/x', says: /through the link l/ } as const;
    await expectRefused(tarOf(file('d/y'), link('l', 'd'), file('l/x')), refusal);
    await expectRefused(zipOf({ name: 'l', unixMode: 0o120777, content: 'd' }, { name: 'l/x' }), refusal);
  });

  test('a file that takes the place of a link is a duplicate', async () => {
    await expectRefused(tarOf(link('l', 'x'), file('l')), { trouble: 'unsafe', entry: 'l', says: /already/ });
  });
});

describe('a hard link leads to a file of the archive, before it', () => {
  const link = (name: string, linkname: string): TarEntry => ({ name, type: '1', linkname });
  const rows: readonly (readonly [what: string, entries: readonly TarEntry[], says: RegExp])[] = [
    ['not to /etc/passwd', [link('l', '/etc/passwd')], /no file of this archive/],
    ['not out by ..', [link('l', '../outside/x')], /no file of this archive/],
    ['not to what comes later', [link('l', 'x'), file('x')], /no file of this archive/],
    ['not to a folder', [{ name: 'd', type: '5' }, link('l', 'd')], /no file of this archive/],
    [
      'not through a symbolic link',
      [{ name: 's', type: '2', linkname: 'd' }, file('d/x'), link('l', 's/x')],
      /no file/,
    ],
    [
      'not to a symbolic link that leads out from there',
      [{ name: 'd/s', type: '2', linkname: '../x' }, link('l', 'd/s')],
      /outside/,
    ],
  ];
  for (const [what, entries, says] of rows) {
    test(what, async () => {
      await expectRefused(tarOf(...entries), { trouble: 'unsafe', entry: 'l', says });
    });
  }

  test('not with content, which other programs would take for the next header', async () => {
    const smuggled = tarEntry(file('smuggled'));
    await expectRefused(tarOf(file('x'), { ...link('l', 'x'), content: smuggled }), {
      trouble: 'unsafe',
      entry: 'l',
      says: /link with content/,
    });
  });
});

describe('what is no file, folder or link is refused', () => {
  for (const [type, says] of [
    ['3', /device/],
    ['4', /device/],
    ['6', /fifo/],
    ['S', /not known/],
    ['V', /not known/],
  ] as const) {
    test(`type ${type} of a tar`, async () => {
      await expectRefused(tarOf({ name: 'e', type }), { trouble: 'unsafe', entry: 'e', says });
    });
  }

  test('a sparse file in pax', async () => {
    const archive = tarOf(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'e' }), file('e'));
    await expectRefused(archive, { trouble: 'unsupported', entry: 'e', says: /sparse/ });
  });

  test('a device and a fifo in a zip', async () => {
    for (const unixMode of [0o020666, 0o060666, 0o010644]) {
      await expectRefused(zipOf({ name: 'e', unixMode }), { trouble: 'unsafe', entry: 'e', says: /device/ });
    }
  });
});

describe('one name, one entry', () => {
  test('a second file of the same name is refused', async () => {
    const refusal = { trouble: 'unsafe', entry: 'a/b', says: /a file of this name already/ } as const;
    await expectRefused(tarOf(file('a/b'), file('a/b')), refusal);
    await expectRefused(tarOf(file('a/b'), file('./a//b')), refusal);
    await expectRefused(zipOf({ name: 'a/b' }, { name: 'a/b' }), refusal);
  });

  test('a file where a folder is, and a folder where a file is', async () => {
    await expectRefused(tarOf(file('a/b'), file('a')), { trouble: 'unsafe', entry: 'a', says: /already/ });
    await expectRefused(tarOf(file('a'), file('a/b')), { trouble: 'unsafe', entry: 'a/b', says: /a is a file/ });
    await expectRefused(tarOf(file('a'), { name: 'a', type: '5' }), { trouble: 'unsafe', entry: 'a', says: /already/ });
    await expectRefused(tarOf(file('.')), { trouble: 'unsafe', says: /place of the folder itself/ });
  });

  test('names that differ in case alone are told', async () => {
    await using folder = await createFolder();
    const { notes } = await extract(inPieces(tarOf(file('Readme'), file('README'))), { into: folder.file('out') });
    expect(notes).toEqual(['"README" and "Readme" are one name where case does not count']);
  });
});

describe('what is too much is refused', () => {
  const zeros = Buffer.alloc(80 * 1_048_576);

  test('a bomb of gzip: more than 200 bytes for each of its own', async () => {
    const archive = zlib.gzipSync(tarOf({ name: 'zeros', content: zeros }));
    await expectRefused(archive, { trouble: 'limit', entry: 'zeros', says: /200 bytes unpacked for each/ });
  });

  test('a bomb of zip, by its bytes and not by what it says of them', async () => {
    await expectRefused(zipOf({ name: 'zeros', content: zeros }), { trouble: 'limit', says: /200 bytes unpacked/ });
    await expectRefused(zipOf({ name: 'zeros', content: zeros, claimedBytes: 10 }), {
      trouble: 'corrupt',
      entry: 'zeros',
      says: /too many bytes/,
    });
  });

  test('bytes, entries, length of names, depth', async () => {
    const of = (limits: ExtractOptions['limits']) => ({ limits }) as Partial<ExtractOptions>;
    const archive = tarOf({ name: 'a/b/c', content: Buffer.alloc(5_000, 1) }, file('d'), file('e'));
    await expectRefused(archive, { trouble: 'limit', says: /more than 3\.9 KiB/ }, of({ maxBytes: 4_000 }));
    await expectRefused(archive, { trouble: 'limit', entry: 'e', says: /more than 2 entries/ }, of({ maxEntries: 2 }));
    await expectRefused(
      archive,
      { trouble: 'limit', entry: 'a/b/c', says: /longer than 4 bytes/ },
      of({ maxNameBytes: 4 }),
    );
    await expectRefused(archive, { trouble: 'limit', entry: 'a/b/c', says: /deeper than 2/ }, of({ maxDepth: 2 }));
    await expectRefused(tarOf(pax({ path: 'é'.repeat(150) }), file('x')), {
      trouble: 'limit',
      says: /longer than 255/,
    });
  });

  test('a header that claims to be many MiB long', async () => {
    await expectRefused(tarOf({ name: 'x', type: 'x', claimedBytes: 0o37777777777 }), {
      trouble: 'corrupt',
      says: /max size/,
    });
  });
});

describe('a corrupt archive is named', () => {
  test('a header whose checksum is wrong', async () => {
    const archive = tarOf(file('first'), file('second'));
    archive[1_024 + 3] = 1;
    await expectRefused(archive, { trouble: 'corrupt', says: /at byte \d[\d,]*: Invalid tar header.*"first"/ });
  });

  test('a tar that ends in the middle, and one without its end mark', async () => {
    const whole = tarOf(file('first'), { name: 'second', content: Buffer.alloc(3_000, 1) });
    await expectRefused(whole.subarray(0, 2_500), { trouble: 'truncated', says: /in the middle.*"second"/ });
    await expectRefused(whole.subarray(0, whole.length - 1_024), {
      trouble: 'truncated',
      says: /without its end mark/,
    });
  });

  test('gzip that is damaged, cut, or holds no tar', async () => {
    const random = Buffer.from(Array.from({ length: 50_000 }, (_, n) => (n * 7_919) % 251));
    const packed = zlib.gzipSync(tarOf({ name: 'random', content: random }));
    const damaged = Buffer.from(packed);
    damaged.writeUInt32LE(1, damaged.length - 8);
    await expectRefused(damaged, { trouble: 'corrupt', says: /incorrect data check/ });
    await expectRefused(packed.subarray(0, packed.length - 20), { trouble: 'truncated', says: /unexpected end/ });
    await expectRefused(zlib.gzipSync(Buffer.alloc(5_000, 'text')), {
      trouble: 'unsupported',
      says: /no tar in this tar\.gz/,
    });
  });

  test('a zip whose content does not fit its checksum', async () => {
    await expectRefused(zipOf({ name: 'fine' }, { name: 'bad', content: 'x', crc32: 1 }), {
      trouble: 'corrupt',
      entry: 'bad',
      says: /at byte \d+: its checksum is wrong/,
    });
  });

  test('a zip without its end', async () => {
    const archive = zipOf({ name: 'a', content: 'x' });
    await expectRefused(archive.subarray(0, archive.length - 30), {
      trouble: 'truncated',
      says: /End of central directory/,
    });
  });

  test('what is encrypted, or compressed otherwise', async () => {
    await expectRefused(zipOf({ name: 'a', content: 'x', flags: 0x801 }), {
      trouble: 'unsupported',
      says: /encrypted/,
    });
    await expectRefused(zipOf({ name: 'a', content: 'x', method: 14 }), { trouble: 'unsupported', says: /method 14/ });
  });

  test('what is no archive at all, or one of another kind', async () => {
    const html = Buffer.from(`<!DOCTYPE html><title>Log in</title>${' '.repeat(1_000)}`);
    await expectRefused(html, { trouble: 'unsupported', says: /no archive: it begins with "<!DOCTYPE html><"/ });
    await expectRefused(html, { trouble: 'unsupported', says: /no archive/ }, { hint: '/data.zip' });
    await expectRefused(Buffer.from('fd377a585a000004', 'hex'), { trouble: 'unsupported', says: /an xz file/ });
    await expectRefused(Buffer.alloc(0), { trouble: 'unsupported', says: /empty/ });
  });
});

test('a zstd frame that asks for more memory than zstd gives it, first or later, is refused', async () => {
  // One block of three bytes, raw, in a frame with a window of 2 GiB, and in one of a single segment of 1 TiB.
  const block = Buffer.from('190000616263', 'hex');
  const wide = Buffer.concat([Buffer.from('28b52ffd00a8', 'hex'), block]);
  const long = Buffer.concat([Buffer.from('28b52ffde00000000000010000', 'hex'), block]);
  const small = Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), block]);
  for (const archive of [wide, long, Buffer.concat([small, wide])]) {
    await expectRefused(archive, { trouble: 'unsupported', says: /its window of .* is more than 128\.0 MiB/ });
  }
});

test('zstd that is damaged between its frames, or cut in the middle of one', async () => {
  const block = Buffer.from('28b52ffd0058190000616263', 'hex');
  const says = /no zstd frame begins with 67617262/;
  await expectRefused(Buffer.concat([block, Buffer.from('garbage')]), { trouble: 'corrupt', says });
  await expectRefused(block.subarray(0, -1), { trouble: 'truncated', says: /unexpected end/ });
});

test('set-user-id, set-group-id and sticky bits are dropped, from tars and from zips', async () => {
  await using folder = await createFolder();
  await extract(inPieces(tarOf({ name: 'f', mode: 0o7755 }, { name: 'd', type: '5', mode: 0o7755 })), {
    into: folder.file('tar'),
  });
  await extract(inPieces(zipOf({ name: 'f', unixMode: 0o107755 })), { into: folder.file('zip') });
  expect(Object.values(await look(folder.file('tar')))).toEqual(['folder', expect.stringMatching(/^file:755:/)]);
  expect((await stat(folder.file('tar/d'))).mode & 0o7777).toBe(0o755);
  expect(Object.values(await look(folder.file('zip')))).toEqual([expect.stringMatching(/^file:755:/)]);
});

test('a folder that its archive closes can still be filled, and removed', async () => {
  await using folder = await createFolder();
  await extract(inPieces(tarOf({ name: 'd', type: '5', mode: 0o000 }, file('d/x'))), { into: folder.file('out') });
  expect((await stat(folder.file('out/d'))).mode & 0o700).toBe(0o700);
  expect(existsSync(folder.file('out/d/x'))).toBe(true);
});

test('a folder that exists is left alone', async () => {
  await using folder = await createFolder();
  await mkdir(folder.file('out'));
  await writeFile(folder.file('out/mine'), 'mine');
  const refused = extract(inPieces(tarOf(file('x'))), { into: folder.file('out') });
  await expect(refused).rejects.toMatchObject({
    code: 'ERR_REKNIT_LOCAL',
    message: expect.stringContaining('it exists'),
  });
  expect(await readdir(folder.path, { recursive: true })).toEqual(['out', 'out/mine']);
});
