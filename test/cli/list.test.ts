/** `reknit get -i LIST`: many files in one command, and many commands at one host. */
import { readdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Lab, type RequestRule, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder, jsonLines, reknit, start } from './command.ts';

const KiB = 1_024;

interface Stage extends AsyncDisposable {
  readonly lab: Lab;
  readonly folder: Folder;
  play(requests?: readonly RequestRule[], own?: Partial<Scenario>): Run;
  list(lines: readonly (string | object)[]): Promise<string>;
  get(args: readonly string[]): ReturnType<typeof reknit>;
}

async function open(): Promise<Stage> {
  const [lab, folder] = await Promise.all([startLab(), createFolder()]);
  const env = { REKNIT_STATE_DIR: folder.file('state') };
  return {
    lab,
    folder,
    play: (requests = [], own = {}) =>
      lab.play({ name: 'listed', resource: { sizeBytes: 32 * KiB }, requests, ...own }),
    list: async (lines) => {
      const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
      await writeFile(folder.file('list'), text);
      return folder.file('list');
    },
    get: (args) => reknit(['get', ...args, '--retry-delay', '1ms'], { cwd: folder.path, env }),
    [Symbol.asyncDispose]: async () => {
      await lab.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const gone: RequestRule = { on: 'every', do: { kind: 'status', status: 404 } };

test('lines of URLs and of JSON objects are fetched side by side, comments and empty lines left out', async () => {
  await using stage = await open();
  const run = stage.play();
  const entry = { url: run.url, output: 'deep/b.bin', checksum: `sha256:${run.sha256}`, size: 32 * KiB };
  const list = await stage.list(['# mine', '', run.urlWith({ file: 'a.bin' }), entry]);
  const { code, stderr } = await stage.get(['-i', list, '-o', 'out']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('2 of 2 downloads done')]);
  expect(await stage.folder.sha256('out/a.bin')).toBe(run.sha256);
  expect(await stage.folder.sha256('out/deep/b.bin')).toBe(run.sha256);
});

test('a list comes from stdin, with headers and mirrors of each entry', async () => {
  await using stage = await open();
  const [bad, good] = [stage.play([gone]), stage.play()];
  const entry = { url: bad.url, output: 'a', headers: { 'X-One': '1' }, mirrors: [good.url] };
  const { child, ended } = start(['get', '-i', '-'], { cwd: stage.folder.path, stdin: JSON.stringify(entry) });
  expect(child.pid).toBeGreaterThan(0);
  expect((await ended).code).toBe(0);
  expect(await stage.folder.sha256('a')).toBe(good.sha256);
  expect(bad.record.requests[0]!.headers['x-one']).toBe('1');
});

const mistakes: readonly (readonly [line: string | object, text: string])[] = [
  ['ftp://host/x', 'url must be an absolute http or https URL: received "ftp://host/x"'],
  [{ output: 'x' }, 'url must be there: received "output"'],
  [{ url: 'http://127.0.0.1:9/x', output: '' }, 'output must be a path: received ""'],
  [{ url: 'http://127.0.0.1:9/x', output: 7 }, 'output must be text: received 7'],
  [{ url: 'http://127.0.0.1:9/x', size: -1 }, 'size must be a whole number of bytes: received -1'],
  [{ url: 'http://127.0.0.1:9/x', sha256: 'x' }, 'sha256 must be left out, or be one of url, output, checksum'],
  [{ url: 'http://127.0.0.1:9/x', checksum: 'sha256:12' }, 'checksum must be sha256:HEX, sha512:HEX'],
  [{ url: 'http://127.0.0.1:9/x', mirrors: ['x'] }, 'mirrors must be an absolute http or https URL: received "x"'],
  ['{"url": ', 'the line must be a JSON object on one line: received "{\\"url\\":"'],
];

for (const [line, text] of mistakes) {
  test(`${JSON.stringify(line)} is told with its line, exit 2, and nothing starts`, async () => {
    await using stage = await open();
    const run = stage.play();
    const list = await stage.list([run.url, '', line]);
    const { code, stderr, stdout } = await stage.get(['-i', list, '-o', 'out']);
    expect([code, stdout.length]).toEqual([2, 0]);
    expect(stderr).toContain(`${list}:3: ${text}`);
    expect(run.requestCount).toBe(0);
    expect(await readdir(stage.folder.path)).toEqual(['list']);
  });
}

test('two entries of one output are told with both lines', async () => {
  await using stage = await open();
  const run = stage.play();
  const list = await stage.list([run.url, { url: run.url, output: './file.bin' }]);
  const { code, stderr } = await stage.get(['-i', list]);
  expect(code).toBe(2);
  expect(stderr).toContain(`${list}:2: output must differ from that of ${list}:1: received "file.bin" for both`);
  expect(run.requestCount).toBe(0);
});

test('with -o an output that leaves the folder is refused', async () => {
  await using stage = await open();
  const list = await stage.list([{ url: stage.play().url, output: '../x' }]);
  const { code, stderr } = await stage.get(['-i', list, '-o', 'out']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('output must be inside of out (-o): received "../x"')]);
});

test('the exit code is that of the worst, and the table says what to do about each', async () => {
  await using stage = await open();
  const [good, refused, over] = [
    stage.play(),
    stage.play([gone]),
    stage.play([{ on: 'every', do: { kind: 'status', status: 503 } }]),
  ];
  const urls = [good, refused, over].map((run, i) => ({ url: run.url, output: `${i}` }));
  const { code, stderr } = await stage.get(['-i', await stage.list(urls), '--max-attempts', '2']);
  expect(code).toBe(4);
  expect(stderr).toMatch(/ {2}done {5}0 {2}32\.0 KiB, proven by its length, 1 attempt\n/);
  expect(stderr).toMatch(/ {2}failed {3}1 {2}HTTP 404 Not Found → the server refuses it/);
  expect(stderr).toMatch(/ {2}failed {3}2 {2}HTTP 503 Service Unavailable → run the same command again\n/);
  expect(stderr).toContain('1 of 3 downloads done, 2 failed; 32.0 KiB in');
});

test('--json says in every line which file it is about, and ends with a summary', async () => {
  await using stage = await open();
  const [good, bad] = [stage.play(), stage.play([gone])];
  const list = await stage.list([
    { url: good.url, output: 'a' },
    { url: bad.url, output: 'b' },
  ]);
  const { stdout } = await stage.get(['-i', list, '--json', '--quiet']);
  const lines = jsonLines(stdout);
  const [a, b] = [stage.folder.file('a'), stage.folder.file('b')];
  expect(lines.slice(0, -1).every(({ path }) => path === a || path === b)).toBe(true);
  expect(lines.find(({ event, path }) => event === 'done' && path === a)).toMatchObject({ integrity: 'length' });
  expect(lines.find(({ event, path }) => event === 'error' && path === b)).toMatchObject({ exit: 4 });
  expect(lines.at(-1)).toMatchObject({ event: 'summary', jobs: 2, done: 1, skipped: 0, failed: 1, exit: 4 });
});

test('a second run skips what the first one proved, without a checksum, too', async () => {
  await using stage = await open();
  const [good, later] = [stage.play(), stage.play([{ on: { to: 2 }, do: { kind: 'status', status: 503 } }])];
  const list = await stage.list([
    { url: good.url, output: 'a' },
    { url: later.url, output: 'b' },
  ]);
  // One after the other: a refusal while another request of ours is with the same server would cost no attempt.
  const args = ['-i', list, '--json', '--quiet', '--max-attempts', '2', '--jobs', '1'];
  expect((await stage.get(args)).code).toBe(3);
  const second = await stage.get(args);
  expect(second.code).toBe(0);
  expect(jsonLines(second.stdout).at(-1)).toMatchObject({ done: 1, skipped: 1, failed: 0 });
  expect(good.record.requests.map(({ answered }) => answered.bodyBytesSent)[0]).toBe(32 * KiB);
});

test('five hundred files through a server that cuts three connections of ten are complete at the first run', async () => {
  await using stage = await open();
  const cutAt = Array.from({ length: 5_000 }, (_, i) => i + 1).filter((n) => (n * 7) % 10 < 3);
  const run = stage.play([
    { on: cutAt, do: { kind: 'cut', by: 'rst', at: 'body', atRandomByte: { min: 0, max: 32 * KiB } } },
  ]);
  const urls = Array.from({ length: 500 }, (_, i) => run.urlWith({ file: `${i}.bin` }));
  const { code, stderr } = await stage.get(['-i', await stage.list(urls), '-o', 'out']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('500 of 500 downloads done')]);
  const names = await readdir(stage.folder.file('out'));
  expect(names.length).toBe(500);
  const sums = new Set(await Promise.all(names.map((name) => stage.folder.sha256(`out/${name}`))));
  expect([...sums]).toEqual([run.sha256]);
  expect(run.record.requests.filter(({ answered }) => answered.endedBy === 'rst').length).toBeGreaterThan(150);
}, 120_000);

