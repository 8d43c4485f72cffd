import { dirname } from 'node:path';
import { sleep, systemRuntime } from '../runtime/index.ts';
import type { Disk } from './disk.ts';
import { errnoOf, LocalError, onDisk } from './local-error.ts';

/** Scanners on Windows hold fresh files open for a moment. */
const RENAME_TRIES = 6;
const RENAME_PAUSE_MS = 50;

/**
 * @throws LocalError if something is there that must not be replaced
 */
export async function checkTarget(disk: Disk, target: string, { force }: { readonly force: boolean }): Promise<void> {
  const kind = await onDisk('look at', target, () => disk.kindOf(target));
  if (kind === undefined) return;
  const found = kind === 'link' ? await disk.kindBehind(target) : kind;
  if (found === 'folder') {
    throw new LocalError(`Cannot write ${target}: it is a folder; give a file name in it, or end it with a slash`);
  }
  // Renaming over /dev/null would replace the device.
  if (found === 'other') {
    throw new LocalError(`Cannot write ${target}: it is no regular file; use -o - and redirect the output`);
  }
  if (!force)
    throw new LocalError(`Cannot write ${target}: it exists; use --force to replace it, or choose another name`);
}

/** The atomic step: before it the target is absent or old, after it whole and durable. */
export async function moveIntoPlace(
  disk: Disk,
  from: string,
  target: string,
  options: { readonly force: boolean },
): Promise<void> {
  await checkTarget(disk, target, options);
  await onDisk('write', target, () => renameAgain(disk, from, target));
  await disk.syncFolder(dirname(target));
}

async function renameAgain(disk: Disk, from: string, target: string): Promise<void> {
  for (let n = 1; ; n += 1) {
    try {
      await disk.rename(from, target);
      return;
    } catch (error) {
      const isHeld = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(errnoOf(error) ?? '');
      if (!isHeld || n >= RENAME_TRIES) throw error;
      await sleep(systemRuntime.clock, RENAME_PAUSE_MS * n);
    }
  }
}
