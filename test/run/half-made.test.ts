/** What a failed `git clone` has left is removed before a repeat where it is proven to be of this run, and never otherwise. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createFolder, type Folder, reknit } from '../cli/command.ts';
import { createRepository, hasProgram, serveBehind, serveGit } from './servers.ts';

const hasGit = hasProgram('git', '--version');
const quick = ['run', '--retry-delay', '1ms', '--max-attempts', '3'];
const url = 'http://127.0.0.1:3/up/repo.git';

/**
 * Plays a git that leaves what it has made and says that its connection broke; at its third run, all is well.
 * `made` is what it does before that, in the shell.
 */
async function createGit(folder: Folder, made: string): Promise<Readonly<Record<string, string>>> {
  const script = `#!/bin/sh
echo run >>"${folder.path}/runs"
make() { mkdir -p "$1/.git" && printf '[remote "origin"]\\n\\turl = %s\\n' "$2" >"$1/.git/config" && echo part >"$1/part"; }
[ "$(wc -l <"${folder.path}/runs")" -lt 3 ] || { [ ! -e repo/part ] || exit 7; exit 0; }
${made}
sleep 0.1
echo 'fatal: fetch-pack: unexpected disconnect while reading sideband packet' >&2
exit 128
`;
  await mkdir(folder.file('bin'));
  await writeFile(folder.file('bin/git'), script);
  await chmod(folder.file('bin/git'), 0o755);
  await mkdir(folder.file('here'));
  return { PATH: `${folder.file('bin')}:${process.env.PATH}` };
}

async function clone(folder: Folder, made: string, words: readonly string[] = ['clone', url], extra = {}) {
  const env = await createGit(folder, made);
  return (prepare: () => Promise<unknown> = async () => {}) =>
    prepare().then(() =>
      reknit([...quick, '--', 'git', ...words], { cwd: folder.file('here'), env: { ...env, ...extra } }),
    );
}

describe('what is proven to be of this run', () => {
  test('a folder that was not there before is removed, each time', async () => {
    await using folder = await createFolder();
    const go = await clone(folder, `make repo ${url}`);
    const { code, stderr } = await go();
    expect(code).toBe(0);
    expect(stderr.match(/removed \S+\/here\/repo, which the failed attempt had made/g)).toHaveLength(2);
  });

  test('of a folder that was there, and empty, what is in it is removed; the folder stays', async () => {
    await using folder = await createFolder();
    const go = await clone(folder, `make repo ${url}`);
    const { code, stderr } = await go(() => mkdir(folder.file('here/repo'), { mode: 0o750 }));
    expect([code, stderr]).toEqual([0, expect.stringContaining('removed what is in ')]);
    expect(await readdir(folder.file('here/repo'))).toEqual([]);
  });
});

describe('never removed', () => {
  const whole = async (folder: Folder, path = 'here/repo/part') => {
    expect(await readFile(folder.file(path), 'utf8')).toBe('part\n');
  };

  test('a folder that was not empty before', async () => {
    await using folder = await createFolder();
    const go = await clone(folder, `make repo ${url}`);
    const { code } = await go(async () => {
      await mkdir(folder.file('here/repo'));
      await writeFile(folder.file('here/repo/mine'), 'mine');
    });
    expect(code).toBe(7);
    await whole(folder);
    expect(await readFile(folder.file('here/repo/mine'), 'utf8')).toBe('mine');
  });

  test.each([
    ['the repository of another source', 'make repo https://example.com/other.git'],
    ['a folder without a repository', 'mkdir -p repo; echo part >repo/part'],
  ])('%s', async (_name, made) => {
    await using folder = await createFolder();
    const { code, stderr } = await (await clone(folder, made))();
    expect([code, stderr]).toEqual([7, expect.not.stringContaining('removed')]);
    await whole(folder);
  });

  test('what a link leads to', async () => {
    await using folder = await createFolder();
    const go = await clone(folder, `make ../elsewhere ${url}; ln -sfn ../elsewhere repo`);
    expect((await go()).code).toBe(7);
    await whole(folder, 'elsewhere/part');
    const linked = await createFolder();
    await using _ = linked;
    const again = await clone(linked, `make ../elsewhere ${url}`);
    await again(async () => {
      await mkdir(linked.file('elsewhere'));
      await symlink('../elsewhere', linked.file('here/repo'));
    });
    await whole(linked, 'elsewhere/part');
  });

  test('anything where git’s arguments or variables are not understood to the last word', async () => {
    for (const [words, extra] of [
      [['clone', '--new-option', url], {}],
      [['clone', url], { GIT_DIR: '/nonexistent' }],
      [['pull', url], {}],
    ] as const) {
      await using folder = await createFolder();
      const { code } = await (await clone(folder, `make repo ${url}`, words, extra))();
      expect(code).toBe(7);
      await whole(folder);
    }
  });

  test('a folder that somebody else puts in its place between two attempts', async () => {
    await using folder = await createFolder();
    // What the attempt has made is gone at its end, and something else stands there once it has ended.
    const made = `make repo ${url}; sleep 0.1; mv repo ../first; (setsid sh -c 'sleep 0.3; cp -r ../first repo' >/dev/null 2>&1 &)`;
    const env = await createGit(folder, made);
    const words = ['run', '--retry-delay', '3s', '--max-attempts', '2', '--json', '--', 'git', 'clone', url];
    const { stderr } = await reknit(words, { cwd: folder.file('here'), env });
    expect(stderr).not.toContain('"cleaned"');
  });

  test('anything by another command', async () => {
    await using folder = await createFolder();
    const env = await createGit(folder, `make repo ${url}`);
    const script = `#!/bin/sh\nexec git "$@"\n`;
    await writeFile(folder.file('bin/gitlike'), script, { mode: 0o755 });
    const words = [...quick, '--', 'gitlike', 'clone', url];
    await reknit(words, { cwd: folder.file('here'), env });
    await whole(folder);
  });
});

test.skipIf(!hasGit)(
  'a clone whose submodule breaks leaves its folder, as git does; the repeat begins anew and has both',
  async () => {
    await using source = await createRepository();
    await using server = await serveBehind(serveGit(source.path), [
      // The repository comes over the first; the submodule's breaks, and so does the one that git itself tries again.
      { on: [2, 3], do: { kind: 'cut', by: 'rst', atByte: 50_000 } },
    ]);
    await using folder = await createFolder();
    source.addModule('module', `${server.url}/repo.git`);
    const words = [
      'git',
      '-c',
      'protocol.file.allow=always',
      'clone',
      '--recurse-submodules',
      `${server.url}/module.git`,
    ];
    const { code, stderr } = await reknit([...quick, '--', ...words], { cwd: folder.path });
    expect([code, stderr]).toEqual([0, expect.stringContaining('done: 2 attempts')]);
    expect(stderr).toMatch(/removed \S+\/module, which the failed attempt had made/);
    const git = (...args: readonly string[]) =>
      execFileSync('git', args, {
        cwd: folder.file('module/sub'),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    git('fsck', '--full', '--strict');
    expect(git('rev-parse', 'HEAD').trim()).toBe(source.head);
    expect(existsSync(folder.file('module/sub/large.bin'))).toBe(true);
  },
);
