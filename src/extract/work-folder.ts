/** `DIR.reknit-XXXXXX/` beside the target: everything happens there, and one rename makes it the target. */
import { lstat, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sleep, systemRuntime } from '../runtime/index.ts';
import { errnoOf, localTrouble, onDisk } from './local-trouble.ts';

/** Scanners on Windows hold fresh files open for a moment. */
const RENAME_TRIES = 6;
const RENAME_PAUSE_MS = 50;

export interface CommitOptions {
  readonly force: boolean;
}

/** @throws ReknitError (ERR_REKNIT_LOCAL) if something is there that must not be replaced */
export async function checkTarget(target: string, { force }: CommitOptions): Promise<'absent' | 'folder'> {
  const found = await onDisk('look at', target, () => lstat(target).catch(unlessAbsent));
  if (found === undefined) return 'absent';
  if (!found.isDirectory()) throw localTrouble(`Cannot extract into ${target}: it exists, and is no folder`);
  if (!force) {
    throw localTrouble(`Cannot extract into ${target}: it exists; use --force to replace it, or choose another name`);
  }
  return 'folder';
}

function unlessAbsent(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined;
  throw error;
}

export class WorkFolder {
  /** What becomes the target. */
  readonly tree: string;
  /** Room for an archive that has to be whole before it can be read. */
  readonly archive: string;
  readonly #folder: string;
  readonly #target: string;

  private constructor(folder: string, target: string) {
    this.#folder = folder;
    this.#target = target;
    this.tree = join(folder, basename(target));
    this.archive = join(folder, `${basename(target)}.archive`);
  }

  static async create(target: string): Promise<WorkFolder> {
    return new WorkFolder(await onDisk('write beside', target, () => mkdtemp(`${target}.reknit-`)), target);
  }

  /** The one step that shows: before it the target is absent or old, after it whole. */
  async commit(options: CommitOptions): Promise<void> {
    const found = await checkTarget(this.#target, options);
    const old = join(this.#folder, `${basename(this.#target)}.old`);
    await onDisk('write', this.#target, async () => {
      if (found === 'folder') await renameAgain(this.#target, old);
      try {
        await renameAgain(this.tree, this.#target);
      } catch (error) {
        if (found === 'folder') await rename(old, this.#target).catch(() => {});
        throw error;
      }
    });
    await syncFolder(dirname(this.#target));
  }

  /** @throws nothing: what cannot be removed is no reason to hide how the work ended */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

async function renameAgain(from: string, to: string): Promise<void> {
  for (let n = 1; ; n += 1) {
    try {
      return await rename(from, to);
    } catch (error) {
      const isHeld = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(errnoOf(error) ?? '');
      if (!isHeld || n >= RENAME_TRIES) throw error;
      await sleep(systemRuntime.clock, RENAME_PAUSE_MS * n);
    }
  }
}

/** A rename is durable when its folder is. Windows cannot, and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close().catch(() => {});
}
