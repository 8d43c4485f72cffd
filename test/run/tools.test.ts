/** Real tools through connections that break: `reknit run` ends with what was asked for, and runs no more than it must. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createFolder, jsonLines, reknit } from '../cli/command.ts';
import { createRepository, hasProgram, serveBehind, serveBytes, serveGit, twoOfThree } from './servers.ts';

const hasGit = hasProgram('git', '--version');
const hasCurl = hasProgram('curl', '--version');
const hasPython = hasProgram('python3', '--version');
const hasPip = hasPython && hasProgram('python3', '-m', 'pip', '--version');

const quick = ['run', '--retry-delay', '1ms'];
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const attemptsIn = (stderr: string) => stderr.match(/attempt \d+ of 10 failed/g)?.length ?? 0;

test.skipIf(!hasGit)(
  'git clone through a proxy that cuts two connections of three ends with a repository that fsck accepts',
  async () => {
    await using source = await createRepository();
    await using server = await serveBehind(serveGit(source.path), twoOfThree(200_000));
    await using folder = await createFolder();
    const { code, stderr } = await reknit([...quick, '--', 'git', 'clone', `${server.url}/repo.git`], {
      cwd: folder.path,
    });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/reknit: done: 3 attempts in /)]);
    const git = (...args: readonly string[]) =>
      execFileSync('git', args, { cwd: folder.file('repo'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    git('fsck', '--full', '--strict');
    expect(git('rev-parse', 'HEAD').trim()).toBe(source.head);
    expect(git('status', '--porcelain')).toBe('');
    expect(attemptsIn(stderr)).toBe(2);
    expect(server.front.record.connections.map(({ endedBy }) => endedBy).slice(0, 2)).toEqual(['rst', 'rst']);
    expect(server.front.record.connections).toHaveLength(3);
  },
);

test.skipIf(!hasGit)('a repository that is not there is asked for once', async () => {
  await using source = await createRepository();
  await using server = await serveBehind(serveGit(source.path), []);
  await using folder = await createFolder();
  const { code, stderr } = await reknit([...quick, '--', 'git', 'clone', `${server.url}/nope.git`], {
    cwd: folder.path,
  });
  expect([code, stderr]).toEqual([128, expect.stringContaining('it was refused and would be again')]);
  expect(server.front.record.connections).toHaveLength(1);
});

test.skipIf(!hasGit)('a folder that was there before is not removed, and ends it', async () => {
  await using source = await createRepository();
  await using server = await serveBehind(serveGit(source.path), []);
  await using folder = await createFolder();
  await createFile(folder.file('repo'), 'mine');
  const { code, stderr } = await reknit([...quick, '--', 'git', 'clone', `${server.url}/repo.git`], {
    cwd: folder.path,
  });
  expect([code, stderr]).toEqual([128, expect.stringContaining('the target folder is not empty')]);
  expect(await readFile(`${folder.file('repo')}/mine`, 'utf8')).toBe('mine');
});

async function createFile(path: string, name: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(path);
  await writeFile(`${path}/${name}`, name);
}

test.skipIf(!hasPip)(
  'pip download through a proxy that cuts two connections of three brings the right file',
  async () => {
    const wheel = createWheel();
    await using server = await serveBehind((request, response) => {
      if (request.url?.endsWith('.whl') === true) serveBytes(wheel)(request, response);
      else response.setHeader('content-type', 'text/html').end(`<a href="/files/${wheelName}">${wheelName}</a>`);
    }, twoOfThree(100_000));
    await using folder = await createFolder();
    const pip =
      'python3 -m pip --isolated --disable-pip-version-check download --no-cache-dir --no-deps --retries 0'.split(' ');
    const options = ['--index-url', `${server.url}/simple`, '--dest', folder.path, 'reknit-probe'];
    const { code, stderr } = await reknit([...quick, '--', ...pip, ...options]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('done: 3 attempts')]);
    expect(await folder.sha256(wheelName)).toBe(sha256(wheel));
    expect(server.front.record.connections.filter(({ endedBy }) => endedBy === 'rst')).toHaveLength(2);
  },
);

test.skipIf(!hasPip)('a package that the index does not have is asked for once', async () => {
  await using server = await serveBehind((_request, response) => response.writeHead(404).end(), []);
  const pip = 'python3 -m pip --isolated --disable-pip-version-check download --no-cache-dir --retries 0'.split(' ');
  const { code, stderr } = await reknit([
    ...quick,
    '--',
    ...pip,
    '--index-url',
    `${server.url}/simple`,
    'reknit-probe',
  ]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('no such package or version')]);
  expect(server.requests).toEqual(['GET /simple/reknit-probe/']);
});

const wheelName = 'reknit_probe-1.0-py3-none-any.whl';

/** Made by Python itself, of what it cannot compress. */
function createWheel(): Buffer {
  const code = `
import io, os, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as archive:
    archive.writestr('reknit_probe/data.bin', os.urandom(300000))
    archive.writestr('reknit_probe-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: reknit-probe\\nVersion: 1.0\\n')
    archive.writestr('reknit_probe-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    archive.writestr('reknit_probe-1.0.dist-info/RECORD', '')
sys.stdout.buffer.write(out.getvalue())`;
  return execFileSync('python3', ['-c', code], { maxBuffer: 2 ** 22 });
}