test('a state folder that cannot be written is said once, and nothing else changes', async () => {
  await using stage = await open();
  const run = stage.play();
  await writeFile(stage.folder.file('no-folder'), '');
  const urls = ['a', 'b', 'c'].map((file) => run.urlWith({ file }));
  const { code, stderr } = await reknit(['get', '-i', await stage.list(urls)], {
    cwd: stage.folder.path,
    env: { REKNIT_STATE_DIR: stage.folder.file('no-folder') },
  });
  expect(code).toBe(0);
  expect(stderr.match(/limited for this process alone/g)).toHaveLength(1);
});

/** What the host allows; one more is what may be tried (`host-share.ts`). */
const ALLOWED = 8;

interface Crowd {
  readonly codes: readonly (number | null)[];
  readonly mostAtOnce: number;
  readonly refused: number;
}

/** Processes at once, each with its own file, at a host that allows so many connections, and resets those above. */
async function crowd(stage: Stage, count: number, killed: number): Promise<Crowd> {
  const rules: Partial<Scenario> = {
    resource: { sizeBytes: 256 * KiB },
    connections: [{ on: 'every', concurrentAbove: ALLOWED, do: { kind: 'cut', by: 'rst' } }],
  };
  const slow: RequestRule = { on: 'every', do: { kind: 'trickle', chunkBytes: 32 * KiB, everyMs: 20 } };
  const gate: RequestRule = { on: { to: ALLOWED }, do: { kind: 'gate', name: 'go', at: 'body', atByte: 64 * KiB } };
  const run = stage.play(killed > 0 ? [gate, slow] : [slow], rules);
  const env = { REKNIT_STATE_DIR: stage.folder.file('state') };
  const started = Array.from({ length: count }, (_, i) =>
    start(['get', run.url, '-o', `${i}.bin`, '--quiet'], { cwd: stage.folder.path, env }),
  );
  if (killed > 0) {
    await run.untilRequest(ALLOWED);
    for (const { child } of started.slice(0, killed)) child.kill('SIGKILL');
    run.open('go');
  }
  const ended = await Promise.all(started.map(({ ended: end }) => end));
  const { connections } = run.record;
  for (const [i, { code }] of ended.entries()) {
    if (code === 0) expect(await stage.folder.sha256(`${i}.bin`)).toBe(run.sha256);
  }
  return {
    codes: ended.map(({ code }) => code),
    mostAtOnce: mostAtOnce(connections),
    refused: connections.filter(({ faults }) => faults.length > 0).length,
  };
}

