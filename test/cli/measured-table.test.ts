/** The table in which 33 clients were measured, by the real command: every mode ends right, with a checksum and without. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue, type Lab, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { createFolder, jsonLines, reknit } from './command.ts';

const sizeBytes = 16 * 1_048_576;
const modes = catalogue.filter(({ family }) => family === 'measured').map(({ scenario }) => scenario.name);

/** Without a validator the joints are a guess that nothing proves, and it is said so. */
const joinedByOverlap: ReadonlySet<string> = new Set(['noval-change']);

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

test('the table has its eighteen modes', () => {
  expect(modes.length).toBe(18);
});

async function get(mode: string, more: (sha256: string) => readonly string[]) {
  const folder = await createFolder();
  const run = lab.play(scenarioNamed(mode, { sizeBytes }));
  await run.ready;
  const { sha256 } = run.versions.at(-1)!;
  const flags = ['--stall-timeout', '1s', '--json', ...more(sha256)];
  const { code, stdout, stderr } = await reknit(['get', run.url, '-o', 'a', ...flags], { cwd: folder.path });
  const isRight = await folder.sha256('a').then(
    (found) => found === sha256,
    () => undefined,
  );
  const integrity = jsonLines(stdout).find(({ event }) => event === 'done')?.integrity;
  await folder[Symbol.asyncDispose]();
  return { code, isRight, integrity, stderr };
}

describe.concurrent('reknit get with --checksum', () => {
  for (const mode of modes) {
    test(`ends ${mode} with the right file`, async () => {
      const { code, isRight, integrity, stderr } = await get(mode, (sha256) => ['--checksum', `sha256:${sha256}`]);
      expect({ code, isRight, integrity }, stderr).toEqual({ code: 0, isRight: true, integrity: 'digest' });
    });
  }
});

describe.concurrent('reknit get without a checksum', () => {
  for (const mode of modes) {
    test(`ends ${mode} with the right file, and says that it is proven`, async () => {
      const { code, isRight, integrity, stderr } = await get(mode, () => []);
      expect({ code, isRight }, stderr).toEqual({ code: 0, isRight: true });
      if (!joinedByOverlap.has(mode)) expect(['length', 'framing'], stderr).toContain(integrity);
    });
  }
});
