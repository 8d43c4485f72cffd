/** Pages that are made from the code agree with it, and the README's examples run as written. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
// @ts-expect-error a script without types
import { renderOptions } from '../../scripts/render-options.mjs';
import { optionRows } from '../../src/core/index.ts';
import { variableOf } from '../../src/http/index.ts';
import { startLab } from '../../src/lab/index.ts';

const root = new URL('../../', import.meta.url).pathname;

test('docs/options.md is what the table says (npm run docs)', async () => {
  expect(await readFile(`${root}docs/options.md`, 'utf8')).toBe(renderOptions(optionRows, variableOf));
});

describe('the README’s examples run as written', async () => {
  const readme = await readFile(`${root}README.md`, 'utf8');
  const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]!);

  test('there are some', () => expect(examples.length).toBeGreaterThan(3));

  for (const [index, source] of examples.entries()) {
    test(`example ${index + 1}`, async () => {
      await using lab = await startLab();
      const cut = { kind: 'cut', by: 'rst', at: 'body', atByte: 100_000 } as const;
      const run = lab.play({
        name: 'readme',
        resource: { sizeBytes: 200_000 },
        requests: [{ on: [1, 3, 5], do: cut }],
      });
      // In the project's folder, so that `reknit` is the package itself.
      const folder = await mkdtemp(`${root}.try-`);
      try {
        await writeFile(`${folder}/example.mjs`, source);
        const { stdout } = await promisify(execFile)(process.execPath, [`${folder}/example.mjs`, run.url]);
        expect(stdout).toMatch(/200000|200/);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});
