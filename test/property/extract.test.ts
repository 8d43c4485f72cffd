/** Random trees survive pack and extract; random damage is an error or changes nothing, and never writes elsewhere. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { extract } from '../../src/extract/index.ts';
import { inPieces, look, zipOf } from '../extract/archives.ts';

type Tree = ReadonlyMap<string, Buffer>;

const part = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((name) => !/[/\\\0\uFFFD]/.test(name) && name !== '.' && name !== '..' && !/^[a-z]:/i.test(name))
  .filter((name) => Buffer.from(name).toString() === name && Buffer.byteLength(name) <= 200);
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const content = fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes));

/** Files by path, none of them on the way to another. */
const tree: fc.Arbitrary<Tree> = fc.array(fc.tuple(path, content), { maxLength: 12 }).map((files) => {
  const made = new Map<string, Buffer>();
  const folders = new Set<string>();
  for (const [name, bytes] of files) {
    const above = name.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/'));
    if (made.has(name) || folders.has(name) || above.some((folder) => made.has(folder))) continue;
    for (const folder of above) folders.add(folder);
    made.set(name, bytes);
  }
  return made;
});

async function tar(files: Tree): Promise<Buffer> {
  const packed = pack();
  for (const [name, bytes] of files) packed.entry({ name }, bytes);
  packed.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packed as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const packers: Readonly<Record<string, (files: Tree) => Promise<Buffer>>> = {
  tar,
  'tar.gz': async (files) => gzipSync(await tar(files)),
  zip: async (files) => zipOf(...[...files].map(([name, bytes]) => ({ name, content: bytes }))),
};

async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'reknit-property-'));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

for (const [format, packTree] of Object.entries(packers)) {
  test(`a random tree comes out of a ${format} as it went in, whatever the pieces`, async () => {
    const { createHash } = await import('node:crypto');
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 1, max: 5_000 }), async (files, pieceBytes) => {
        await inFolder(async (folder) => {
          const archive = await packTree(files);
          await extract(inPieces(archive, pieceBytes), { into: join(folder, 'out'), hint: `a.${format}` });
          const seen = Object.entries(await look(join(folder, 'out'))).filter(([, what]) => what !== 'folder');
          const expected = [...files].map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]);
          expect(new Map(seen.map(([name, what]) => [name, what.split(':')[2]]))).toEqual(new Map(expected as never));
        });
      }),
      { numRuns: 60 },
    );
  });

  test(`a ${format} with random damage ends in time, with a folder or with a typed error, and writes nowhere else`, async () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(tree, damage, fc.nat(), async (files, places, cutAt) => {
        await inFolder(async (folder) => {
          const whole = await packTree(files);
          const archive = cutAt % 3 === 0 ? whole.subarray(0, cutAt % (whole.length + 1)) : Buffer.from(whole);
          for (const [at, byte] of places) if (archive.length > 0) archive[at % archive.length] = byte;
          const outcome = await extract(inPieces(archive), { into: join(folder, 'out'), hint: `a.${format}` }).then(
            () => 'whole',
            (error: { readonly code?: string }) => error.code ?? String(error),
          );
          // A name that the damage made too long for the disk is the disk's word.
          expect(['whole', 'ERR_REKNIT_INTEGRITY', 'ERR_REKNIT_LOCAL']).toContain(outcome);
          expect(await readdir(folder)).toEqual(outcome === 'whole' ? ['out'] : []);
        });
      }),
      { numRuns: 150 },
    );
  });
}
