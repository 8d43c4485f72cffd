/** Files that were being made when their process died. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isGone, isMark, ownMark } from '../download/index.ts';

const OWNER = 'owner.json';
/** A folder whose owner nobody knows: it may be so young that its mark is not written yet. */
const UNMARKED_MS = 3_600_000;
/** Marks of other machines say nothing here; nothing is being made for so long. */
const ABANDONED_MS = 7 * 86_400_000;

export async function markFolder(folder: string): Promise<void> {
  await writeFile(join(folder, OWNER), JSON.stringify(ownMark()));
}

export async function sweepLeftovers(parent: string, nowMs: number): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    if (await isLeft(folder, nowMs)) await rm(folder, { recursive: true, force: true });
  }
}

async function isLeft(folder: string, nowMs: number): Promise<boolean> {
  try {
    const ageMs = nowMs - (await stat(folder)).mtimeMs;
    const mark: unknown = await readFile(join(folder, OWNER), 'utf8').then(JSON.parse, () => undefined);
    if (!isMark(mark)) return ageMs > UNMARKED_MS;
    return isGone(mark) || ageMs > ABANDONED_MS;
  } catch {
    return false;
  }
}
