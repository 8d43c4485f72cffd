/** One process per target: a file with the owner's process id, and a look whether that process still lives. */
import { readFile } from 'node:fs/promises';
import type { Disk } from './disk.ts';
import { errnoOf, LocalError } from './local-error.ts';

interface Owner {
  readonly pid: number;
  /** Tells a process from a later one with the same id, where the platform says (Linux). */
  readonly startedAt: string | undefined;
}

/** How often a lock may vanish or turn out stale under our hands before we say that it is busy. */
const MAX_TRIES = 5;

let takenCount = 0;

export class TargetLock {
  readonly #disk: Disk;
  readonly #path: string;

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** @throws LocalError if another process that lives has it */
  static async take(disk: Disk, path: string, target: string): Promise<TargetLock> {
    takenCount += 1;
    const own = `${path}.${process.pid}.${takenCount}`;
    const text = JSON.stringify({ pid: process.pid, startedAt: await startOf(process.pid) });
    // Of a process that had our id, and died in between.
    await disk.remove(own).catch(() => {});
    await disk.createExclusively(own, text);
    try {
      for (let n = 0; n < MAX_TRIES; n += 1) {
        if (await linked(disk, own, path)) return new TargetLock(disk, path);
        const owner = await ownerOf(disk, path);
        if (owner !== undefined && (await isAlive(owner))) throw busy(target, owner);
        await moveAway(disk, path, `${own}.stale`);
      }
      throw busy(target, undefined);
    } finally {
      await disk.remove(own).catch(() => {});
    }
  }

  async release(): Promise<void> {
    await this.#disk.remove(this.#path).catch(() => {});
  }
}

/** `link` fails where the name exists, in one step: no two processes can both succeed. */
async function linked(disk: Disk, own: string, path: string): Promise<boolean> {
  try {
    await disk.link(own, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    // File systems without hard links (FAT, some network ones) can create exclusively.
    return createdExclusively(disk, own, path);
  }
}

async function createdExclusively(disk: Disk, own: string, path: string): Promise<boolean> {
  try {
    await disk.createExclusively(path, await disk.readText(own));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Only a lock that is dead when it has been moved is thrown away: a live one, taken meanwhile, goes back. */
async function moveAway(disk: Disk, path: string, aside: string): Promise<void> {
  try {
    await disk.rename(path, aside);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  const owner = await ownerOf(disk, aside);
  if (owner !== undefined && (await isAlive(owner))) await disk.link(aside, path).catch(() => {});
  await disk.remove(aside).catch(() => {});
}

async function ownerOf(disk: Disk, path: string): Promise<Owner | undefined> {
  try {
    const { pid, startedAt } = JSON.parse(await disk.readText(path)) as Partial<Owner>;
    return Number.isSafeInteger(pid) && pid! > 0 ? { pid: pid!, startedAt } : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive({ pid, startedAt }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false;
  }
  const now = await startOf(pid);
  return startedAt === undefined || now === undefined || now === startedAt;
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and parentheses. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function busy(target: string, owner: Owner | undefined): LocalError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
  return new LocalError(
    `Cannot download to ${target}: ${who} is downloading to it; wait for it, or choose another name`,
  );
}
