/**
 * A batch that was killed between the rename of a file and the removal of its part folder left that folder for ever: the
 * next run skipped the file as proven, and looked at nothing else.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { downloadAll } from '../../src/download/index.ts';
import { startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';

test('a part folder beside a file that is skipped as proven is removed, unless another process uses it', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const names = ['small', 'large', 'used'];
  const run = lab.play({ name: 'plain', resource: { sizeBytes: 10_000 } });
  const entries = names.map((to) => ({ url: run.url, to }));
  const options = { folder: folder.file('out'), stateFolder: folder.file('state') };
  const once = await downloadAll(entries, options);
  expect(once.outcomes.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);

  for (const name of names) await mkdir(folder.file(`out/${name}.reknit`));
  await writeFile(folder.file('out/large.reknit/journal'), 'of a file that has its name');
  await writeFile(folder.file('out/large.reknit/lock'), JSON.stringify({ pid: 2 ** 22 + 1 }));
  await writeFile(folder.file('out/used.reknit/lock'), JSON.stringify({ pid: process.pid }));

  const again = await downloadAll(entries, options);
  expect(again.outcomes.map(({ kind }) => kind)).toEqual(['skipped', 'skipped', 'skipped']);
  expect((await readdir(folder.file('out'))).sort()).toEqual(['large', 'small', 'used', 'used.reknit']);
});