test.skipIf(!hasCurl)('curl -o brings the right file, in as many runs as the proxy has seen connections', async () => {
  const body = randomBytes(400_000);
  await using server = await serveBehind(serveBytes(body), twoOfThree(100_000));
  await using folder = await createFolder();
  const { code, stderr } = await reknit([
    ...quick,
    '--json',
    '--',
    'curl',
    '-sS',
    '-o',
    folder.file('a.bin'),
    server.url,
  ]);
  expect(code).toBe(0);
  expect(await folder.sha256('a.bin')).toBe(sha256(body));
  const events = jsonLines(
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join('\n'),
  );
  expect(events.filter(({ event }) => event === 'attempt')).toHaveLength(server.front.record.connections.length);
  expect(events.at(-1)).toMatchObject({ event: 'end', exit: 0, attempts: 3, reason: 'succeeded' });
});

test.skipIf(!hasCurl)('curl -f of a 404 is asked for once; of a 503 until it is served', async () => {
  let count = 0;
  await using server = await serveBehind((request, response) => {
    if (request.url === '/nope') return void response.writeHead(404).end();
    count += 1;
    response.writeHead(count < 3 ? 503 : 200).end('served');
  }, []);
  const curl = (path: string) => reknit([...quick, '--', 'curl', '-sSf', '-o', '/dev/null', `${server.url}${path}`]);
  expect(await curl('/nope')).toMatchObject({ code: 22, stderr: expect.stringContaining('1 attempt in') });
  expect(await curl('/busy')).toMatchObject({ code: 0, stderr: expect.stringContaining('done: 3 attempts') });
  expect(server.requests).toEqual(['GET /nope', 'GET /busy', 'GET /busy', 'GET /busy']);
});

test.skipIf(!hasCurl)('data that has gone to stdout in part is not sent again', async () => {
  await using server = await serveBehind(serveBytes(randomBytes(400_000)), twoOfThree(100_000));
  const { code, stdout, stderr } = await reknit([...quick, '--', 'curl', '-sS', server.url]);
  expect(code).toBe(56);
  expect(stdout.length).toBeLessThan(400_000);
  expect(stderr).toContain('a part of the data was passed on already');
  expect(stderr).toContain(`try next: reknit get ${server.url} -o -`);
  expect(server.front.record.connections).toHaveLength(1);
});

