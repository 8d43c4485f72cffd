/** The troubles that the pool was built for, in their short form; `npm run repro:pool` has the long one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { saySkipped } from './daemon.ts';

const program = fileURLToPath(new URL('../../scripts/repro-pool/run.mjs', import.meta.url));

interface Told {
  readonly skipped?: string;
  readonly without?: { readonly failed: number; readonly requests: number };
  readonly runs?: readonly {
    readonly requests: number;
    readonly checks: readonly { readonly what: string; readonly holds: boolean }[];
  }[];
}

async function play(name: string): Promise<Told> {
  const child = spawn(process.execPath, [program, '--short', '--json', '--only', name]);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code === 2) throw new Error(err);
  const [told] = JSON.parse(out) as [Told];
  if (told.skipped !== undefined) saySkipped(told.skipped);
  return told;
}

const stories = {
  'backlog-reset': 'a listen backlog of 1 under a burst of 50: nobody notices',
  reload: 'an nginx that is reloaded under load: nobody notices',
  restart: 'an nginx that is stopped and started again: nobody fails whom the deadline allowed to save',
  bridge: 'a bridge that loses its container and gets it back: nobody fails whom the deadline allowed to save',
  counts: 'attempts: the upstream, the header, the log, the metric and the error say the same number',
};

for (const [name, promise] of Object.entries(stories)) {
  test.concurrent(promise, { timeout: 120_000 }, async () => {
    const { runs = [], skipped } = await play(name);
    if (skipped === undefined) expect(runs.length).toBeGreaterThan(0);
    const broken = runs.flatMap(({ checks }) => checks.filter(({ holds }) => !holds));
    expect(broken).toEqual([]);
  });
}
