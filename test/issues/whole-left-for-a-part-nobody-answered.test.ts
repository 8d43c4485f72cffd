/**
 * A server that ignores ranges thought for a second before it answered the second connection. Until then the first one,
 * which had the whole file under way, had come to where the second one's part began, and was left: everything was
 * fetched again. It is now kept until an answer shows that ranges are honoured.
 */
import { expect, test } from 'vitest';
import { download } from '../../src/download/index.ts';
import { type RequestRule, startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';

const MiB = 1_048_576;
const sizeBytes = 12 * MiB;

/** The first one passes 4 MiB, where the second part begins, long before the second one is answered. */
const slow: RequestRule = { on: 'every', do: { kind: 'trickle', chunkBytes: 131_072, everyMs: 10 } };
const late: RequestRule = { on: 2, do: { kind: 'delay', delayMs: 1_500 } };

test('an answer that brings everything is kept while nobody knows whether ranges are honoured', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({ name: 'late', resource: { sizeBytes, ranges: 'ignored' }, requests: [late, slow] });
  const { sha256 } = await download(run.url, { to: folder.file('a'), initialConnections: 2 });
  expect(sha256).toBe(run.sha256);
  expect((await run.untilAnswered(1)).answered).toMatchObject({ bodyBytesSent: sizeBytes, endedBy: 'complete' });
  expect(run.requestCount).toBe(2);
});

test('a part that is answered late is left to its connection where ranges are honoured', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({ name: 'late', resource: { sizeBytes }, requests: [late, slow] });
  const { sha256, connections } = await download(run.url, { to: folder.file('a'), initialConnections: 2 });
  expect([sha256, connections >= 2]).toEqual([run.sha256, true]);
  expect((await run.untilAnswered(1)).answered.bodyBytesSent).toBeLessThan(sizeBytes);
});
