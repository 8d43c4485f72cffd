/** `reknit get` with the real bin, against the lab. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Lab, type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, type Folder, jsonLines, reknit } from './command.ts';

const MiB = 1_048_576;

interface Stage extends AsyncDisposable {
  readonly lab: Lab;
  readonly folder: Folder;
}

async function open(): Promise<Stage> {
  const [lab, folder] = await Promise.all([startLab(), createFolder()]);
  return {
    lab,
    folder,
    [Symbol.asyncDispose]: async () => {
      await lab.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const plain: Scenario = { name: 'plain', resource: { sizeBytes: MiB } };

test('a healthy download is one request, and says how its end was proven', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  const { code, stdout, stderr } = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: stage.folder.path });
  expect(code).toBe(0);
  expect(stdout.length).toBe(0);
  expect(stderr).toMatch(/^reknit: saved .*a\.bin: 1,048,576 bytes in .*, 1 attempt, 0 B fetched twice\n/);
  expect(stderr).toContain(`proven by its length; sha256 ${run.sha256}\n`);
  expect(await stage.folder.sha256('a.bin')).toBe(run.sha256);
  expect(await readdir(stage.folder.path)).toEqual(['a.bin']);
  expect(run.requestCount).toBe(1);
  expect(run.record.requests[0]!.headers['accept-encoding']).toBe('identity');
});

test('the engine has no complaint about what it is told: --quiet is silent', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  const { code, stderr } = await reknit(['get', run.url, '-o', 'a.bin', '--quiet'], { cwd: stage.folder.path });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('without -o the name is the last segment of the path, in the current folder', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  expect((await reknit(['get', run.url], { cwd: stage.folder.path })).code).toBe(0);
  expect(await stage.folder.sha256('file.bin')).toBe(run.sha256);
});

test('a name with an encoded path stays in the folder', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  const url = run.urlWith({ file: '..%2f..%2fetc%2fpasswd' });
  const { code } = await reknit(['get', url], { cwd: stage.folder.path });
  expect(code).toBe(0);
  expect(await readdir(stage.folder.path)).toEqual(['.._.._etc_passwd']);
});

test('a URL without a name is saved as `download`, and that is said', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  const { code, stderr } = await reknit(['get', run.urlWith({ file: '' })], { cwd: stage.folder.path });
  expect(code).toBe(0);
  expect(stderr).toContain('the URL ends without a usable file name: saving as download');
  expect(await readdir(stage.folder.path)).toEqual(['download']);
});

for (const by of ['rst', 'fin'] as const) {
  test(`a body cut by ${by} every 2 MiB arrives with no byte sent twice`, async () => {
    await using stage = await open();
    const run = stage.lab.play({
      name: 'cuts',
      resource: { sizeBytes: 16 * MiB },
      requests: [{ on: 'every', do: { kind: 'cut', by, at: 'body', everyBytes: 2 * MiB } }],
    });
    const args = ['get', run.url, '--json', '--quiet', '--max-connections', '1'];
    const { code, stdout } = await reknit(args, { cwd: stage.folder.path });
    expect(code).toBe(0);
    expect(await stage.folder.sha256('file.bin')).toBe(run.sha256);
    expect(run.requestCount).toBe(8);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ event: 'done', attempts: 8, hops: 8, refetchedBytes: 0 });
  });
}

test('content that changes during the download is begun anew, and the new version arrives', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    name: 'changes',
    resource: { sizeBytes: 8 * MiB },
    changes: [{ fromRequest: 3 }],
    requests: [{ on: { to: 3 }, do: { kind: 'cut', by: 'rst', at: 'body', everyBytes: 2 * MiB } }],
  });
  const { code, stdout } = await reknit(['get', run.url, '--json', '--quiet', '--retry-delay', '1ms'], {
    cwd: stage.folder.path,
  });
  expect(code).toBe(0);
  expect(run.versionOf(await stage.folder.sha256('file.bin'))).toBe(1);
  const lines = jsonLines(stdout);
  expect(lines.find(({ event }) => event === 'restart')).toMatchObject({ lostBytes: 4 * MiB });
  expect(lines.at(-1)).toMatchObject({ event: 'done', attempts: run.requestCount });
});

test('content that changes with every answer ends as exit 5, and leaves no file', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    name: 'changes-for-ever',
    resource: { sizeBytes: 4 * MiB },
    changes: Array.from({ length: 60 }, (_, i) => ({ fromRequest: i + 2 })),
    requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atByte: MiB } }],
  });
  const args = ['get', run.url, '-o', 'a.bin', '--retry-delay', '1ms', '--max-attempts', '4'];
  const { code } = await reknit(args, { cwd: stage.folder.path });
  expect(code).toBe(5);
  expect(existsSync(stage.folder.file('a.bin'))).toBe(false);
  expect(run.requestCount).toBeLessThan(20);
});

test('404 is refused at once: exit 4, one request, nothing left behind', async () => {
  await using stage = await open();
  const run = stage.lab.play({ ...plain, requests: [{ on: 'every', do: { kind: 'status', status: 404 } }] });
  const { code, stderr } = await reknit(['get', run.url], { cwd: stage.folder.path });
  expect(code).toBe(4);
  expect(stderr).toMatch(/^reknit: Request failed after 1 attempt in .*: HTTP 404 Not Found · GET http.*\n$/);
  expect(run.requestCount).toBe(1);
  expect(await readdir(stage.folder.path)).toEqual([]);
});

test('503 for ever ends after ten attempts: exit 3, and the reason in one line', async () => {
  await using stage = await open();
  const run = stage.lab.play({ ...plain, requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] });
  const { code, stderr } = await reknit(['get', run.url, '--retry-delay', '1ms'], { cwd: stage.folder.path });
  expect(code).toBe(3);
  expect(run.requestCount).toBe(10);
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
    /^reknit: Request failed after 10 attempts in .*: HTTP 503 Service Unavailable · GET http/,
  );
  expect(await readdir(stage.folder.path)).toEqual([]);
});

test('a 503 with Retry-After is waited for', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'status', status: 503, retryAfter: '0.05' } }],
  });
  const { code, stdout } = await reknit(['get', run.url, '--json', '--quiet', '--throttle-delay', '1ms'], {
    cwd: stage.folder.path,
  });
  expect(code).toBe(0);
  expect(jsonLines(stdout).find(({ event }) => event === 'wait')).toMatchObject({ because: 'pushback', next: 'retry' });
});

test('nothing listens: exit 3 with the errno', async () => {
  await using stage = await open();
  const port = await stage.lab.reservePort();
  const args = ['get', `http://127.0.0.1:${port}/a`, '--retry-delay', '1ms', '--max-attempts', '3'];
  const { code, stderr } = await reknit(args, { cwd: stage.folder.path });
  expect(code).toBe(3);
  expect(stderr).toContain('after 3 attempts');
  expect(stderr).toContain('ECONNREFUSED');
});

test('the right checksum proves the file, in every form', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  const sri = `sha256-${Buffer.from(run.sha256, 'hex').toString('base64')}`;
  for (const [i, checksum] of [`sha256:${run.sha256}`, sri].entries()) {
    const { code, stderr } = await reknit(['get', run.url, '-o', `${i}`, '--checksum', checksum], {
      cwd: stage.folder.path,
    });
    expect(code).toBe(0);
    expect(stderr).toContain('proven by its digest');
  }
});

test('a wrong checksum is one clean refetch past caches, then exit 5 with both digests and no file', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  const wrong = '0'.repeat(64);
  const args = ['get', run.url, '-o', 'a.bin', '--checksum', `sha256:${wrong}`, '--retry-delay', '1ms'];
  const { code, stderr } = await reknit(args, { cwd: stage.folder.path });
  expect(code).toBe(5);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(
    `reknit: The content is wrong: expected sha256 ${wrong}, got ${run.sha256} in 1,048,576 bytes; the same content came twice · ${run.url}`,
  );
  expect(run.requestCount).toBe(2);
  expect(run.record.requests[0]!.headers['cache-control']).toBeUndefined();
  expect(run.record.requests[1]!.headers['cache-control']).toBe('no-cache');
  expect(await readdir(stage.folder.path)).toEqual([]);
});

test('one damaged answer is noticed by the checksum and fetched again', async () => {
  await using stage = await open();
  const run = stage.lab.play({ ...plain, requests: [{ on: 1, do: { kind: 'corrupt', atByte: 1000 } }] });
  const args = ['get', run.url, '-o', 'a.bin', '--checksum', `sha256:${run.sha256}`, '--retry-delay', '1ms'];
  expect((await reknit(args, { cwd: stage.folder.path })).code).toBe(0);
  expect(await stage.folder.sha256('a.bin')).toBe(run.sha256);
});

for (const digest of ['repr-digest', 'content-digest', 'digest'] as const) {
  test(`the server's ${digest} proves the file, and shows a damaged one`, async () => {
    await using stage = await open();
    const run = stage.lab.play({
      name: 'digests',
      resource: { sizeBytes: MiB, digest },
      requests: [{ on: 1, do: { kind: 'corrupt', atByte: 1000 } }],
    });
    const { code, stdout } = await reknit(['get', run.url, '--json', '--quiet', '--retry-delay', '1ms'], {
      cwd: stage.folder.path,
    });
    expect(code).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ integrity: 'digest', sha256: run.sha256, attempts: 2 });
  });
}

test('a body without a length that was cut is fetched again until the checksum fits', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    name: 'close-fin',
    resource: { sizeBytes: MiB, framing: 'close' },
    requests: [{ on: { to: 3 }, do: { kind: 'cut', by: 'fin', at: 'body', atRandomByte: { min: 1, max: MiB - 1 } } }],
  });
  const args = ['get', run.url, '-o', 'a.bin', '--checksum', `sha256:${run.sha256}`, '--retry-delay', '1ms'];
  const { code } = await reknit(args, { cwd: stage.folder.path });
  expect(code).toBe(0);
  expect(await stage.folder.sha256('a.bin')).toBe(run.sha256);
  expect(run.requestCount).toBe(4);
});

test('an end that nothing proves is said so', async () => {
  await using stage = await open();
  const run = stage.lab.play({ name: 'unproven', resource: { sizeBytes: MiB, framing: 'close', ranges: 'ignored' } });
  const { code, stderr } = await reknit(['get', run.url], { cwd: stage.folder.path });
  expect(code).toBe(0);
  expect(stderr).toContain('NOT PROVEN');
});

test('an empty 200 is not believed the first time', async () => {
  await using stage = await open();
  const run = stage.lab.play({ ...plain, requests: [{ on: 1, do: { kind: 'empty-200' } }] });
  const { code, stderr } = await reknit(['get', run.url, '--retry-delay', '1ms'], { cwd: stage.folder.path });
  expect(code).toBe(0);
  expect(await stage.folder.sha256('file.bin')).toBe(run.sha256);
  expect(stderr).toContain('an empty body where a file was expected');
});

test('an empty file that is empty twice is saved, with a note', async () => {
  await using stage = await open();
  const run = stage.lab.play({ name: 'empty', resource: { sizeBytes: 0 } });
  const { code, stderr } = await reknit(['get', run.url, '--retry-delay', '1ms'], { cwd: stage.folder.path });
  expect(code).toBe(0);
  expect(run.requestCount).toBe(2);
  expect(stderr).toContain('the file is empty: the server said so twice');
  expect((await readFile(stage.folder.file('file.bin'))).length).toBe(0);
});

test('a target that exists is exit 6 before anything is sent; --force replaces it', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  await writeFile(stage.folder.file('a.bin'), 'old');
  const refused = await reknit(['get', run.url, '-o', 'a.bin'], { cwd: stage.folder.path });
  expect(refused.code).toBe(6);
  expect(refused.stderr).toMatch(/^reknit: Cannot write .*a\.bin: it exists; use --force .*\n$/);
  expect(run.requestCount).toBe(0);
  expect(await readFile(stage.folder.file('a.bin'), 'utf8')).toBe('old');
  expect((await reknit(['get', run.url, '-o', 'a.bin', '--force'], { cwd: stage.folder.path })).code).toBe(0);
  expect(await stage.folder.sha256('a.bin')).toBe(run.sha256);
});

test('a device is never replaced, not even with --force', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  await symlink('/dev/null', stage.folder.file('void'));
  const { code, stderr } = await reknit(['get', run.url, '-o', 'void', '--force'], { cwd: stage.folder.path });
  expect(code).toBe(6);
  expect(stderr).toContain('use -o -');
  expect(run.requestCount).toBe(0);
});

test('-o with a folder puts the file into it', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  await mkdir(stage.folder.file('there'));
  expect((await reknit(['get', run.url, '-o', 'there'], { cwd: stage.folder.path })).code).toBe(0);
  expect((await reknit(['get', run.url, '-o', 'new/deep/'], { cwd: stage.folder.path })).code).toBe(0);
  expect(await stage.folder.sha256('there/file.bin')).toBe(run.sha256);
  expect(await stage.folder.sha256('new/deep/file.bin')).toBe(run.sha256);
});

test('of several URLs each has its own fate, in a folder that is created', async () => {
  await using stage = await open();
  const good = stage.lab.play(plain);
  const bad = stage.lab.play({ ...plain, requests: [{ on: 'every', do: { kind: 'status', status: 404 } }] });
  const urls = [bad.urlWith({ file: 'bad' }), good.urlWith({ file: 'one' }), good.urlWith({ file: 'two' })];
  const { code, stderr } = await reknit(['get', ...urls, '-o', 'all'], { cwd: stage.folder.path });
  expect(code).toBe(4);
  expect((await readdir(stage.folder.file('all'))).sort()).toEqual(['one', 'two']);
  expect(stderr).toContain('2 of 3 downloads done, 1 failed');
});

test('a missing folder is exit 6, with nothing sent', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  const { code, stderr } = await reknit(['get', run.url, '-o', 'no/such/a.bin'], { cwd: stage.folder.path });
  expect(code).toBe(6);
  expect(stderr).toContain('no such folder (ENOENT)');
  expect(run.requestCount).toBe(0);
});

test('credentials go to their origin, and are never printed', async () => {
  await using stage = await open();
  const run = stage.lab.play({ ...plain, requests: [{ on: 'every', do: { kind: 'status', status: 404 } }] });
  const url = run.url.replace('http://', 'http://me:hunter2@');
  const { stderr, stdout } = await reknit(['get', `${url}&token=s3cr3t`, '--json', '--verbose'], {
    cwd: stage.folder.path,
  });
  expect(stderr + stdout.toString()).not.toMatch(/hunter2|s3cr3t/);
  expect(run.record.requests[0]!.headers.authorization).toBe(`Basic ${btoa('me:hunter2')}`);
  await reknit(['get', run.url, '-u', 'you:pass:word', '-H', 'X-One: 1', '-H', 'x-one: 2'], {
    cwd: stage.folder.path,
  });
  expect(run.record.requests[1]!.headers).toMatchObject({
    authorization: `Basic ${btoa('you:pass:word')}`,
    'x-one': '1, 2',
  });
});

test('a login from a netrc file goes to its host', async () => {
  await using stage = await open();
  const run = stage.lab.play(plain);
  await writeFile(
    stage.folder.file('rc'),
    'machine example.com login a password b\nmachine 127.0.0.1\n login c password d\n',
  );
  await reknit(['get', run.url, '--netrc'], { cwd: stage.folder.path, env: { NETRC: stage.folder.file('rc') } });
  expect(run.record.requests[0]!.headers.authorization).toBe(`Basic ${btoa('c:d')}`);
});

test('--json tells every step in a stable form', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 300_000 } }],
  });
  const { code, stdout } = await reknit(['get', run.url, '-o', 'a.bin', '--json', '--quiet'], {
    cwd: stage.folder.path,
  });
  expect(code).toBe(0);
  const lines = jsonLines(stdout).filter(({ event }) => event !== 'progress');
  const url = run.url;
  expect(lines).toEqual([
    { event: 'start', url, path: stage.folder.file('a.bin') },
    { event: 'attempt', url, attempt: 1 },
    { event: 'response', url, attempt: 1, status: 200 },
    {
      event: 'failure',
      url,
      attempt: 1,
      kind: 'reset',
      what: 'connection reset',
      phase: 'body',
      origin: 'tcp',
      transient: true,
      atByte: 300_000,
      totalBytes: MiB,
      code: 'ECONNRESET',
    },
    { event: 'wait', url, attempt: 1, delayMs: 0, because: 'progress', next: 'resume' },
    { event: 'attempt', url, attempt: 2, fromByte: 300_000 },
    { event: 'response', url, attempt: 2, status: 206 },
    { event: 'healed', url, attempt: 2, atByte: 300_000, how: 'range' },
    {
      event: 'done',
      url,
      path: stage.folder.file('a.bin'),
      bytes: MiB,
      sha256: run.sha256,
      integrity: 'length',
      attempts: 2,
      hops: 2,
      refetchedBytes: 0,
      waitedMs: 0,
      durationMs: expect.any(Number),
      notes: [],
      resumedBytes: 0,
    },
  ]);
});

test('a failure in --json is an error line with its exit code', async () => {
  await using stage = await open();
  const run = stage.lab.play({ ...plain, requests: [{ on: 'every', do: { kind: 'status', status: 403 } }] });
  const { code, stdout } = await reknit(['get', run.url, '--json', '--quiet'], { cwd: stage.folder.path });
  expect(code).toBe(4);
  expect(jsonLines(stdout).at(-1)).toEqual({
    event: 'error',
    url: run.url,
    message: expect.stringContaining('HTTP 403 Forbidden'),
    exit: 4,
    code: 'ERR_REKNIT_GAVE_UP',
    reason: 'permanent',
    attempts: 1,
  });
});

test('--verbose says each attempt and wait', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 300_000 } }],
  });
  const { stderr } = await reknit(['get', run.url, '--verbose'], { cwd: stage.folder.path });
  expect(stderr.split('\n').slice(0, 6)).toEqual([
    'reknit: attempt 1: asking',
    'reknit: attempt 1: answered HTTP 200',
    expect.stringMatching(/^reknit: attempt 1 failed: connection reset .*; resuming from byte 300,000 at once/),
    'reknit: attempt 2: asking from byte 300,000',
    'reknit: attempt 2: answered HTTP 206',
    'reknit: attempt 2 goes on at byte 300,000 (range)',
  ]);
});

test('the stall timeout bounds a silent body and the wait for headers', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    ...plain,
    requests: [
      { on: 1, do: { kind: 'stall', at: 'request' } },
      { on: 2, do: { kind: 'stall', at: 'body', atByte: 200_000 } },
    ],
  });
  const args = ['get', run.url, '--stall-timeout', '300ms', '--retry-delay', '1ms', '--json', '--quiet'];
  const { code, stdout } = await reknit(args, { cwd: stage.folder.path });
  expect(code).toBe(0);
  const kinds = jsonLines(stdout)
    .filter(({ event }) => event === 'failure')
    .map(({ kind }) => kind);
  expect(kinds).toEqual(['headers-timeout', 'stall']);
});

test('the deadline bounds everything: exit 3', async () => {
  await using stage = await open();
  const run = stage.lab.play({ ...plain, requests: [{ on: 'every', do: { kind: 'stall', at: 'request' } }] });
  const { code, stderr } = await reknit(['get', run.url, '--deadline', '300ms'], { cwd: stage.folder.path });
  expect(code).toBe(3);
  expect(stderr).toContain('deadline');
});

test('an option comes from its variable, and the flag comes first', async () => {
  await using stage = await open();
  const always503: Scenario = { ...plain, requests: [{ on: 'every', do: { kind: 'status', status: 503 } }] };
  const env = { REKNIT_MAX_ATTEMPTS: '3', REKNIT_RETRY_DELAY: '1ms' };
  const [byVariable, byFlag] = [stage.lab.play(always503), stage.lab.play(always503)];
  await reknit(['get', byVariable.url], { cwd: stage.folder.path, env });
  await reknit(['get', byFlag.url, '--max-attempts', '2'], { cwd: stage.folder.path, env });
  expect([byVariable.requestCount, byFlag.requestCount]).toEqual([3, 2]);
});

test('an https server with an unknown issuer is exit 1, and --cacert makes it known', async () => {
  await using lab = await startLab({ tls: true });
  await using folder = await createFolder();
  const run = lab.play(plain);
  await writeFile(folder.file('ca.pem'), lab.ca);
  const refused = await reknit(['get', run.url], { cwd: folder.path });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('--cacert');
  expect((await reknit(['get', run.url, '--cacert', 'ca.pem'], { cwd: folder.path })).code).toBe(0);
  expect(await folder.sha256('file.bin')).toBe(run.sha256);
});

test('a server that refuses every resume is asked for the whole again', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    ...plain,
    requests: [
      { on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 300_000 } },
      { on: 'resumes', do: { kind: 'status', status: 403 } },
    ],
  });
  const { code, stderr } = await reknit(['get', run.url, '--retry-delay', '1ms'], { cwd: stage.folder.path });
  expect(code, stderr).toBe(0);
  expect(await stage.folder.sha256('file.bin')).toBe(run.sha256);
});

test('headers whose body never began do not speak for the bytes of a later answer', async () => {
  await using stage = await open();
  const run = stage.lab.play({
    ...plain,
    resource: { sizeBytes: 4 * MiB, digest: 'repr-digest' },
    changes: [{ fromRequest: 2, sizeBytes: 3 * MiB }],
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 0 } }],
  });
  const { code, stdout } = await reknit(['get', run.url, '--retry-delay', '1ms', '--json', '--quiet'], {
    cwd: stage.folder.path,
  });
  expect(code).toBe(0);
  expect(run.versionOf(await stage.folder.sha256('file.bin'))).toBe(1);
  expect(jsonLines(stdout).at(-1)).toMatchObject({ bytes: 3 * MiB, attempts: 2 });
});
