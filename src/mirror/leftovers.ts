/** Files that were being made when their process died. Each process has a folder for them, whose name says whose it is. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isGone, ownMark, type ProcessMark } from '../download/index.ts';

/** Marks of other machines say nothing here; nothing is being made for so long. */
const ABANDONED_MS = 7 * 86_400_000;

/** Made and marked in one step: no kill comes between. */
export function makeOwnFolder(parent: string): Promise<string> {
  const { pid, startedAt = '', place } = ownMark();
  return mkdtemp(join(parent, `${pid}-${startedAt}-${nameOf(place)}-`));
}

export async function sweepLeftovers(parent: string, nowMs: number): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    const isAbandoned = await stat(folder).then(
      ({ mtimeMs }) => nowMs - mtimeMs > ABANDONED_MS,
      () => false,
    );
    const mark = markIn(name);
    if (isAbandoned || (mark !== undefined && isGone(mark))) await rm(folder, { recursive: true, force: true });
  }
}

/** Undefined where it is another machine's, or nobody's that we know. */
function markIn(name: string): ProcessMark | undefined {
  const [, pid, startedAt, place] = /^(\d+)-(\w*)-([0-9a-f]{12})-/.exec(name) ?? [];
  const own = ownMark();
  if (pid === undefined || place !== nameOf(own.place)) return undefined;
  return { pid: Number(pid), startedAt: startedAt === '' ? undefined : startedAt, place: own.place };
}

function nameOf(place: string): string {
  return createHash('sha256').update(place).digest('hex').slice(0, 12);
}