function mostAtOnce(connections: Run['record']['connections']): number {
  const steps = connections.flatMap(({ openedAtMs, closedAtMs = Number.POSITIVE_INFINITY }) => [
    { atMs: openedAtMs, by: 1 },
    { atMs: closedAtMs, by: -1 },
  ]);
  let open = 0;
  let most = 0;
  for (const { by } of steps.sort((a, b) => a.atMs - b.atMs || a.by - b.by)) {
    open += by;
    most = Math.max(most, open);
  }
  return most;
}

const crowdSize = Number(process.env.REKNIT_CROWD ?? 16);

test(`${crowdSize} processes at once at a host that allows ${ALLOWED} connections all complete, and it sees one more at most`, async () => {
  await using stage = await open();
  const { codes, mostAtOnce: most } = await crowd(stage, crowdSize, 0);
  expect(codes).toEqual(Array(crowdSize).fill(0));
  expect(most).toBeLessThanOrEqual(ALLOWED + 1);
}, 120_000);

test('a quarter of them killed in the middle loses no place: all others complete', async () => {
  await using stage = await open();
  const killed = crowdSize >> 2;
  const { codes, mostAtOnce: most } = await crowd(stage, crowdSize, killed);
  expect(codes).toEqual([...Array(killed).fill(null), ...Array(crowdSize - killed).fill(0)]);
  expect(most).toBeLessThanOrEqual(ALLOWED + 1);
}, 120_000);
