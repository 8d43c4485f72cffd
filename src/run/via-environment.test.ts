import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { resolveVia } from './via.ts';
import { pointAt } from './via-environment.ts';
import { viaRows, viaVariable } from './via-rows.ts';

const rowOf = (name: string) => viaRows.find((row) => row.name === name)!;
const place = (name: string, ...upstreams: readonly string[]) => ({
  row: rowOf(name),
  place: { url: `http://127.0.0.1:8/${name}/`, upstreams },
});

const point = (
  pointing: ReturnType<typeof place>,
  env: NodeJS.ProcessEnv = {},
  tool: 'pip' | 'npm' | 'cargo' | 'apt' | undefined = undefined,
  args: readonly string[] = [],
) => pointAt([pointing], env, tool, args)[0]!;

describe('a variable that points at the mirror', () => {
  it('is set where there was none', () => {
    const { env, set, notes } = point(place('pypi', 'https://pypi.example.com/simple'));
    expect(env).toMatchObject({
      PIP_INDEX_URL: 'http://127.0.0.1:8/pypi/',
      UV_DEFAULT_INDEX: 'http://127.0.0.1:8/pypi/',
    });
    expect([set.includes('PIP_INDEX_URL'), notes]).toEqual([true, []]);
  });

  it.each([
    'https://pypi.example.com/simple',
    'https://me:secret@pypi.example.com/simple/',
    'HTTPS://pypi.example.com/simple',
  ])('takes the place of %s, which the mirror is in front of', (before) => {
    const { env, notes } = point(place('pypi', 'https://pypi.example.com/simple'), { PIP_INDEX_URL: before });
    expect([env.PIP_INDEX_URL, notes]).toEqual(['http://127.0.0.1:8/pypi/', []]);
  });

  it('stays where it names another place, and that is said', () => {
    const before = 'https://private.example.com/simple';
    const { env, set, notes } = point(place('pypi', 'https://pypi.example.com/simple'), { PIP_INDEX_URL: before });
    expect(env.PIP_INDEX_URL).toBe(before);
    expect(set).not.toContain('PIP_INDEX_URL');
    expect(notes).toEqual([expect.stringContaining('PIP_INDEX_URL is set to another place and stays')]);
  });

  it('has no slash at its end where the tool wants none', () => {
    expect(point(place('huggingface', 'https://huggingface.co')).env.HF_ENDPOINT).toBe(
      'http://127.0.0.1:8/huggingface',
    );
  });

  it.each([
    [undefined, 'http://127.0.0.1:8/go,direct'],
    ['https://proxy.golang.org,direct', 'http://127.0.0.1:8/go,direct'],
    ['https://corp.example.com|https://proxy.golang.org|off', 'https://corp.example.com|http://127.0.0.1:8/go|off'],
    ['off', 'off'],
  ])('of a list %s, the element in question is replaced', (before, after) => {
    const { env } = point(place('go', 'https://proxy.golang.org'), before === undefined ? {} : { GOPROXY: before });
    expect(env.GOPROXY).toBe(after);
  });

  it('may be any, in capitals', () => {
    const pointing = { row: viaVariable('DATA_URL'), place: { url: 'http://127.0.0.1:8/DATA_URL/', upstreams: [] } };
    expect(pointAt([pointing], {}, undefined, [])[0]!.env).toEqual({ DATA_URL: 'http://127.0.0.1:8/DATA_URL' });
  });
});

describe('what a command names itself', () => {
  it.each([
    ['pip', ['install', '--index-url', 'https://x.example.com', 'a'], 'pypi'],
    ['pip', ['install', '-i', 'https://x.example.com', 'a'], 'pypi'],
    ['npm', ['ci', '--registry=https://x.example.com'], 'npm'],
  ] as const)('%s %j: it is said that the mirror is not asked', (tool, args, name) => {
    expect(point(place(name, 'https://a.example.com'), {}, tool, args).notes).toEqual([
      expect.stringContaining('that one is asked, and not the mirror'),
    ]);
  });

  it('is for another tool something else', () => {
    expect(point(place('pypi', 'https://a.example.com'), {}, undefined, ['grep', '-i']).notes).toEqual([]);
  });
});

it('settings of git come behind those that are set in the same way, and git reads both', () => {
  const given = {
    PATH: process.env.PATH,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'user.name',
    GIT_CONFIG_VALUE_0: 'Me',
  };
  const { env } = point(place('git', 'https://git.example.com'), given);
  const read = (...args: readonly string[]) => execFileSync('git', args, { env, cwd: '/', encoding: 'utf8' }).trim();
  expect(env.GIT_CONFIG_COUNT).toBe('3');
  expect(read('config', 'user.name')).toBe('Me');
  expect(read('ls-remote', '--get-url', 'https://git.example.com/a/b.git')).toBe('http://127.0.0.1:8/git/a/b.git');
  expect(read('ls-remote', '--get-url', 'https://other.example.com/a.git')).toBe('https://other.example.com/a.git');
});

it('a tool that hears no variable gets words, and whatever is not that tool a note', () => {
  const cargo = place('cargo', 'https://index.crates.io');
  expect(point(cargo, {}, 'cargo').words).toEqual([
    '--config',
    'source.crates-io.replace-with="reknit"',
    '--config',
    'source.reknit.registry="http://127.0.0.1:8/cargo/"',
  ]);
  const { words, notes } = point(cargo, {}, undefined);
  expect([words, notes]).toEqual([[], [expect.stringContaining('only the command itself can be told')]]);
});

it('a proxy in the environment is not asked for the mirror', () => {
  const { env } = point(place('pypi', 'https://a.example.com'), {
    https_proxy: 'http://p:1',
    no_proxy: 'x.example.com',
  });
  expect([env.no_proxy, env.NO_PROXY]).toEqual(['x.example.com,127.0.0.1', 'x.example.com,127.0.0.1']);
  expect(point(place('pypi', 'https://a.example.com'), {}).env.no_proxy).toBeUndefined();
});

describe('what is asked for', () => {
  const upstreamsOf = (via: Parameters<typeof resolveVia>[0]) => resolveVia(via, 'run a command')[0]!.upstreams;

  it('may be the public one, several equal places, or a host alone', () => {
    expect(upstreamsOf({ npm: true })).toEqual(['https://registry.npmjs.org']);
    expect(upstreamsOf({ npm: ['https://a.example.com/x/', 'https://b.example.com'] })).toEqual([
      'https://a.example.com/x',
      'https://b.example.com',
    ]);
    expect(upstreamsOf({ pypi: 'https://pypi.org' })).toEqual(['https://pypi.org/simple']);
  });

  it.each([
    [{ pipy: true }, 'must be one of pypi, npm'],
    [{ git: true }, 'must say which URL'],
    [{ npm: 'registry.example.com' }, 'must be an http or https URL without a query: received "registry.example.com"'],
    [{ npm: 'ftp://registry.example.com' }, 'must be an http or https URL'],
    [{ npm: 'https://me:secret@registry.example.com/?a=b' }, 'without a query'],
  ] as const)('%j is refused in one line', (via, says) => {
    expect(() => resolveVia(via, 'run a command')).toThrow(says);
    expect(() => resolveVia(via, 'run a command')).not.toThrow('secret');
  });
});

it('every row says how it is heard', () => {
  for (const { name, variables, gitConfig, words } of viaRows) {
    expect(variables.length > 0 || gitConfig !== undefined || words !== undefined, name).toBe(true);
    for (const { why } of variables) expect(why.length).toBeGreaterThan(1);
  }
});
