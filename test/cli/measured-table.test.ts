/**
 * The table in which 33 clients were measured, by the real command: with a checksum every mode ends right; without one all
 * that can be decided does, and the one that cannot is said to be unproven.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue, type Lab, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { createFolder, jsonLines, reknit } from './command.ts';

const sizeBytes = 16 * 1_048_576;
const modes = catalogue.filter(({ family }) => family === 'measured').map(({ scenario }) => scenario.name);

/** Neither length nor framing tell its end: each of its cuts looks like one. */
const undecidable: ReadonlySet<string> = new Set(['close-fin']);

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
  for (const mode of modes.filter((one) => !undecidable.has(one))) {
    test(`ends ${mode} with the right file`, async () => {
      const { code, isRight, stderr } = await get(mode, () => []);
      expect({ code, isRight }, stderr).toEqual({ code: 0, isRight: true });
    });
  }

  for (const mode of undecidable) {
    test(`says that nothing proves ${mode}, and with --require-proof leaves no file`, async () => {
      const { code, integrity, stderr } = await get(mode, () => []);
      expect({ code, integrity }, stderr).toEqual({ code: 0, integrity: 'unverifiable' });
      const strict = await get(mode, () => ['--require-proof']);
      expect({ code: strict.code, isRight: strict.isRight }, strict.stderr).toEqual({ code: 5, isRight: undefined });
    });
  }
});
