/** Where the state of one host is kept: in this process, or in a folder that all processes of the user share. */
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Runtime, sleep, systemRuntime } from '../runtime/index.ts';
import type { HostState } from './host-share.ts';
import { isGone, isMark, ownMark, type ProcessMark } from './process-mark.ts';

export interface HostStore {
  /** The last written state; undefined where there is none, or none that can be read. */
  peek(): HostState | undefined;
  /** Nobody else changes it meanwhile. */
  change(next: (state: HostState | undefined) => HostState): Promise<HostState>;
  close(): void;
}

export class OwnHostStore implements HostStore {
  #state: HostState | undefined;

  peek(): HostState | undefined {
    return this.#state;
  }

  async change(next: (state: HostState | undefined) => HostState): Promise<HostState> {
    this.#state = next(this.#state);
    return this.#state;
  }

  close(): void {}
}

/** How long somebody else may change it before he is taken for stopped in the middle: he needs less than 1 ms. */
const MAX_LOCK_WAIT_MS = 2_000;
const LOCK_RETRY_MS = 8;

let openedCount = 0;

/**
 * `HOST.json` is replaced as a whole, under `HOST.lock`, a hard link to a file with our process id: made in one step, and
 * found stale by everybody when we have gone. The steps under the lock are synchronous: they take less time than one
 * turn of a busy event loop, for which all other processes would have to wait.
 */
export class FolderHostStore implements HostStore {
  readonly #path: string;
  readonly #lock: string;
  readonly #own: string;
  readonly #runtime: Runtime;

  /** @throws where the folder cannot be written, or has no hard links */
  constructor(folder: string, host: string, runtime: Runtime = systemRuntime) {
    openedCount += 1;
    const name = createHash('sha256').update(host).digest('hex').slice(0, 16);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#runtime = runtime;
    this.#path = join(folder, `${name}.json`);
    this.#lock = join(folder, `${name}.lock`);
    this.#own = join(folder, `${name}.${process.pid}-${openedCount}`);
    for (const left of leftovers(readdirSync(folder))) rmSync(join(folder, left), { force: true });
    rmSync(this.#own, { force: true });
    writeFileSync(this.#own, JSON.stringify(ownMark()), { mode: 0o600 });
    const probe = `${this.#own}.probe`;
    rmSync(probe, { force: true });
    linkSync(this.#own, probe);
    rmSync(probe, { force: true });
  }

  peek(): HostState | undefined {
    try {
      return stateIn(readFileSync(this.#path, 'utf8'));
    } catch {
      return undefined;
    }
  }

  async change(next: (state: HostState | undefined) => HostState): Promise<HostState> {
    await this.#takeLock();
    try {
      const state = next(this.peek());
      const fresh = `${this.#own}.new`;
      writeFileSync(fresh, JSON.stringify(state), { mode: 0o600 });
      renameSync(fresh, this.#path);
      return state;
    } finally {
      rmSync(this.#lock, { force: true });
    }
  }

  async #takeLock(): Promise<void> {
    const { clock, random } = this.#runtime;
    const untilMs = clock.nowMs() + MAX_LOCK_WAIT_MS;
    while (!this.#linked()) {
      const owner = ownerOf(this.#lock);
      const isStale = owner !== undefined && isGone(owner);
      if (isStale || clock.nowMs() > untilMs) this.#moveAway(owner);
      else await sleep(clock, 1 + random() * LOCK_RETRY_MS);
    }
  }

  #linked(): boolean {
    try {
      linkSync(this.#own, this.#lock);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** Only the lock that was looked at is thrown away: one taken meanwhile goes back. */
  #moveAway(owner: ProcessMark | undefined): void {
    const aside = `${this.#own}.stale`;
    try {
      renameSync(this.#lock, aside);
    } catch {
      return;
    }
    const moved = ownerOf(aside);
    if (moved?.pid !== owner?.pid) {
      try {
        linkSync(aside, this.#lock);
      } catch {
        // Somebody else has it by now.
      }
    }
    rmSync(aside, { force: true });
  }

  close(): void {
    for (const end of ['', '.new', '.stale']) rmSync(`${this.#own}${end}`, { force: true });
  }
}

/** What processes that have gone left beside the state. */
function leftovers(names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    const pid = Number(/^[0-9a-f]{16}\.(\d+)-\d+/.exec(name)?.[1]);
    return pid > 0 && isGone({ ...ownMark(), pid, startedAt: undefined });
  });
}

function ownerOf(path: string): ProcessMark | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isMark(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Written by us; but a folder of the user's is foreign input. */
function stateIn(text: string): HostState | undefined {
  try {
    const value = JSON.parse(text) as HostState;
    const numbers = [value.limit, value.changedAtMs, value.loweredAtMs, value.holdUntilMs, value.worked, value.cuts];
    const all = [...numbers, value.bytes, value.cutsIgnoredUntilMs];
    if (!all.every((one) => Number.isFinite(one)) || value.limit < 1 || !Array.isArray(value.members)) return undefined;
    return { ...value, limit: Math.floor(value.limit), members: value.members.filter(isMember) };
  } catch {
    return undefined;
  }
}

function isMember(value: unknown): boolean {
  if (!isMark(value)) return false;
  const { n, seenAtMs, held, waiting, extras, waitsSinceMs, holdsSinceMs } = value as unknown as Record<
    string,
    unknown
  >;
  return [n, seenAtMs, held, waiting, extras, waitsSinceMs, holdsSinceMs].every(
    (one) => typeof one === 'number' && Number.isFinite(one) && one >= 0,
  );
}
