import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createRepository, hasProgram, serveBehind, serveGit, twoOfThree } from '../run/servers.ts';
import { openMirror, read } from './cached.ts';
import { startRegistry } from './registry.ts';

const run = promisify(execFile);
const env = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };

test.runIf(hasProgram('git', '--version'))(
  'git clones through connections that are cut two times of three, and fsck finds nothing',
  async () => {
    await using repository = await createRepository();
    await using behind = await serveBehind(serveGit(repository.path), twoOfThree(200_000));
    await using one = await openMirror({
      origins: [{ preset: 'git', upstreams: [behind.url] }],
      retry: { baseDelayMs: 10 },
    });
    const folder = await mkdtemp(join(tmpdir(), 'reknit-clone-'));
    try {
      await run('git', ['clone', '--quiet', `${one.mirror.urlFor('git')}repo.git`, 'clone'], { cwd: folder, env });
      const cwd = join(folder, 'clone');
      expect((await run('git', ['rev-parse', 'HEAD'], { cwd, env })).stdout.trim()).toBe(repository.head);
      await run('git', ['fsck', '--full'], { cwd, env });
      expect(behind.front.record.connections.filter(({ endedBy }) => endedBy === 'rst').length).toBeGreaterThan(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

test('a fetch that is cut is asked for again, with its body as it came; a push is sent once', async () => {
  await using server = await startRegistry(({ path }, response, { count }) => {
    if (count(path) === 1) {
      response.writeHead(200, { 'content-type': 'application/x-git-result' });
      response.write('0008', () => response.destroy());
    } else response.end(`whole ${path}`);
  });
  await using one = await openMirror({
    origins: [{ preset: 'git', upstreams: [server.url] }],
    retry: { baseDelayMs: 10 },
  });
  const post = (service: string) =>
    read(`${one.mirror.urlFor('git')}r.git/${service}`, {
      method: 'POST',
      body: Buffer.from('compressed by git'),
      headers: {
        'content-encoding': 'gzip',
        'content-type': `application/x-${service}-request`,
        'git-protocol': 'version=2',
      },
    });
  const fetched = await post('git-upload-pack');
  expect([fetched.status, fetched.bytes.toString()]).toEqual([200, 'whole /r.git/git-upload-pack']);
  const asked = server.requests.map(({ body, headers }) => [
    body.toString(),
    headers['content-encoding'],
    headers['git-protocol'],
  ]);
  expect(asked).toEqual([1, 2].map(() => ['compressed by git', 'gzip', 'version=2']));
  await expect(post('git-receive-pack')).rejects.toThrow();
  expect(server.count('/r.git/git-receive-pack')).toBe(1);
});
