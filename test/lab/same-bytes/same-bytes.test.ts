/** The same seed gives the same bytes on the wire, today and on every Node.js. To record them anew: `REKNIT_RECORD=1`, then `npm run fix`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import * as lab from '../../../src/lab/index.ts';
import { digestAll } from './play.mjs';

const fixture = fileURLToPath(new URL('digests.json', import.meta.url));
const script = fileURLToPath(new URL('play.mjs', import.meta.url));
const built = fileURLToPath(new URL('../../../dist/lab/index.js', import.meta.url));
const nodes = (process.env.REKNIT_NODES ?? '').split(':').filter((path) => path !== '');

const recorded = async () => JSON.parse(await readFile(fixture, 'utf8')) as Record<string, readonly string[]>;

test('the bytes of every scenario are those that were recorded', async () => {
  const digests = await digestAll(lab);
  if (process.env.REKNIT_RECORD === '1') await writeFile(fixture, `${JSON.stringify(digests, undefined, 2)}\n`);
  expect(digests).toEqual(await recorded());
});

for (const node of nodes) {
  test.skipIf(!existsSync(built))(`and so they are by ${node} (skipped where nothing is built)`, async () => {
    const { stdout } = await promisify(execFile)(node, [script, built], { maxBuffer: 16 * 1024 * 1024 });
    expect(JSON.parse(stdout)).toEqual(await recorded());
  });
}
