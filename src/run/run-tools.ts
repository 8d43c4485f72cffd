/** The tools whose ends are recognised: their programs, and what must be known of them before a repeat. */
import { basename } from 'node:path';
import type { ToolName } from './recogniser.ts';

export interface RunTool {
  readonly name: Exclude<ToolName, 'any'>;
  readonly programs: readonly string[];
  /** It may change something elsewhere: repeated only if it provably has not, or if the user says that it is repeatable. */
  readonly changes?: (args: readonly string[]) => boolean;
  /** What it writes to stdout is data that somebody uses, not messages. */
  readonly givesData?: (args: readonly string[]) => boolean;
  /** Says of a failure that it was none: exit code 0 with one of these texts. */
  readonly hides?: readonly string[];
  /** In words, for `docs/run.md`. */
  readonly note?: string;
}

/** The first word that is no option: a subcommand, for tools whose options before it have no values of their own. */
const subcommand = (args: readonly string[]) => args.find((word) => !word.startsWith('-'));
const oneOf =
  (...words: readonly string[]) =>
  (args: readonly string[]) =>
    args.some((word) => words.includes(word));
const hasSubcommand =
  (...words: readonly string[]) =>
  (args: readonly string[]) =>
    words.includes(subcommand(args) ?? '');

/** Short options may stand together (`-sSd`), with their value behind them. */
const hasShort = (args: readonly string[], letters: string) =>
  args.some((word) => new RegExp(`^-[A-Za-z]*[${letters}]`).test(word));
const hasLong = (args: readonly string[], pattern: RegExp) => args.some((word) => pattern.test(word));

const curlMethod = (args: readonly string[]) => {
  const at = args.findIndex((word) => /^(?:-[a-zA-Z]*X|--request$)/.test(word));
  const joined = /^(?:-[a-zA-Z]*X|--request=)(.+)$/.exec(args[at] ?? '')?.[1];
  return (joined ?? args[at + 1] ?? 'GET').toUpperCase();
};

/** A method that is idempotent, or none with a body: `curl -T` is a PUT. */
function curlChanges(args: readonly string[]): boolean {
  if (hasLong(args, /^(?:-[a-zA-Z]*X|--request(?:=|$))/)) return /^(?:POST|PATCH)$/.test(curlMethod(args));
  return hasShort(args, 'dF') || hasLong(args, /^--(?:data|form|json)/);
}

const wgetChanges = (args: readonly string[]) =>
  hasLong(args, /^--(?:post-data|post-file|body-data|body-file|method=(?:POST|PATCH))/i);

const wgetToStdout = (args: readonly string[]) =>
  args.some((word, index) => /^-[a-zA-Z]*O-$|^--output-document=-$/.test(word) || isDashAfter(args, index));
const isDashAfter = (args: readonly string[], index: number) =>
  /^(?:-[a-zA-Z]*O|--output-document)$/.test(args[index]!) && args[index + 1] === '-';

/** `-o FILE`, `-O`, `-J` and their long forms write files; `-o -` does not. */
const curlToStdout = (args: readonly string[]) => {
  const at = args.findIndex((word) => /^-[a-zA-Z]*[oO]/.test(word) || /^--(?:output|remote-name)/.test(word));
  return at < 0 || (/^(?:-[a-zA-Z]*o|--output)$/.test(args[at]!) && args[at + 1] === '-');
};

const gitChanges = hasSubcommandAfterGitOptions('push', 'send-pack', 'send-email');
const gitGivesData = hasSubcommandAfterGitOptions('archive', 'show', 'cat-file', 'bundle', 'format-patch');

function hasSubcommandAfterGitOptions(...words: readonly string[]) {
  return (args: readonly string[]) => {
    const word = args.find((each, index) => !each.startsWith('-') && !/^-[cC]$/.test(args[index - 1] ?? ''));
    return words.includes(word ?? '');
  };
}

