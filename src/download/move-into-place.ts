import { lstat, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sleep, systemRuntime } from '../runtime/index.ts';
import { errnoOf, LocalError, onDisk } from './local-error.ts';

/** Scanners on Windows hold fresh files open for a moment. */
const RENAME_TRIES = 6;
const RENAME_PAUSE_MS = 50;

/**
 * @throws LocalError if something is there that must not be replaced
 */
export async function checkTarget(target: string, { force }: { readonly force: boolean }): Promise<void> {
  const link = await onDisk('look at', target, () => lstat(target).catch(unlessAbsent));
  if (link === undefined) return;
  const found = link.isSymbolicLink() ? await stat(target).catch(() => undefined) : link;
  if (found?.isDirectory() === true) {
    throw new LocalError(`Cannot write ${target}: it is a folder; give a file name in it, or end it with a slash`);
  }
  // Renaming over /dev/null would replace the device.
  if (found !== undefined && !found.isFile()) {
    throw new LocalError(`Cannot write ${target}: it is no regular file; use -o - and redirect the output`);
  }
  if (!force)
    throw new LocalError(`Cannot write ${target}: it exists; use --force to replace it, or choose another name`);
}

function unlessAbsent(error: unknown): undefined {
  if (errnoOf(error) === 'ENOENT') return undefined;
  throw error;
}

/** The atomic step: before it the target is absent or old, after it whole and durable. */
export async function moveIntoPlace(from: string, target: string, options: { readonly force: boolean }): Promise<void> {
  await checkTarget(target, options);
  await onDisk('write', target, () => renameAgain(from, target));
  await syncFolder(dirname(target));
}

async function renameAgain(from: string, target: string): Promise<void> {
  for (let n = 1; ; n += 1) {
    try {
      await rename(from, target);
      return;
    } catch (error) {
      const isHeld = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(errnoOf(error) ?? '');
      if (!isHeld || n >= RENAME_TRIES) throw error;
      await sleep(systemRuntime.clock, RENAME_PAUSE_MS * n);
    }
  }
}

/** A rename is durable when its folder is. Windows cannot, and does not need it. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: Awaited<ReturnType<typeof open>> | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch {
    // Some file systems refuse to sync a folder; the data itself is synced already.
  } finally {
    await handle?.close().catch(() => {});
  }
}
