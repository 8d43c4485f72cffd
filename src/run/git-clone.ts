/**
 * The folder that a `git clone` would make, read from its arguments as git reads them. Whatever is not understood to the
 * last word gives `undefined`: a folder is removed only where it is certain which one it is.
 */
import { basename } from 'node:path';

export interface CloneTarget {
  /** As git was given it, or as git names it by itself; relative to the folders of `-C`. */
  readonly folder: string;
  /** The folders of `-C`, in their order. */
  readonly under: readonly string[];
  readonly source: string;
  readonly isBare: boolean;
}

/** Options of `git` itself, before the word `clone`. */
const gitValued: ReadonlySet<string> = new Set(['-c', '--config-env']);
const gitPlain: ReadonlySet<string> = new Set(['-p', '--paginate', '-P', '--no-pager', '--no-replace-objects']);

const cloneValued: ReadonlySet<string> = new Set([
  '-b',
  '--branch',
  '-o',
  '--origin',
  '-u',
  '--upload-pack',
  '-c',
  '--config',
  '-j',
  '--jobs',
  '--depth',
  '--shallow-since',
  '--shallow-exclude',
  '--filter',
  '--reference',
  '--reference-if-able',
  '--template',
  '--server-option',
  '--bundle-uri',
]);
const clonePlain: ReadonlySet<string> = new Set([
  '-v',
  '--verbose',
  '-q',
  '--quiet',
  '--progress',
  '--no-progress',
  '-n',
  '--no-checkout',
  '-l',
  '--local',
  '--no-local',
  '--no-hardlinks',
  '-s',
  '--shared',
  '--dissociate',
  '--recursive',
  '--recurse-submodules',
  '--shallow-submodules',
  '--no-shallow-submodules',
  '--remote-submodules',
  '--no-remote-submodules',
  '--single-branch',
  '--no-single-branch',
  '--no-tags',
  '--sparse',
  '--reject-shallow',
  '--no-reject-shallow',
  '-4',
  '--ipv4',
  '-6',
  '--ipv6',
]);

export function cloneTargetOf(args: readonly string[]): CloneTarget | undefined {
  const under: string[] = [];
  let index = 0;
  for (; index < args.length && args[index] !== 'clone'; index += 1) {
    const word = args[index]!;
    if (word === '-C') {
      const folder = args[index + 1];
      if (folder === undefined) return undefined;
      // An empty one changes nothing.
      if (folder !== '') under.push(folder);
      index += 1;
    } else if (gitValued.has(word)) index += 1;
    else if (!gitPlain.has(word) && !isJoinedValue(word, gitValued)) return undefined;
  }
  const words = args[index] === 'clone' ? readClone(args.slice(index + 1)) : undefined;
  if (words === undefined) return undefined;
  const [source, given, ...more] = words.operands;
  if (source === undefined || source === '' || given === '' || more.length > 0) return undefined;
  const folder = given ?? defaultFolder(source, words.isBare);
  return folder === undefined ? undefined : { folder, under, source, isBare: words.isBare };
}

function readClone(args: readonly string[]): { operands: readonly string[]; isBare: boolean } | undefined {
  const operands: string[] = [];
  let isBare = false;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index]!;
    if (word === '--') return { operands: [...operands, ...args.slice(index + 1)], isBare };
    if (word === '--bare' || word === '--mirror') isBare = true;
    else if (cloneValued.has(word)) index += 1;
    else if (clonePlain.has(word) || isJoinedValue(word, cloneValued) || /^--recurse-submodules=/.test(word)) continue;
    else if (word.startsWith('-')) return undefined;
    else operands.push(word);
  }
  return { operands, isBare };
}

/** `--depth=1`; short ones joined to their value (`-b1`) or to each other (`-nq`) are not read. */
function isJoinedValue(word: string, valued: ReadonlySet<string>): boolean {
  const at = word.indexOf('=');
  return word.startsWith('--') && at > 0 && valued.has(word.slice(0, at));
}

/**
 * The name that git makes of a URL (`git_url_basename` in dir.c), for the plain forms only: of `ssh://host`, of names with
 * blanks or control characters, and of local paths, whose copies are made another way, nothing is said.
 */
function defaultFolder(source: string, isBare: boolean): string | undefined {
  const path = pathOf(source);
  if (path === undefined) return undefined;
  const bare = path.replace(/\/+$/, '').replace(/\/+\.git$/, '');
  const name = basename(bare).replace(/\.git$/, '');
  if (!/^[A-Za-z0-9_+][A-Za-z0-9_.+-]*$/.test(name)) return undefined;
  return isBare ? `${name}.git` : name;
}

function pathOf(source: string): string | undefined {
  const url = /^(?:https?|ssh|git|file):\/\/[^/]*(\/[^?#]+)$/.exec(source);
  if (url !== null) return url[1];
  // host:path, with no slash before the colon.
  return /^[^/:\s]+:(?!\/\/)([^?#]*\/?[^?#]+)$/.exec(source)?.[1];
}
