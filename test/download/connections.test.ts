/** One file over several connections: when there are more of them, when fewer, and what they may never do. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { type ConnectionLimits, type DownloadEvent, type DownloadOptions, download } from '../../src/download/index.ts';
import { type Lab, type RequestRule, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder } from '../cli/command.ts';

const MiB = 1_048_576;
const sizeBytes = 24 * MiB;
const quick = { retry: { maxAttempts: 8, baseDelayMs: 1, maxDelayMs: 5, throttleDelayMs: 1 } };
/** About 4 MiB/s for each connection. */
const slow: RequestRule = { on: 'every', do: { kind: 'trickle', chunkBytes: 65_536, everyMs: 16 } };

interface Stage extends AsyncDisposable {
  readonly lab: Lab;
  readonly folder: Folder;
  readonly events: DownloadEvent[];
  get(run: Run, options?: Partial<DownloadOptions>): ReturnType<typeof download>;
}

async function open(): Promise<Stage> {
  const [lab, folder] = await Promise.all([startLab(), createFolder()]);
  const events: DownloadEvent[] = [];
  return {
    lab,
    folder,
    events,
    get: (run, options) =>
      download(run.url, { to: folder.file('a'), onEvent: (event) => events.push(event), ...quick, ...options }),
    [Symbol.asyncDispose]: async () => {
      await lab.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const scenario = (requests: readonly RequestRule[], more: Partial<Scenario> = {}): Scenario => ({
  name: 'parts',
  resource: { sizeBytes },
  requests,
  ...more,
});

/** Ranges of all answers, in their order: they must cover the file. */
function sentBytes(run: Run): number {
  return run.record.requests.reduce((sum, { answered }) => sum + answered.bodyBytesSent, 0);
}

test('where each connection is slow there are more of them, every one under the same validator', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([slow]));
  const { connections, sha256, integrity } = await stage.get(run);
  expect([sha256, integrity]).toEqual([run.sha256, 'length']);
  expect(connections).toBeGreaterThanOrEqual(4);
  for (const { ifRange, range } of run.record.requests.slice(1)) {
    expect(ifRange).toBe(run.versions[0]!.etag);
    expect(range).toMatch(/^bytes=\d+-\d+$/);
  }
});

test('a small file, one without a strong validator, and one whose server refuses ranges have one connection', async () => {
  for (const resource of [
    { sizeBytes: 7 * MiB },
    { sizeBytes, validator: 'weak' as const },
    { sizeBytes, ranges: 'refused' as const },
    { sizeBytes, framing: 'chunked' as const },
  ]) {
    await using stage = await open();
    const run = stage.lab.play({ name: 'single', resource });
    const { connections } = await stage.get(run, { initialConnections: 4 });
    expect([connections, run.requestCount]).toEqual([1, 1]);
  }
});

test('what a checksum proves may come in parts without a validator', async () => {
  await using stage = await open();
  const run = stage.lab.play({ name: 'bare', resource: { sizeBytes, validator: 'none' } });
  const options = { initialConnections: 4, checksum: `sha256:${run.sha256}` };
  const { connections, integrity } = await stage.get(run, options);
  expect([connections, integrity]).toEqual([4, 'digest']);
});

test('a server that limits connections with 429 is left in peace by the one too many', async () => {
  await using stage = await open();
  const tooMany: RequestRule = {
    on: 'every',
    where: { concurrentAbove: 2 },
    do: { kind: 'status', status: 429, retryAfter: '1' },
  };
  const run = stage.lab.play(scenario([tooMany, slow]));
  const { sha256 } = await stage.get(run, { initialConnections: 4 });
  expect(sha256).toBe(run.sha256);
  expect(run.record.requests.filter(({ answered }) => answered.status === 429).length).toBeLessThanOrEqual(4);
});

test('content that changes between parts is begun anew, once', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([slow], { changes: [{ fromRequest: 3 }] }));
  const { sha256 } = await stage.get(run, { initialConnections: 4 });
  expect(run.versionOf(sha256)).toBe(1);
  expect(stage.events.filter(({ type }) => type === 'restart').length).toBe(1);
});

test('a server that takes parts for the whole is left to the connection that has it, and nothing is fetched twice', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([slow], { resource: { sizeBytes, ranges: 'ignored' } }));
  const { sha256, connections, refetchedBytes } = await stage.get(run, { initialConnections: 2 });
  expect(sha256).toBe(run.sha256);
  expect(connections).toBeLessThanOrEqual(2);
  // The lab hears of an end a little later than the client.
  const { answered } = await run.untilAnswered(1);
  expect(answered).toMatchObject({ bodyBytesSent: sizeBytes, endedBy: 'complete' });
  expect(refetchedBytes).toBeLessThan(MiB);
});