export const runTools: readonly RunTool[] = [
  { name: 'git', programs: ['git'], changes: gitChanges, givesData: gitGivesData, note: '`push` changes' },
  { name: 'pip', programs: ['pip', 'pipx', 'pip-sync', 'pip-compile'] },
  { name: 'uv', programs: ['uv', 'uvx'], changes: hasSubcommand('publish'), note: '`publish` changes' },
  {
    name: 'npm',
    programs: ['npm', 'npx'],
    changes: hasSubcommand('publish', 'unpublish', 'deprecate', 'dist-tag', 'owner', 'access'),
    note: '`publish` and its kin change',
  },
  {
    name: 'curl',
    programs: ['curl'],
    changes: curlChanges,
    givesData: curlToStdout,
    note: '`-d`, `-F`, `--json`, `-X POST` and `-X PATCH` change; without `-o` or `-O` its stdout is data',
  },
  {
    name: 'apt',
    programs: ['apt', 'apt-get', 'aptitude'],
    hides: ['Some index files failed to download'],
    note: '`apt-get update` exits with 0 although indexes failed: that counts as a failure',
  },
  {
    name: 'docker',
    programs: ['docker', 'podman', 'buildah', 'nerdctl'],
    changes: hasSubcommand('push', 'run', 'exec', 'compose'),
    note: '`push`, `run`, `exec` and `compose` change',
  },
  { name: 'python', programs: ['python', 'pypy'] },
  { name: 'node', programs: ['node', 'nodejs', 'tsx', 'bun', 'deno'] },
  { name: 'pnpm', programs: ['pnpm', 'pnpx'], changes: hasSubcommand('publish'), note: '`publish` changes' },
  { name: 'yarn', programs: ['yarn', 'yarnpkg'], changes: oneOf('publish'), note: '`publish` changes' },
  { name: 'cargo', programs: ['cargo'], changes: hasSubcommand('publish', 'yank'), note: '`publish` changes' },
  { name: 'go', programs: ['go'] },
  {
    name: 'wget',
    programs: ['wget'],
    changes: wgetChanges,
    givesData: wgetToStdout,
    note: '`--post-data` changes; `-O -` is data',
  },
  { name: 'rsync', programs: ['rsync'] },
  {
    name: 'ssh',
    programs: ['ssh', 'scp', 'sftp'],
    changes: () => true,
    note: 'repeated only where the connection was not made',
  },
  {
    name: 'helm',
    programs: ['helm'],
    changes: hasSubcommand('install', 'upgrade', 'uninstall', 'rollback', 'push'),
    note: '`install`, `upgrade`, `push` and their kin change',
  },
  {
    name: 'terraform',
    programs: ['terraform', 'tofu', 'terragrunt'],
    changes: hasSubcommand('apply', 'destroy', 'import', 'state', 'taint'),
    note: '`apply`, `destroy`, `import` and `state` change',
  },
  {
    name: 'maven',
    programs: ['mvn', 'mvnw', 'mvnd'],
    changes: oneOf('deploy', 'release:perform'),
    note: '`deploy` changes',
  },
  {
    name: 'gradle',
    programs: ['gradle', 'gradlew'],
    changes: (args) => args.some((word) => /(?:^|:)publish/i.test(word)),
    note: '`publish` changes',
  },
];

/** `/usr/bin/python3.12` → `python`. */
export function programOf(command: string): string {
  return basename(command)
    .replace(/(?:\.exe)?$/i, '')
    .replace(/(?<=[a-z])[0-9][0-9.]*$/, '');
}

/** What stands before the command proper, with nothing between but `NAME=value`. */
const wrappers: ReadonlySet<string> = new Set(['sudo', 'env', 'nice', 'nohup', 'time', 'exec', 'command', 'doas']);

export interface Recognised {
  readonly tool: RunTool | undefined;
  readonly args: readonly string[];
}

/** The tool behind `sudo`, `env A=b`, `python -m`. */
export function recogniseTool(command: string, args: readonly string[]): Recognised {
  let program = programOf(command);
  let rest = args;
  while (wrappers.has(program)) {
    const at = rest.findIndex((word) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word));
    if (at < 0 || rest[at]!.startsWith('-')) return { tool: undefined, args: rest };
    program = programOf(rest[at]!);
    rest = rest.slice(at + 1);
  }
  const name = programOf(program);
  if (name === 'python' && rest[0] === '-m' && rest[1] !== undefined) {
    const module = toolNamed(programOf(rest[1]));
    if (module !== undefined) return { tool: module, args: rest.slice(2) };
  }
  return { tool: toolNamed(name), args: rest };
}

function toolNamed(program: string): RunTool | undefined {
  return runTools.find(({ programs }) => programs.includes(program));
}
