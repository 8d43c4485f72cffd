/** The tools as their users call them, and what must be there when one says that it is done: one row each. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digest } from './goods.ts';
import type { Origins } from './origins.ts';

export interface RealTool {
  readonly name: string;
  readonly needs: readonly (readonly [program: string, ...args: string[]])[];
  /** Of `reknit run`. */
  readonly via: (origins: Origins) => readonly string[];
  /** In an empty folder; straight to the origin, or as it is pointed by `--via`. */
  readonly prepare?: (folder: string, origins: Origins) => Promise<void>;
  /** One after the other. */
  readonly commands: (folder: string, origins: Origins, way: 'straight' | 'via') => readonly (readonly string[])[];
  /** @throws if anything is missing or wrong */
  readonly check: (folder: string, origins: Origins) => Promise<void>;
}

async function same(path: string, sha256: string): Promise<void> {
  const found = digest('sha256', await readFile(path));
  if (found !== sha256) throw new Error(`${path} is ${found} instead of ${sha256}`);
}

const pip = ['python3', '-m', 'pip', '--disable-pip-version-check', '--no-input'];

export const realTools: readonly RealTool[] = [
  {
    name: 'pip download',
    needs: [['python3', '-m', 'pip', '--version']],
    via: ({ pypi }) => ['--via', `pypi=${pypi.url}`],
    commands: (folder, { pypi }, way) => [
      [
        ...pip,
        'download',
        ...['--no-cache-dir', '--dest', folder],
        ...(way === 'straight' ? ['--index-url', pypi.url] : []),
        ...pypi.wheels.map(({ project }) => project),
      ],
    ],
    check: async (folder, { pypi }) => {
      for (const { file, sha256 } of pypi.wheels) await same(join(folder, file), sha256);
    },
  },
  {
    name: 'npm ci',
    needs: [['npm', '--version']],
    via: ({ npm }) => ['--via', `npm=${npm.url}`],
    prepare: async (folder, { npm: { project } }) => {
      await writeFile(join(folder, 'package.json'), project.packageJson);
      await writeFile(join(folder, 'package-lock.json'), project.lock);
    },
    commands: (folder, { npm }, way) => [
      [
        ...['npm', 'ci', '--cache', join(folder, '.cache'), '--no-audit', '--no-fund', '--no-update-notifier'],
        ...(way === 'straight' ? ['--registry', npm.url] : []),
      ],
    ],
    check: async (folder, { npm: { project } }) => {
      for (const [path, sha256] of Object.entries(project.files))
        await same(join(folder, 'node_modules', path), sha256);
    },
  },
  {
    name: 'git clone',
    needs: [['git', '--version']],
    via: ({ git }) => ['--via', `git=${git.url}`],
    commands: (_folder, { git }) => [['git', 'clone', '--quiet', `${git.url}/repo.git`, 'clone']],
    check: async (folder, { git }) => {
      const run = (...args: readonly string[]) =>
        execFileSync('git', args, {
          cwd: join(folder, 'clone'),
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        });
      run('fsck', '--full', '--strict');
      if (run('rev-parse', 'HEAD').trim() !== git.head) throw new Error('the clone has another HEAD');
      if (run('status', '--porcelain') !== '') throw new Error('the work tree is not what was committed');
    },
  },
  {
    name: 'curl',
    needs: [['curl', '--version']],
    via: ({ file }) => ['--via', `FILES=${file.url}`],
    commands: (_folder, { file }, way) => {
      const fetch = 'curl -fsS -o big.bin "$FILES/big.bin"';
      return [['sh', '-c', way === 'via' ? fetch : `FILES=${file.url}; ${fetch}`]];
    },
    check: (folder, { file }) => same(join(folder, 'big.bin'), file.sha256),
  },
  {
    name: 'apt-get',
    needs: [
      ['apt-get', '--version'],
      ['dpkg-deb', '--version'],
    ],
    via: ({ apt }) => ['--via', `apt=${apt.url}`],
    prepare: async (folder, { apt }) => {
      await mkdir(join(folder, 'lists/partial'), { recursive: true });
      await mkdir(join(folder, 'archives/partial'), { recursive: true });
      await writeFile(join(folder, 'sources.list'), `deb [trusted=yes] ${apt.url} probe main\n`);
      await writeFile(join(folder, 'status'), '');
      await writeFile(join(folder, 'apt.conf'), aptSettings(folder));
    },
    commands: (folder, { apt }) => {
      const get = ['apt-get', '-q', '-c', join(folder, 'apt.conf')];
      return [
        [...get, 'update'],
        [...get, '--download-only', '--yes', 'install', apt.deb.name],
      ];
    },
    check: (folder, { apt }) => same(join(folder, 'archives', apt.deb.file), apt.deb.sha256),
  },
];

/** Its own places, so that the machine's are neither read nor touched. */
function aptSettings(folder: string): string {
  return `
Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "${folder}";
Dir::State::lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}";
Dir::Cache::archives "${folder}/archives";
Dir::Log "${folder}";
Debug::NoLocking "true";
APT::Sandbox::User "root";
APT::Architecture "amd64";
`;
}