test('a silent connection is left to another one long before its stall timeout', async () => {
  await using stage = await open();
  const silent: RequestRule = { on: 2, do: { kind: 'stall', at: 'body', atByte: 100_000 } };
  const run = stage.lab.play(
    scenario([silent, { on: 'every', do: { kind: 'trickle', chunkBytes: 65_536, everyMs: 32 } }]),
  );
  const { sha256 } = await stage.get(run, { initialConnections: 2, maxConnections: 2 });
  expect(sha256).toBe(run.sha256);
  const failures = stage.events.filter((event) => event.type === 'failure').map(({ failure }) => failure.kind);
  expect(failures).not.toContain('stall');
});

test('bytes that were durable in any place are not asked for again', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([slow]));
  const stop = new AbortController();
  const onProgress = ({ bytes }: { readonly bytes: number }) => {
    if (bytes > 8 * MiB) stop.abort(new Error('enough'));
  };
  const options = { initialConnections: 4, maxConnections: 4 };
  await expect(stage.get(run, { ...options, onProgress, signal: stop.signal })).rejects.toThrow('enough');
  await run.untilIdle();
  const before = run.requestCount;
  const { sha256, resumedBytes } = await stage.get(run, options);
  expect(sha256).toBe(run.sha256);
  expect(resumedBytes).toBeGreaterThanOrEqual(8 * MiB);
  const again = run.record.requests.slice(before).reduce((sum, { answered }) => sum + answered.bodyBytesSent, 0);
  expect(again).toBeLessThanOrEqual(sizeBytes - resumedBytes + MiB);
});

test('each connection asks the limits first, tells them what became of it, and gives its place back', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([{ on: 2, do: { kind: 'status', status: 503 } }, slow]));
  let held = 0;
  const seen = { most: 0, extra: 0, hosts: new Set<string>(), failed: 0, workedBytes: 0 };
  const limits: ConnectionLimits = {
    acquire: async (host, { isExtra }) => {
      held += 1;
      seen.most = Math.max(seen.most, held);
      seen.extra += isExtra ? 1 : 0;
      seen.hosts.add(host);
      return {
        report: (outcome) => {
          if (outcome.kind === 'failed') seen.failed += 1;
          else seen.workedBytes += outcome.bytes;
        },
        release: () => {
          held -= 1;
        },
      };
    },
  };
  await stage.get(run, { initialConnections: 3, maxConnections: 3, limits });
  expect(held).toBe(0);
  expect(seen.most).toBe(3);
  expect(seen.extra).toBeGreaterThanOrEqual(2);
  expect([...seen.hosts]).toEqual([new URL(run.url).host]);
  expect(seen.failed).toBeGreaterThanOrEqual(1);
  expect(seen.workedBytes).toBe(sizeBytes);
});

test('limits that let only one connection through hold nobody up, and that one brings everything in one answer', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([]));
  let isFree = true;
  const waiting: (() => void)[] = [];
  const limits: ConnectionLimits = {
    acquire: async (_host, { signal }) => {
      while (!isFree) {
        signal.throwIfAborted();
        await Promise.race([new Promise<void>((resolve) => waiting.push(resolve)), aborted(signal)]);
      }
      isFree = false;
      return {
        report: () => {},
        release: () => {
          isFree = true;
          for (const wake of waiting.splice(0)) wake();
        },
      };
    },
  };
  expect((await stage.get(run, { initialConnections: 4, limits })).sha256).toBe(run.sha256);
  expect(run.requestCount).toBe(1);
});

test('a rate holds over all connections', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([]));
  const { durationMs, sha256 } = await stage.get(run, { initialConnections: 4, limitRate: 16 * MiB });
  expect(sha256).toBe(run.sha256);
  expect(durationMs).toBeGreaterThan(1_300);
});

test('an abort ends every connection, and nothing is left open', async () => {
  await using stage = await open();
  const run = stage.lab.play(scenario([slow]));
  const stop = new AbortController();
  const onProgress = ({ connections = 1 }: { readonly connections?: number }) => {
    if (connections === 4) stop.abort(new Error('enough'));
  };
  await expect(stage.get(run, { initialConnections: 4, onProgress, signal: stop.signal })).rejects.toThrow('enough');
  await run.untilIdle();
  expect(sentBytes(run)).toBeLessThan(sizeBytes);
});

const abortedBySignal = new WeakMap<AbortSignal, Promise<unknown>>();

/** One listener for each signal, however often it is waited for. */
function aborted(signal: AbortSignal): Promise<unknown> {
  const known = abortedBySignal.get(signal) ?? once(signal, 'abort');
  abortedBySignal.set(signal, known);
  return known;
}
