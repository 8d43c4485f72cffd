import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cloneTargetOf } from './git-clone.ts';

const folderOf = (line: string) => cloneTargetOf(line.split(' '))?.folder;

describe('the folder that git clone would make', () => {
  it.each([
    ['clone https://example.com/a/repo.git', 'repo'],
    ['clone https://example.com/a/repo', 'repo'],
    ['clone https://example.com/a/repo/', 'repo'],
    ['clone https://example.com/a/repo/.git', 'repo'],
    ['clone https://example.com/a/repo.git there', 'there'],
    ['clone https://example.com/a/repo.git ../deep/there', '../deep/there'],
    ['clone --depth 1 --branch main https://example.com/repo.git', 'repo'],
    ['clone --depth=1 -q --recurse-submodules https://example.com/repo.git', 'repo'],
    ['clone --bare https://example.com/repo.git', 'repo.git'],
    ['clone --mirror https://example.com/repo', 'repo.git'],
    ['clone -- https://example.com/repo.git', 'repo'],
    ['-c http.version=HTTP/1.1 clone git@example.com:a/repo.git', 'repo'],
    ['-C sub clone ssh://example.com/a/repo.git', 'repo'],
  ])('%s → %s', (line, folder) => {
    expect(folderOf(line)).toBe(folder);
  });

  it.each([
    'clone',
    'clone --separate-git-dir x https://example.com/repo.git',
    'clone --some-new-option https://example.com/repo.git',
    'clone -b1 https://example.com/repo.git',
    '--git-dir x clone https://example.com/repo.git',
    'clone https://example.com/repo.git a b',
    'clone https://example.com/',
    'clone ../repo',
    'fetch origin',
    'submodule update',
  ])('of `git %s` nothing is said', (line) => {
    expect(folderOf(line)).toBeUndefined();
  });

  it('is where git itself puts it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'reknit-names-'));
    try {
      execFileSync('git', ['init', '--quiet', '--bare', join(folder, 'up', 'a+b.c-d.git')]);
      mkdirSync(join(folder, 'here'));
      const source = `file://${folder}/up/a+b.c-d.git/`;
      execFileSync('git', ['clone', '--quiet', source], { cwd: join(folder, 'here'), stdio: 'ignore' });
      expect(readdirSync(join(folder, 'here'))).toEqual([cloneTargetOf(['clone', source])?.folder]);
      expect(existsSync(join(folder, 'here', 'a+b.c-d', '.git'))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
