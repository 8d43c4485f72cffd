/** The examples run as their pages say. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const miniInstaller = new URL('../../examples/mini-installer/run.mjs', import.meta.url).pathname;

for (const [installers, packages] of [
  [1, 20],
  [4, 6],
] as const) {
  test(`mini-installer: ${packages} packages by ${installers} at once are whole, through a firewall that allows 8 connections`, async () => {
    const args = [miniInstaller, '--installers', `${installers}`, '--packages', `${packages}`];
    const { stdout } = await run(process.execPath, args);
    expect(stdout).toContain(`installed          ${installers * packages} packages`);
    expect(stdout).toContain('whole, each proven by the digest of its metadata, nothing left behind');
  }, 120_000);
}
