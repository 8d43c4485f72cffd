/**
 * Replicas behind one name that each have an ETag (or a version) of their own: every part came from another one, each
 * looked like a change, and the download began anew until it gave up. After the second change it has one connection, and
 * so one answer of one of them.
 */
import { expect, test } from 'vitest';
import { type DownloadEvent, download } from '../../src/download/index.ts';
import { type RequestRule, startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';

const sizeBytes = 24 * 1_048_576;
const slow: RequestRule = { on: 'every', do: { kind: 'trickle', chunkBytes: 262_144, everyMs: 10 } };

test('a file that is another one at every request is downloaded from one of them', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const changes = Array.from({ length: 40 }, (_, i) => ({ fromRequest: i + 2 }));
  const run = lab.play({ name: 'replicas', resource: { sizeBytes }, changes, requests: [slow] });
  const events: DownloadEvent[] = [];
  const { sha256 } = await download(run.url, {
    to: folder.file('a'),
    initialConnections: 4,
    retry: { baseDelayMs: 1, maxDelayMs: 5 },
    onEvent: (event) => events.push(event),
  });
  expect(run.versionOf(sha256)).toBeGreaterThanOrEqual(0);
  expect(events.filter(({ type }) => type === 'restart').length).toBe(2);
});
