/**
 * One process per target: a file with the owner's mark. Whether a process of this machine still lives can be seen; one in
 * another container or on another machine that shares the folder shows it by touching the file.
 */
import { createHash } from 'node:crypto';
import { systemRuntime, type Timer } from '../runtime/index.ts';
import type { Disk } from './disk.ts';
import { errnoOf, LocalError } from './local-error.ts';
import { isGone, ownMark, type ProcessMark } from './process-mark.ts';

/** How often a lock may vanish or turn out stale under our hands before we say that it is busy. */
const MAX_TRIES = 5;
const HEARTBEAT_MS = 20_000;
/** A lock of elsewhere that was not touched for so long is nobody's. */
const SILENT_MS = 90_000;

let takenCount = 0;

export class TargetLock {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #target: string;
  readonly #text: string;
  #timer: Timer | undefined;

  private constructor(disk: Disk, path: string, target: string, text: string) {
    this.#disk = disk;
    this.#path = path;
    this.#target = target;
    this.#text = text;
    this.#arm();
  }

  /** @throws LocalError if another process that lives has it */
  static async take(disk: Disk, path: string, target: string): Promise<TargetLock> {
    takenCount += 1;
    const mark = ownMark();
    // Two containers may have the same process ids.
    const where = createHash('sha256').update(mark.place).digest('hex').slice(0, 8);
    const own = `${path}.${where}.${mark.pid}.${takenCount}`;
    const text = JSON.stringify({ ...mark, n: takenCount });
    // Of a process that had our id, and died in between.
    await disk.remove(own).catch(() => {});
    await disk.createExclusively(own, text);
    try {
      for (let n = 0; n < MAX_TRIES; n += 1) {
        if (await linked(disk, own, path)) return new TargetLock(disk, path, target, text);
        const owner = await ownerOf(disk, path);
        if (owner !== undefined && (await isAlive(disk, owner, path, own))) throw busy(target, path, owner);
        await moveAway(disk, path, own);
      }
      throw busy(target, path, undefined);
    } finally {
      await disk.remove(own).catch(() => {});
    }
  }

  #arm(): void {
    this.#timer = systemRuntime.clock.after(
      HEARTBEAT_MS,
      () => {
        void this.#touch().finally(() => {
          if (this.#timer !== undefined) this.#arm();
        });
      },
      'idle',
    );
  }

  async #touch(): Promise<void> {
    if (await this.#isOurs()) await this.#disk.touch(this.#path, this.#text).catch(() => {});
  }

  async #isOurs(): Promise<boolean> {
    const text = await this.#disk.readText(this.#path).catch(() => undefined);
    return text === this.#text;
  }

  /**
   * A process that slept for long, elsewhere, may have lost it.
   *
   * @throws LocalError if somebody else has it now
   */
  async check(): Promise<void> {
    if (await this.#isOurs()) return;
    const owner = await ownerOf(this.#disk, this.#path);
    // A folder that was removed fails by itself, and says so.
    if (owner !== undefined) throw busy(this.#target, this.#path, owner);
  }

  async release(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (await this.#isOurs()) await this.#disk.remove(this.#path).catch(() => {});
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
async function moveAway(disk: Disk, path: string, own: string): Promise<void> {
  const aside = `${own}.stale`;
  try {
    await disk.rename(path, aside);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  const owner = await ownerOf(disk, aside);
  if (owner !== undefined && (await isAlive(disk, owner, aside, own))) await disk.link(aside, path).catch(() => {});
  await disk.remove(aside).catch(() => {});
}

async function ownerOf(disk: Disk, path: string): Promise<ProcessMark | undefined> {
  try {
    const { pid, startedAt, place = ownMark().place } = JSON.parse(await disk.readText(path)) as Partial<ProcessMark>;
    return Number.isSafeInteger(pid) && pid! > 0 ? { pid: pid!, startedAt, place } : undefined;
  } catch {
    return undefined;
  }
}

/** By the clock of the file system: `own` was made just now. */
async function isAlive(disk: Disk, owner: ProcessMark, path: string, own: string): Promise<boolean> {
  if (owner.place === ownMark().place) return !isGone(owner);
  const [touchedAtMs, nowMs] = await Promise.all(
    [path, own].map((one) => disk.modifiedAtMs(one).catch(() => undefined)),
  );
  return touchedAtMs !== undefined && nowMs !== undefined && nowMs - touchedAtMs < SILENT_MS;
}

function busy(target: string, path: string, owner: ProcessMark | undefined): LocalError {
  const isElsewhere = owner !== undefined && owner.place !== ownMark().place;
  const [host] = owner?.place.split(' ') ?? [];
  const who = owner === undefined ? 'another process' : `process ${owner.pid}${isElsewhere ? ` on ${host}` : ''}`;
  const orElse = isElsewhere
    ? `, choose another name, or remove ${path} if that process is gone`
    : ', or choose another name';
  return new LocalError(`Cannot download to ${target}: ${who} is downloading to it; wait for it${orElse}`);
}
