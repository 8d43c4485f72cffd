/** Every scenario that the lab knows, over several connections: the right file, or an error and no file. Never a wrong one. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { download } from '../../src/download/index.ts';
import { catalogue, type Lab, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';

const sizeBytes = 24 * 1_048_576;
const quick = {
  retry: { maxAttempts: 20, baseDelayMs: 1, throttleDelayMs: 1, maxDelayMs: 1_000 },
  timeouts: { connectMs: 4_000, headersMs: 1_500, stallMs: 1_500, deadlineMs: 25_000 },
  initialConnections: 4,
  maxConnections: 4,
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

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.close());

describe.concurrent('a download over four connections', () => {
  for (const { scenario, expect: expected } of playable) {
    for (const proof of ['no checksum', 'checksum'] as const) {
      test(`of ${scenario.name} with ${proof}: ${expected}`, async () => {
        await using folder = await createFolder();
        const run = lab.play(scenarioNamed(scenario.name, { sizeBytes }));
        const checksum = proof === 'checksum' ? `sha256:${run.versions.at(-1)!.sha256}` : undefined;
        await run.ready;
        // Two seconds of refusals are more than twenty short waits.
        const isRefusedForATime = scenario.refuses !== undefined && expected === 'heals';
        const retry = { ...quick.retry, ...(isRefusedForATime ? { maxAttempts: 5_000 } : {}) };
        const ended = await download(run.url, { to: folder.file('a'), checksum, ...quick, retry }).catch(
          (error: Error) => error,
        );
        const isDone = !(ended instanceof Error);
        expect(existsSync(folder.file('a')), String(ended)).toBe(isDone);
        if (!isDone) {
          expect(expected === 'heals' && !beyondUs.has(scenario.name), ended.message).toBe(false);
          return;
        }
        const version = run.versionOf(await folder.sha256('a'));
        if (proof === 'checksum') expect(version).toBe(run.versions.length - 1);
        else expect(expected).not.toBe('fails');
        if (version < 0 && !undecidable.has(scenario.name)) expect(ended.integrity).toBe('unverifiable');
        expect(ended.hops).toBeGreaterThanOrEqual(run.requestCount);
      });
    }
  }
});
