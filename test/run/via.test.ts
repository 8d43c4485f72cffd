/** `reknit run --via`: a mirror for as long as the command runs, that its tool asks without knowing. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createFolder, jsonLines, reknit, start } from '../cli/command.ts';
import { canSeeProcesses, createMark } from './processes.ts';
import { createWheel, digest } from './real/goods.ts';
import { createRepository, hasProgram, serveBehind, serveBytes, serveGit, twoOfThree } from './servers.ts';

const hasPip = hasProgram('python3', '-m', 'pip', '--version');
const hasGit = hasProgram('git', '--version');
const hasCurl = hasProgram('curl', '--version');
const file = 'reknit_probe-1.0-py3-none-any.whl';
const pip = 'python3 -m pip --disable-pip-version-check'.split(' ');

const eventsOf = (stderr: string) =>
  jsonLines(
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join('\n'),
  );

const closed = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(true));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });

async function serveIndex(wheel: Buffer) {
  return serveBehind((request, response) => {
    if (request.url?.endsWith('.whl') === true) serveRanges(wheel)(request, response);
    else
      response
        .setHeader('content-type', 'text/html')
        .end(`<a href="/${file}#sha256=${digest('sha256', wheel)}">${file}</a>`);
  }, twoOfThree(150_000));
}

/** A file as servers of packages serve it: with a validator, and in parts. */
function serveRanges(body: Buffer): Parameters<typeof serveBehind>[0] {
  return (request, response) => {
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const headers = { etag: '"one"', 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream' };
    if (from === undefined)
      return void response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
    const part = body.subarray(Number(from));
    const range = `bytes ${from}-${body.length - 1}/${body.length}`;
    response.writeHead(206, { ...headers, 'content-range': range, 'content-length': part.length }).end(part);
  };
}

test.skipIf(!hasPip)('pip install through a mirror sees none of the cuts, and the mirror ends with it', async () => {
  const wheel = createWheel('reknit-probe', 500_000);
  await using server = await serveIndex(wheel);
  await using folder = await createFolder();
  const words = ['install', '--no-cache-dir', '--no-deps', '--target', folder.file('site'), 'reknit-probe'];
  const { code, stderr } = await reknit(
    ['run', '--json', '--via', `pypi=${server.url}/simple`, '--', ...pip, ...words],
    { env: { PIP_CONFIG_FILE: '/dev/null' } },
  );
  const events = eventsOf(stderr);
  expect([code, events.at(-1)]).toEqual([0, expect.objectContaining({ reason: 'succeeded', attempts: 1 })]);
  expect(await readdir(folder.file('site'))).toContain('reknit_probe');
  expect(events[0]).toMatchObject({ event: 'via', name: 'pypi', upstreams: [`${server.url}/simple`] });
  expect(events.at(-2)).toMatchObject({ event: 'via-end', name: 'pypi', requests: 2 });
  expect(server.front.record.connections.filter(({ endedBy }) => endedBy === 'rst').length).toBeGreaterThan(0);
  expect(await closed(Number(new URL(String(events[0]!.url)).port))).toBe(true);
});

test.skipIf(!hasGit)('git clone through a mirror; the clone remembers the origin and not the mirror', async () => {
  await using source = await createRepository();
  await using server = await serveBehind(serveGit(source.path), twoOfThree(200_000));
  await using folder = await createFolder();
  const words = ['git', 'clone', `${server.url}/repo.git`];
  const { code, stderr } = await reknit(['run', '--via', `git=${server.url}`, '--', ...words], { cwd: folder.path });
  expect([code, stderr]).toEqual([0, expect.stringContaining('done: 1 attempt in')]);
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, { cwd: folder.file('repo'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  git('fsck', '--full', '--strict');
  expect(git('rev-parse', 'HEAD').trim()).toBe(source.head);
  expect(git('remote', 'get-url', 'origin').trim()).toBe(`${server.url}/repo.git`);
});

test.skipIf(!hasCurl)('a variable of one’s own gets the address of any origin', async () => {
  const body = randomBytes(500_000);
  await using server = await serveBehind(serveRanges(body), twoOfThree(150_000));
  await using folder = await createFolder();
  const fetch = 'curl -fsS -o a.bin "$FILES_URL/dir/a.bin"';
  const words = ['run', '--via', `FILES_URL=${server.url}/base`, '--', 'sh', '-c', fetch];
  const { code, stderr } = await reknit(words, { cwd: folder.path });
  expect([code, stderr]).toEqual([0, expect.stringContaining('done: 1 attempt in')]);
  expect(await folder.sha256('a.bin')).toBe(digest('sha256', body));
  expect(server.requests[0]).toBe('GET /base/dir/a.bin');
});

test('a mirror that nobody asked is said to be so, and what stays set, too', async () => {
  await using server = await serveBehind(serveBytes(Buffer.from('x')), []);
  const words = ['run', '--via', `npm=${server.url}`, '--', 'sh', '-c', 'echo "$npm_config_registry"'];
  const { code, stdout, stderr } = await reknit(words, {
    env: { npm_config_registry: 'https://private.example.com/' },
  });
  expect([code, stdout.toString()]).toEqual([0, 'https://private.example.com/\n']);
  expect(stderr).toContain('npm_config_registry is set to another place and stays');
  expect(stderr).toContain('via npm: nothing was asked of it');
});

test.each([
  ['pipy=https://example.com', 'pipy'],
  ['npm=', 'npm='],
  ['git', 'git'],
  ['npm=registry', 'registry'],
])('--via %s is refused in one line, and nothing runs', async (value, shown) => {
  const { code, stdout, stderr } = await reknit(['run', '--via', value, '--', 'echo', 'ran']);
  expect([code, stdout.toString(), stderr.trimEnd().split('\n')]).toEqual([2, '', [expect.stringContaining(shown)]]);
});

test.skipIf(!canSeeProcesses).each(['SIGTERM', 'SIGKILL'] as const)('after %s nothing is left of it', async (name) => {
  const mark = createMark();
  await using server = await serveBehind(serveBytes(Buffer.from('x')), []);
  const words = ['run', '--via', `DATA_URL=${server.url}`, '--', 'sh', '-c', 'echo "$DATA_URL"; sleep 1000'];
  const { child, ended } = start(words, { env: mark.env });
  const url = await new Promise<string>((resolve) =>
    child.stdout!.once('data', (chunk) => resolve(String(chunk).trim())),
  );
  expect((await fetch(url)).status).toBe(200);
  child.kill(name);
  await ended;
  await mark.untilNoneIsLeft();
  expect(await closed(Number(new URL(url).port))).toBe(true);
});
