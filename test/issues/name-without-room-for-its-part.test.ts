/** A file name as long as the file system allows left no room for the `.reknit` of its part: "its name is too long". */
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { download, downloadAll } from '../../src/download/index.ts';
import { startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';

test('a name of 255 bytes is a name, and two that differ in their end have parts of their own', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({ name: 'plain', resource: { sizeBytes: 1_048_576 } });
  const names = ['ä'.repeat(127), `${'b'.repeat(254)}1`, `${'b'.repeat(254)}2`];
  for (const name of names) expect((await download(run.url, { to: folder.file(name) })).sha256).toBe(run.sha256);
  expect((await readdir(folder.path)).sort()).toEqual([...names].sort());
  const entries = names.slice(1).map((to) => ({ url: run.url, to }));
  const { outcomes } = await downloadAll(entries, { folder: folder.file('many') });
  expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done']);
});
