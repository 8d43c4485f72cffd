/** Several addresses of one file: the next one is asked when one fails, and bytes of two are joined only under proof. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type DownloadEvent, type DownloadOptions, download, downloadToBuffer } from '../../src/download/index.ts';
import { type Lab, type RequestRule, type ResourcePlan, type Run, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder } from '../cli/command.ts';

const MiB = 1_048_576;
const sizeBytes = 4 * MiB;
const quick = { retry: { maxAttempts: 6, baseDelayMs: 1, maxDelayMs: 5 } };

interface Stage extends AsyncDisposable {
  readonly lab: Lab;
  readonly folder: Folder;
  readonly events: DownloadEvent[];
  play(requests: readonly RequestRule[], resource?: ResourcePlan): Run;
  get(run: Run, options: Partial<DownloadOptions>): ReturnType<typeof download>;
}

async function open(): Promise<Stage> {
  const [lab, folder] = await Promise.all([startLab(), createFolder()]);
  const events: DownloadEvent[] = [];
  return {
    lab,
    folder,
    events,
    // Each on a port of its own: another host, as far as a client can tell.
    play: (requests, resource) =>
      lab.play({ name: 'mirror', seed: 7, resource: { sizeBytes, ...resource }, requests }, { port: 'own' }),
    get: (run, options) =>
      download(run.url, { to: folder.file('a'), onEvent: (event) => events.push(event), ...quick, ...options }),
    [Symbol.asyncDispose]: async () => {
      await lab.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const gone: RequestRule = { on: 'every', do: { kind: 'status', status: 404 } };
const dead: RequestRule = { on: 'every', do: { kind: 'cut', by: 'rst', at: 'request' } };
const cutOnce: RequestRule = { on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 3 * MiB } };
const deadAfterwards: RequestRule = { on: { from: 2 }, do: { kind: 'cut', by: 'rst', at: 'request' } };

test('404 at one address is not 404 of the file', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([gone]), stage.play([])];
  const { sha256 } = await stage.get(first, { mirrors: [second.url] });
  expect(sha256).toBe(second.sha256);
  expect([first.requestCount, second.requestCount]).toEqual([1, 1]);
  expect(stage.events.find(({ type }) => type === 'mirror')).toMatchObject({ because: 'HTTP 404 Not Found' });
});

test('404 at every address is 404 of the file', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([gone]), stage.play([gone])];
  await expect(stage.get(first, { mirrors: [second.url] })).rejects.toMatchObject({ failure: { status: 404 } });
  expect([first.requestCount, second.requestCount]).toEqual([1, 1]);
});

test('an address that answers nothing is left after its first failure', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([dead]), stage.play([])];
  expect((await stage.get(first, { mirrors: [second.url] })).sha256).toBe(second.sha256);
  expect(first.requestCount).toBe(1);
});

test('with a checksum the rest comes from another address', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([cutOnce, deadAfterwards]), stage.play([])];
  const checksum = `sha256:${first.sha256}`;
  const { integrity } = await stage.get(first, { mirrors: [second.url], checksum });
  expect(integrity).toBe('digest');
  expect(second.record.requests.map(({ range, ifRange }) => [range, ifRange])).toEqual([
    [`bytes=${3 * MiB}-`, undefined],
  ]);
});

test('without one an equal ETag is no proof: the other address is read from its beginning', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([cutOnce, deadAfterwards]), stage.play([])];
  expect(first.versions[0]!.etag).toBe(second.versions[0]!.etag);
  expect((await stage.get(first, { mirrors: [second.url] })).sha256).toBe(second.sha256);
  expect(second.record.requests.map(({ range }) => range)).toEqual([undefined]);
  expect(stage.events.find(({ type }) => type === 'restart')).toMatchObject({ lostBytes: 3 * MiB });
});

test('two servers that promise the same digest may both bring a part', async () => {
  await using stage = await open();
  const resource = { digest: 'repr-digest' as const };
  const [first, second] = [stage.play([cutOnce, deadAfterwards], resource), stage.play([], resource)];
  expect((await stage.get(first, { mirrors: [second.url] })).integrity).toBe('digest');
  expect(second.record.requests.map(({ range }) => range)).toEqual([`bytes=${3 * MiB}-`]);
});

test('wrong bytes of one address are fetched from another', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([{ on: 'every', do: { kind: 'corrupt', atByte: 9 } }]), stage.play([])];
  const { sha256 } = await stage.get(first, { mirrors: [second.url], checksum: `sha256:${first.sha256}` });
  expect(sha256).toBe(first.sha256);
  expect([first.requestCount, second.requestCount]).toEqual([1, 1]);
});

test('a login stays with the address that it was given for', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([gone]), stage.play([])];
  const headers = { authorization: 'Basic x', 'x-api-key': 'k', 'x-plain': 'p' };
  await stage.get(first, { mirrors: [second.url], headers });
  expect(first.record.requests[0]!.headers).toMatchObject(headers);
  const { authorization, 'x-api-key': key, 'x-plain': plain } = second.record.requests[0]!.headers;
  expect([authorization, key, plain]).toEqual([undefined, undefined, 'p']);
});

test('an address that failed is not the first to be asked in the next run', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([gone]), stage.play([])];
  const options = { mirrors: [second.url], stateFolder: stage.folder.file('state') };
  await stage.get(first, options);
  await stage.get(first, { ...options, to: stage.folder.file('b') });
  expect([first.requestCount, second.requestCount]).toEqual([1, 2]);
  const hosts = JSON.parse(await readFile(stage.folder.file('state/hosts.json'), 'utf8')) as object;
  expect(Object.keys(hosts).sort()).toEqual([new URL(first.url).host, new URL(second.url).host].sort());
});

test('all addresses are tried again after a wait, and give up together', async () => {
  await using stage = await open();
  const [first, second] = [stage.play([dead]), stage.play([dead])];
  await expect(stage.get(first, { mirrors: [second.url] })).rejects.toMatchObject({ code: 'ERR_REKNIT_GAVE_UP' });
  expect(first.requestCount).toBeGreaterThan(1);
  expect(second.requestCount).toBeGreaterThan(1);
  expect(first.requestCount + second.requestCount).toBeLessThanOrEqual(12);
});

test('a buffer is whole and proven, and begins anew where a file would', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    name: 'changes',
    resource: { sizeBytes },
    changes: [{ fromRequest: 2 }],
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: MiB } }],
  });
  const { body, sha256, integrity } = await downloadToBuffer(run.url, quick);
  expect(body.equals(run.versions[1]!.bytes())).toBe(true);
  expect([sha256, integrity]).toEqual([run.versions[1]!.sha256, 'length']);
});
