/** Which process wrote something, so that others can see whether it still lives. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessMark {
  readonly pid: number;
  /** Tells a process from a later one with the same id, where the platform says (Linux). */
  readonly startedAt: string | undefined;
  /** The machine and its namespace of process ids: in another one an id means nothing. */
  readonly place: string;
}

let own: ProcessMark | undefined;

export function ownMark(): ProcessMark {
  own ??= { pid: process.pid, startedAt: startOf(process.pid), place: placeOfThis() };
  return own;
}

/** True only where it is certain: for processes of other machines and containers nobody here knows. */
export function isGone({ pid, startedAt, place }: ProcessMark): boolean {
  if (place !== ownMark().place) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const now = startOf(pid);
  return startedAt !== undefined && now !== undefined && now !== startedAt;
}

export function isMark(value: unknown): value is ProcessMark {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startedAt, place } = value as Partial<ProcessMark>;
  const isPid = Number.isSafeInteger(pid) && pid! > 0;
  return isPid && (startedAt === undefined || typeof startedAt === 'string') && typeof place === 'string';
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and parentheses. A zombie is gone. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}

function placeOfThis(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
