/**
 * What a failed attempt has left, removed where it is proven to be of this run: the folder of a `git clone` that was not
 * there, or was empty, before the first attempt, that was filled while our command ran, and that holds a repository of the
 * very source which was asked for. Nothing else.
 */
import { lstatSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '../runtime/index.ts';
import { type CloneTarget, cloneTargetOf } from './git-clone.ts';
import { programOf } from './run-tools.ts';

const LOOK_EVERY_MS = 20;

export interface HalfMade {
  /** Looks while an attempt runs, until `settle`. */
  watch(): void;
  /** At the attempt's end. */
  settle(): void;
  /** Before a repeat. */
  remove(): Removed | undefined;
}

export interface Removed {
  readonly path: string;
  /** The folder itself was there before, and stays. */
  readonly isContent: boolean;
}

const nothing: HalfMade = { watch: () => {}, settle: () => {}, remove: () => undefined };

/** Variables that send git elsewhere than its arguments say. */
const misleading = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_OBJECT_DIRECTORY', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE'];

/** Looks before the first attempt. */
export function watchHalfMade(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  clock: Clock,
): HalfMade {
  if (programOf(command) !== 'git' || misleading.some((name) => env[name] !== undefined)) return nothing;
  const target = cloneTargetOf(args);
  const path = target === undefined ? undefined : placeOf(target, cwd);
  if (target === undefined || path === undefined) return nothing;
  const before = numberOf(path);
  if (before !== undefined && !isEmptyFolder(path)) return nothing;
  return watchFolder(path, target, before, clock);
}

/** A folder that another process makes in our pauses has a number that we have not seen. */
function watchFolder(path: string, target: CloneTarget, before: bigint | undefined, clock: Clock): HalfMade {
  let seen = before;
  let timer: ReturnType<Clock['after']> | undefined;
  const look = () => {
    if (before === undefined) seen = numberOf(path) ?? seen;
    timer = clock.after(LOOK_EVERY_MS, look, 'idle');
  };
  return {
    watch: () => {
      seen = before;
      look();
    },
    settle: () => timer?.cancel(),
    remove: () => {
      if (seen === undefined || seen !== numberOf(path) || !isOurs(path, target)) return undefined;
      return removed(path, before !== undefined);
    },
  };
}

function isEmptyFolder(path: string): boolean {
  return lstatSync(path).isDirectory() && readdirSync(path).length === 0;
}

/** Absolute, with the folder above it resolved: a link that changes meanwhile cannot lead elsewhere. */
function placeOf({ folder, under }: CloneTarget, cwd: string): string | undefined {
  const path = resolve(cwd, ...under, folder);
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    // Folders that git would make on the way are not looked at: which of them are new is not known afterwards.
    return undefined;
  }
}

/** The inode, where there is something. */
function numberOf(path: string): bigint | undefined {
  return lstatSync(path, { throwIfNoEntry: false, bigint: true })?.ino;
}

/** A folder and no link, of this user, on no other disk, with a repository in it that says the same source. */
function isOurs(path: string, { source, isBare }: CloneTarget): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true || stat.uid !== process.getuid?.()) return false;
  if (stat.dev !== statSync(dirname(path)).dev) return false;
  const config = isBare ? join(path, 'config') : join(path, '.git', 'config');
  try {
    if (!lstatSync(config).isFile()) return false;
    const lines = readFileSync(config, 'utf8').split('\n');
    return lines.some((line) => /^\s*url = /.test(line) && line.replace(/^\s*url = /, '').trim() === source);
  } catch {
    return false;
  }
}

function removed(path: string, isContent: boolean): Removed | undefined {
  try {
    const all = isContent ? readdirSync(path).map((name) => join(path, name)) : [path];
    for (const each of all) rmSync(each, { recursive: true });
    return { path, isContent };
  } catch {
    // The next attempt says what is in its way.
    return undefined;
  }
}