test.skipIf(!hasCurl)(
  'a POST that may have run is sent once, and again if the user says that it is repeatable',
  async () => {
    await using server = await serveBehind(serveBytes(randomBytes(400_000)), twoOfThree(100_000));
    const post = ['curl', '-sS', '-o', '/dev/null', '-d', 'a=b', server.url];
    const once = await reknit([...quick, '--', ...post]);
    expect([once.code, once.stderr]).toEqual([56, expect.stringContaining('may have changed something already')]);
    expect(server.requests).toEqual(['POST /']);
    const again = await reknit([...quick, '--repeatable', '--', ...post]);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('done: 2 attempts')]);
  },
);

test.skipIf(!hasCurl)('a POST that was never sent is repeated', async () => {
  const { code, stderr } = await reknit([
    ...quick,
    '--max-attempts',
    '3',
    '--',
    'curl',
    '-sS',
    '-d',
    'a=b',
    'http://127.0.0.1:3/',
  ]);
  expect([code, stderr]).toEqual([7, expect.stringContaining('3 attempts')]);
});

test.skipIf(!hasPython)('a script with urllib that dies with [Errno 104] two times of three finishes', async () => {
  const body = randomBytes(400_000);
  await using server = await serveBehind(serveBytes(body), twoOfThree(100_000));
  await using folder = await createFolder();
  const script = `import hashlib, sys, urllib.request\nprint(hashlib.sha256(urllib.request.urlopen(sys.argv[1]).read()).hexdigest())\n`;
  await writeFile(folder.file('fetch.py'), script);
  const { code, stdout, stderr } = await reknit([...quick, '--', 'python3', 'fetch.py', server.url], {
    cwd: folder.path,
  });
  expect([code, stdout.toString().trim()]).toEqual([0, sha256(body)]);
  expect(stderr.match(/\[Errno 104\]/g)).toHaveLength(2);
  expect(stderr).toContain('done: 3 attempts');
  expect(server.front.record.connections).toHaveLength(3);
});

test('a script of Node.js that dies with ECONNRESET two times of three finishes', async () => {
  const body = randomBytes(400_000);
  await using server = await serveBehind(serveBytes(body), twoOfThree(100_000));
  const script = 'fetch(process.argv[1]).then((r) => r.arrayBuffer()).then((b) => console.log(b.byteLength))';
  const { code, stdout, stderr } = await reknit([...quick, '--', process.execPath, '-e', script, server.url]);
  expect([code, stdout.toString().trim()]).toEqual([0, '400000']);
  expect(stderr).toContain('done: 3 attempts');
  expect(server.front.record.connections).toHaveLength(3);
});

test('the same damage twice ends it', async () => {
  const line = 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.';
  await using folder = await createFolder();
  const { code, stderr } = await reknit([...quick, '--', 'sh', '-c', `echo run >>runs; echo '${line}' >&2; exit 1`], {
    cwd: folder.path,
  });
  expect([code, stderr]).toEqual([1, expect.stringContaining('the same damage twice is no accident')]);
  expect(await readFile(folder.file('runs'), 'utf8')).toBe('run\nrun\n');
});

test('a name that does not exist is looked up three times', async () => {
  const { stderr } = await reknit([
    ...quick,
    '--',
    'sh',
    '-c',
    "echo 'curl: (6) Could not resolve host: nope.invalid' >&2; exit 6",
  ]);
  expect(stderr).toContain('3 attempts');
});

test.each([
  ['what is not known is not repeated', [], 1],
  ['an exit code that the user names is', ['--retry-on-exit', '7,9'], 3],
  ['a text that the user names is', ['--retry-on-output', 'try later'], 3],
  ['another exit code is not', ['--retry-on-exit', '8'], 1],
])('%s', async (_name, flags, runCount) => {
  await using folder = await createFolder();
  const command = ['sh', '-c', 'echo run >>runs; echo "please try later"; exit 9'];
  const { code } = await reknit([...quick, '--max-attempts', '3', ...flags, '--', ...command], { cwd: folder.path });
  expect(code).toBe(9);
  expect(await readFile(folder.file('runs'), 'utf8')).toBe('run\n'.repeat(runCount));
});
