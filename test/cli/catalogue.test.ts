/** Every scenario that the lab knows, through `download`: the right file, or an error and no file. Never a wrong one. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type DownloadResult, download } from '../../src/download/index.ts';
import { catalogue, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { createFolder } from './command.ts';

const sizeBytes = 4 * 1_048_576;
const quick = {
  retry: { maxAttempts: 20, baseDelayMs: 1, throttleDelayMs: 1 },
  timeouts: { connectMs: 2_000, headersMs: 400, stallMs: 400, deadlineMs: 20_000 },
};

/** Whole, well-formed answers with other bytes in them: without a digest nobody can tell. */
const undecidable: ReadonlySet<string> = new Set([
  'captive-portal',
  '206-wrong-bytes',
  'change-under-same-etag',
  'length-too-short',
  'flipped-bytes',
]);

/** undici refuses a 100 that nobody asked for, at every attempt alike. */
const beyondUs: ReadonlySet<string> = new Set(['informational']);

const playable = catalogue.filter(({ needs }) => needs === undefined);

describe.concurrent('a download', () => {
  for (const { scenario, expect: expected } of playable) {
    for (const proof of ['no checksum', 'checksum'] as const) {
      test(`of ${scenario.name} with ${proof}: ${expected}`, async () => {
        await using lab = await startLab();
        await using folder = await createFolder();
        const run = lab.play(scenarioNamed(scenario.name, { sizeBytes }));
        await run.ready;
        const checksum = proof === 'checksum' ? `sha256:${run.versions.at(-1)!.sha256}` : undefined;
        const ended = await download(run.url, { to: folder.file('a'), checksum, ...quick }).catch(
          (error: Error) => error,
        );
        const isDone = !(ended instanceof Error);
        expect(existsSync(folder.file('a')), String(ended)).toBe(isDone);
        if (isDone) await expectRight(ended, run.versionOf(await folder.sha256('a')));
        else expect(expected === 'heals' && !beyondUs.has(scenario.name), ended.message).toBe(false);
        if (isDone && proof === 'no checksum') expect(expected).not.toBe('fails');

        async function expectRight(result: DownloadResult, version: number): Promise<void> {
          if (proof === 'checksum') expect(version).toBe(run.versions.length - 1);
          else if (version < 0 && !undecidable.has(scenario.name)) expect(result.integrity).toBe('unverifiable');
          // The ledger's hops are what the server saw, but for those that broke before they were read.
          expect(result.hops).toBeGreaterThanOrEqual(run.requestCount);
        }
      });
    }
  }
});
