/** Many files at once: each has its own fate, and a second run does what is left. */
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type BatchEntry, type BatchEvent, type BatchOptions, downloadAll } from '../../src/download/index.ts';
import { type Lab, type RequestRule, type ResourcePlan, type Run, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder } from '../cli/command.ts';

const KiB = 1_024;
const MiB = 1_048_576;
const quick = { retry: { maxAttempts: 4, baseDelayMs: 1, maxDelayMs: 5 } };

interface Stage extends AsyncDisposable {
  readonly lab: Lab;
  readonly folder: Folder;
  play(requests?: readonly RequestRule[], resource?: ResourcePlan): Run;
  all(entries: readonly BatchEntry[], options?: BatchOptions): ReturnType<typeof downloadAll>;
}

async function open(): Promise<Stage> {
  const [lab, folder] = await Promise.all([startLab(), createFolder()]);
  return {
    lab,
    folder,
    play: (requests = [], resource = {}) =>
      lab.play({ name: 'file', resource: { sizeBytes: 64 * KiB, ...resource }, requests }),
    all: (entries, options) => downloadAll(entries, { folder: folder.file('out'), ...quick, ...options }),
    [Symbol.asyncDispose]: async () => {
      await lab.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const gone: RequestRule = { on: 'every', do: { kind: 'status', status: 404 } };
const kindsOf = ({ outcomes }: Awaited<ReturnType<typeof downloadAll>>) => outcomes.map(({ kind }) => kind);

test('one that fails cancels nobody, and each outcome stands at the place of its entry', async () => {
  await using stage = await open();
  const runs = [stage.play(), stage.play([gone]), stage.play()];
  const result = await stage.all(runs.map(({ url }, i) => ({ url, to: `sub/${i}.bin` })));
  expect(kindsOf(result)).toEqual(['done', 'failed', 'done']);
  expect(result.outcomes[1]).toMatchObject({ error: { failure: { status: 404 } } });
  expect(await stage.folder.sha256('out/sub/0.bin')).toBe(runs[0]!.sha256);
  expect((await readdir(stage.folder.file('out/sub'))).sort()).toEqual(['0.bin', '2.bin']);
});

test('no more than `jobs` at the same time', async () => {
  await using stage = await open();
  const gate = { on: 'every', do: { kind: 'gate', name: 'go', at: 'body' } } as const;
  const runs = Array.from({ length: 5 }, () => stage.play([gate]));
  const entries = runs.map(({ url }, i) => ({ url, to: String(i) }));
  let running = 0;
  let most = 0;
  const onEvent = ({ type }: BatchEvent) => {
    if (type === 'start') running += 1;
    most = Math.max(most, running);
  };
  const all = stage.all(entries, { jobs: 2, onEvent, onOutcome: () => (running -= 1) });
  await Promise.all(runs.slice(0, 2).map((run) => run.untilGate('go')));
  expect(runs.map(({ requestCount }) => requestCount)).toEqual([1, 1, 0, 0, 0]);
  for (const run of runs) run.open('go');
  expect(kindsOf(await all)).toEqual(Array(5).fill('done'));
  expect(most).toBe(2);
});

test('a second run skips what is there with the right checksum, and fetches the rest', async () => {
  await using stage = await open();
  const runs = [stage.play(), stage.play([{ on: 1, do: { kind: 'status', status: 404 } }])];
  const entries = runs.map(({ url, sha256 }, i) => ({ url, to: `${i}`, checksum: `sha256:${sha256}` }));
  expect(kindsOf(await stage.all(entries))).toEqual(['done', 'failed']);
  const second = await stage.all(entries);
  expect(second.outcomes[0]).toMatchObject({ kind: 'skipped', because: 'checksum', bytes: 64 * KiB });
  expect(second.outcomes[1]!.kind).toBe('done');
  expect(runs[0]!.requestCount).toBe(1);
});

test('without a checksum a file that an earlier run proved is skipped, when the server still has the same', async () => {
  await using stage = await open();
  const run = stage.play();
  const [entries, options] = [[{ url: run.url, to: 'a' }], { stateFolder: stage.folder.file('state') }];
  await stage.all(entries, options);
  const second = await stage.all(entries, options);
  expect(second.outcomes[0]).toMatchObject({ kind: 'skipped', because: 'earlier-run' });
  expect(run.record.requests[1]!.headers['if-none-match']).toBe(run.versions[0]!.etag);
});

test('a new version at the server is not skipped, and replaces nothing unasked', async () => {
  await using stage = await open();
  const run = stage.lab.play({ name: 'new', resource: { sizeBytes: KiB }, changes: [{ fromRequest: 2 }] });
  const [entries, stateFolder] = [[{ url: run.url, to: 'a' }], stage.folder.file('state')];
  await stage.all(entries, { stateFolder });
  const second = await stage.all(entries, { stateFolder });
  expect(second.outcomes[0]).toMatchObject({ kind: 'failed', error: { code: 'ERR_REKNIT_LOCAL' } });
  expect(kindsOf(await stage.all(entries, { stateFolder, force: true }))).toEqual(['done']);
  expect(run.versionOf(await stage.folder.sha256('out/a'))).toBe(1);
});

test('a file that was touched since is not believed, and not replaced', async () => {
  await using stage = await open();
  const run = stage.play();
  const [entries, stateFolder] = [[{ url: run.url, to: 'a' }], stage.folder.file('state')];
  await stage.all(entries, { stateFolder });
  await utimes(stage.folder.file('out/a'), 1, 1);
  expect((await stage.all(entries, { stateFolder })).outcomes[0]).toMatchObject({
    kind: 'failed',
    error: { code: 'ERR_REKNIT_LOCAL' },
  });
});

test('a file with another checksum is not replaced', async () => {
  await using stage = await open();
  const run = stage.play();
  await stage.all([{ url: run.url, to: 'a' }]);
  await writeFile(stage.folder.file('out/a'), 'mine');
  const checksum = `sha256:${run.sha256}`;
  expect(kindsOf(await stage.all([{ url: run.url, to: 'a', checksum }]))).toEqual(['failed']);
  expect(await readFile(stage.folder.file('out/a'), 'utf8')).toBe('mine');
});

test('another length than the entry says is wrong, asked for twice, and gets no name', async () => {
  await using stage = await open();
  const run = stage.play();
  const { outcomes } = await stage.all([{ url: run.url, to: 'a', size: 7 }]);
  expect(outcomes[0]).toMatchObject({ kind: 'failed', error: { code: 'ERR_REKNIT_INTEGRITY' } });
  expect(run.record.requests.map(({ headers }) => headers['cache-control'])).toEqual([undefined, 'no-cache']);
  expect(await readdir(stage.folder.file('out'))).toEqual([]);
});

test('two entries of one output are an error before anything is asked', async () => {
  await using stage = await open();
  const run = stage.play();
  const both = [
    { url: run.url, to: 'a' },
    { url: run.url, to: './x/../a' },
  ];
  await expect(stage.all(both)).rejects.toThrow(/entries 1 and 2 as outputs must differ/);
  expect(run.requestCount).toBe(0);
});

test('small files do not wait for large ones of which nobody knew', async () => {
  await using stage = await open();
  const gate = { on: 'every', do: { kind: 'gate', name: 'go', at: 'body', atByte: MiB } } as const;
  const large = Array.from({ length: 4 }, () => stage.play([gate], { sizeBytes: 20 * MiB }));
  const small = Array.from({ length: 6 }, () => stage.play());
  const entries = [...large, ...small].map(({ url }, i) => ({ url, to: String(i) }));
  const ended: number[] = [];
  let onSmall: () => void;
  const allSmall = new Promise<void>((resolve) => {
    onSmall = resolve;
  });
  const onOutcome = ({ index }: { readonly index: number }) => {
    ended.push(index);
    if (ended.length === small.length) onSmall();
  };
  const postponed: string[] = [];
  const onEvent = (event: BatchEvent) => event.type === 'postponed' && postponed.push(event.url);
  const all = stage.all(entries, { jobs: 4, onOutcome, onEvent });
  await allSmall;
  expect(ended.every((index) => index >= large.length)).toBe(true);
  for (const run of large) run.open('go');
  expect(kindsOf(await all)).toEqual(Array(10).fill('done'));
  expect(postponed.length).toBeGreaterThan(0);
});

test('an abort rejects with its reason, and the next run continues', async () => {
  await using stage = await open();
  const stall = { on: 1, do: { kind: 'stall', at: 'body', atByte: 4 * MiB } } as const;
  const run = stage.play([stall], { sizeBytes: 8 * MiB });
  const controller = new AbortController();
  const all = stage.all([{ url: run.url, to: 'a' }], { signal: controller.signal, maxConnections: 1 });
  const part = stage.folder.file('out/a.reknit/data');
  while ((await stat(part).catch(() => undefined))?.size !== 4 * MiB) await new Promise((go) => setImmediate(go));
  controller.abort(new Error('enough'));
  await expect(all).rejects.toThrow('enough');
  const { outcomes } = await stage.all([{ url: run.url, to: 'a' }]);
  expect(outcomes[0]).toMatchObject({ kind: 'done', result: { resumedBytes: 4 * MiB } });
});

test('what a killed process left of a small file is no obstacle, and is gone afterwards', async () => {
  await using stage = await open();
  const run = stage.play();
  await mkdir(stage.folder.file('out'));
  const left = stage.folder.file('out/a.bin.reknit.whole');
  await writeFile(left, 'half of some');
  const entry = { url: run.url, to: 'a.bin', checksum: `sha256:${run.sha256}` };
  expect(kindsOf(await stage.all([entry]))).toEqual(['done']);
  expect(await stage.folder.sha256('out/a.bin')).toBe(run.sha256);
  expect(await readdir(stage.folder.file('out'))).toEqual(['a.bin']);
  await writeFile(left, 'half of some');
  expect(kindsOf(await stage.all([entry]))).toEqual(['skipped']);
  expect(await readdir(stage.folder.file('out'))).toEqual(['a.bin']);
});

test('a file that appears while it is downloaded is not replaced, and what came is kept beside it', async () => {
  await using stage = await open();
  const gate = { on: 'every', do: { kind: 'gate', name: 'go', at: 'body' } } as const;
  const run = stage.play([gate]);
  await mkdir(stage.folder.file('out'));
  const result = stage.all([{ url: run.url, to: 'a.bin' }]);
  await run.untilGate('go');
  await writeFile(stage.folder.file('out/a.bin'), 'of somebody else');
  run.open('go');
  expect(kindsOf(await result)).toEqual(['failed']);
  expect(await readFile(stage.folder.file('out/a.bin'), 'utf8')).toBe('of somebody else');
  expect((await readdir(stage.folder.file('out'))).sort()).toEqual(['a.bin', 'a.bin.reknit']);
});

test('two batches that fetch the same small files at once end with the right ones', async () => {
  await using stage = await open();
  const runs = Array.from({ length: 20 }, () => stage.play());
  const entries = runs.map(({ url }, i) => ({ url, to: `${i}.bin` }));
  const results = await Promise.all([stage.all(entries), stage.all(entries)]);
  for (const [i, run] of runs.entries()) {
    expect(results.some((result) => kindsOf(result)[i] === 'done')).toBe(true);
    expect(await stage.folder.sha256(`out/${i}.bin`)).toBe(run.sha256);
  }
  const names = await readdir(stage.folder.file('out'));
  expect(names.filter((name) => name.endsWith('.whole'))).toEqual([]);
});
