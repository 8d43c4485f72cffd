/** `reknit run` between pipes: what goes through is what came, and the exit code is the command's own. */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createFolder, jsonLines, main, reknit, start } from '../cli/command.ts';

const quick = ['run', '--retry-delay', '1ms'];
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
const sh = (script: string, ...words: readonly string[]) => ['--', 'sh', '-c', script, 'sh', ...words];

/** A transient end, as curl says it. */
const broken = 'echo "curl: (56) Recv failure: Connection reset by peer" >&2';

test('every byte of stdout and of stderr passes through unchanged, each on its own stream', async () => {
  await using folder = await createFolder();
  const [out, err] = [randomBytes(3_000_000), randomBytes(2_000_000)];
  await writeFile(folder.file('out'), out);
  await writeFile(folder.file('err'), err);
  const child = spawnSync(process.execPath, [main, 'run', '--quiet', ...sh('cat err >&2 & cat out; wait')], {
    cwd: folder.path,
    maxBuffer: 2 ** 24,
  });
  expect([child.status, sha256(child.stdout), sha256(child.stderr)]).toEqual([0, sha256(out), sha256(err)]);
});

test('output is there while the command still runs', async () => {
  await using folder = await createFolder();
  const { child, ended } = start(['run', ...sh('echo first; until [ -e go ]; do sleep 0.02; done; echo second')], {
    cwd: folder.path,
  });
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  await writeFile(folder.file('go'), '');
  expect((await ended).stdout.toString()).toBe('first\nsecond\n');
});

test('a reader that is slow gets all of it', async () => {
  await using folder = await createFolder();
  await writeFile(folder.file('big'), randomBytes(8_000_000));
  const slowly = 'i=0; while [ $i -lt 20 ]; do head -c 1000; sleep 0.01; i=$((i+1)); done; cat';
  const script = `"$0" "$1" run --quiet -- cat big | (${slowly}) | sha256sum`;
  const { stdout } = spawnSync('sh', ['-c', script, process.execPath, main], { cwd: folder.path, encoding: 'utf8' });
  expect(stdout.split(' ')[0]).toBe(await folder.sha256('big'));
});

test('a reader that leaves ends the command by SIGPIPE, as it would without us', () => {
  const script = '("$0" "$1" run -- yes; echo "code $?" >&2) | head -n 1';
  const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, main], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['y\n', expect.stringMatching(/code 141\n$/)]);
});

test('the streams are pipes that can be opened by their names, as scripts do', async () => {
  const script =
    'cat /dev/stdin >/dev/stdout; echo told >/dev/stderr; for n in 0 1 2; do [ -p /dev/fd/$n ] && echo $n; done';
  const { code, stdout, stderr } = await reknit(['run', '--quiet', ...sh(script)], { stdin: 'asked\n' });
  expect([code, stdout.toString(), stderr]).toEqual([0, 'asked\n0\n1\n2\n', 'told\n']);
});

test('standard input from a pipe reaches the command unchanged', async () => {
  const bytes = randomBytes(3_000_000);
  const child = spawnSync(process.execPath, [main, 'run', '--', 'sha256sum'], { input: bytes, encoding: 'utf8' });
  expect(child.stdout).toBe(`${sha256(bytes)}  -\n`);
});

test('standard input that never ends does not hold up a command that does not read it', async () => {
  const child = start(['run', '--', 'true']);
  expect((await child.ended).code).toBe(0);
  const script = 'sleep 30 | { "$0" "$1" run -- true; echo "code $?"; kill 0; }';
  const { stdout } = spawnSync('setsid', ['sh', '-c', script, process.execPath, main], { encoding: 'utf8' });
  expect(stdout).toBe('code 0\n');
});

