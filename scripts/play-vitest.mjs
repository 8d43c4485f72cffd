import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Plays what is written as tests, but is too long to be one of them, and reads what it has written.
 * @param config of vitest
 * @param fileVariable tells it the file to write to
 */
export function playVitest(config, fileVariable, variables) {
  const folder = mkdtempSync(join(tmpdir(), 'reknit-play-'));
  const file = join(folder, 'found.json');
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  try {
    const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', config], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, [fileVariable]: file, ...variables },
    });
    if (status !== 0) process.exitCode = 1;
    return JSON.parse(readFileSync(file, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