test.each([
  ['that was read is not given twice: nothing is repeated', 'head -c 4 >/dev/null', 1, 'what cannot be given twice'],
  ['that was not touched is no obstacle', ':', 2, 'done: 2 attempts'],
])('standard input from a file %s', async (_name, first, runCount, says) => {
  await using folder = await createFolder();
  await writeFile(folder.file('in'), 'abcdefgh');
  const script = `echo run >>runs; ${first}; [ -e once ] && exit 0; : >once; ${broken}; exit 56`;
  const { status, stderr } = spawnSync(process.execPath, [main, ...quick, ...sh(script)], {
    cwd: folder.path,
    stdio: [openSync(folder.file('in'), 'r'), 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  expect(stderr).toContain(says);
  expect(status).toBe(runCount === 1 ? 56 : 0);
  expect(await readFile(folder.file('runs'), 'utf8')).toBe('run\n'.repeat(runCount));
});

test('what was read from a pipe is not given twice; with --no-stdin there is nothing to read, and it is repeated', async () => {
  await using folder = await createFolder();
  const script = `echo run >>runs; cat >/dev/null; ${broken}; exit 56`;
  const words = ['--max-attempts', '2', ...sh(script)];
  const one = await reknit([...quick, ...words], { cwd: folder.path, stdin: 'abc' });
  expect([one.code, one.stderr]).toEqual([56, expect.stringContaining('try next: reknit run --no-stdin -- sh -c')]);
  expect(await readFile(folder.file('runs'), 'utf8')).toBe('run\n');
  const two = await reknit([...quick, '--no-stdin', ...words], { cwd: folder.path, stdin: 'abc' });
  expect(two.stderr).toContain('2 attempts');
});

test('stdout and stderr into one file keep their order', async () => {
  await using folder = await createFolder();
  const script = 'i=0; while [ $i -lt 200 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done';
  spawnSync('sh', ['-c', `"$0" "$1" run --quiet -- sh -c '${script}' >log 2>&1`, process.execPath, main], {
    cwd: folder.path,
  });
  const lines = (await readFile(folder.file('log'), 'utf8')).trimEnd().split('\n');
  expect(lines).toEqual(Array.from({ length: 200 }, (_, i) => [`out ${i}`, `err ${i}`]).flat());
});

test('a command between pipes sees no terminal', async () => {
  const { stdout } = await reknit(['run', ...sh('for n in 0 1 2; do [ -t $n ] && echo "$n"; done; echo none')]);
  expect(stdout.toString()).toBe('none\n');
});

test('words reach the command as they are', async () => {
  const words = ['', ' ', 'a b', '*', '$HOME', '"', "'", '\\', '-x', '--json', 'ä\n€', '--'];
  const { stdout } = await reknit(['run', '--', 'printf', '%s\\0', ...words]);
  expect(stdout.toString()).toBe(words.map((word) => `${word}\0`).join(''));
});

test.each([
  ['its own', 'exit 0', 0],
  ['its own', 'exit 7', 7],
  ['its own', 'exit 255', 255],
  ['128 + 9', 'kill -KILL $$', 137],
  ['128 + 15', 'kill -TERM $$', 143],
  ['128 + 6', 'ulimit -c 0; kill -ABRT $$', 134],
])('the exit code is %s: %s', async (_what, script, code) => {
  expect((await reknit(['run', ...sh(script)])).code).toBe(code);
});

test('a command that is not there is 127, one that may not be run is 126, and nothing is tried', async () => {
  await using folder = await createFolder();
  await writeFile(folder.file('plain'), 'text', { mode: 0o644 });
  expect(await reknit(['run', '--', 'reknit-no-such-command'])).toMatchObject({
    code: 127,
    stderr: 'reknit: Cannot run reknit-no-such-command: no such command on PATH\n',
  });
  expect(await reknit(['run', '--', './plain'], { cwd: folder.path })).toMatchObject({
    code: 126,
    stderr: expect.stringContaining('it is not executable'),
  });
});

test.each([
  ['--max-attempts', 'few'],
  ['--deadline', '10'],
  ['--retry-delay', '-1s'],
  ['--retry-on-exit', '0'],
  ['--retry-on-exit', '256'],
  ['--retry-on-output', ' '],
])('%s %s is refused in one line, before anything runs', async (flag, value) => {
  await using folder = await createFolder();
  const { code, stderr } = await reknit(['run', flag, value, ...sh(': >ran')], { cwd: folder.path });
  expect([code, stderr.trimEnd().split('\n')]).toEqual([2, [expect.stringContaining(JSON.stringify(value))]]);
  await expect(readFile(folder.file('ran'))).rejects.toThrow('ENOENT');
});

test('--quiet adds nothing, --verbose says what was seen and what it means, --json is one event per line', async () => {
  const words = ['--max-attempts', '2', ...sh(`${broken}; exit 56`)];
  const own = 'curl: (56) Recv failure: Connection reset by peer\n';
  expect((await reknit([...quick, '--quiet', ...words])).stderr).toBe(own.repeat(2));
  const verbose = (await reknit([...quick, '--verbose', ...words])).stderr;
  expect(verbose).toMatch(/reknit: attempt 1: process \d+\n/);
  expect(verbose).toContain('reknit:   seen   curl: (56) Recv failure: Connection reset by peer');
  expect(verbose).toMatch(/reknit: {3}means {2}\S/);
  const { stderr } = await reknit([...quick, '--json', ...words]);
  const events = jsonLines(stderr.replaceAll(own, ''));
  expect(events.map(({ event }) => event)).toEqual(['attempt', 'failure', 'wait', 'attempt', 'failure', 'end']);
  expect(events[1]).toMatchObject({ attempt: 1, exit: 56, verdict: 'transient' });
  expect(events.at(-1)).toMatchObject({ exit: 56, attempts: 2, reason: 'attempts-exhausted' });
});

test('credentials in the words and in the output are not repeated by our messages', async () => {
  const url = 'https://me:secret1@example.com/a';
  const script = `echo "fatal: unable to access '${url}': Connection reset by peer" >&2; exit 128`;
  const { stderr } = await reknit([...quick, '--json', '--max-attempts', '2', ...sh(script, url)]);
  const ours = stderr.split('\n').filter((line) => line.startsWith('{'));
  expect(ours.join('\n')).not.toContain('secret1');
});
