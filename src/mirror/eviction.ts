/** Which kept answers go when the cache is full: those that were not used for longest. Other processes may do the same. */
import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecord } from './cache-record.ts';

interface KeptEntry {
  readonly path: string;
  readonly usedAtMs: number;
  readonly sha256: string;
}

interface KeptBody {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly madeAtMs: number;
}

/** A body is there a moment before the entry that names it. */
const YOUNG_MS = 60_000;

export async function usedBytesOf(root: string): Promise<number> {
  const bodies = await bodiesIn(root);
  return bodies.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** @returns what is used afterwards */
export async function evict(root: string, maxBytes: number, keptBytes: number): Promise<number> {
  const bodies = await bodiesIn(root);
  let used = bodies.reduce((sum, { bytes }) => sum + bytes, 0);
  if (used <= maxBytes) return used;
  const entries = (await entriesIn(root)).sort((a, b) => a.usedAtMs - b.usedAtMs);
  const holders = new Map<string, number>();
  for (const { sha256 } of entries) holders.set(sha256, (holders.get(sha256) ?? 0) + 1);
  const byDigest = new Map(bodies.map((body) => [body.sha256, body]));
  const remove = async (body: KeptBody) => {
    await unlink(body.path).catch(() => {});
    byDigest.delete(body.sha256);
    used -= body.bytes;
  };
  const newest = Math.max(0, ...bodies.map(({ madeAtMs }) => madeAtMs));
  for (const body of bodies) if (!holders.has(body.sha256) && newest - body.madeAtMs > YOUNG_MS) await remove(body);
  for (const { path, sha256 } of entries) {
    if (used <= keptBytes) break;
    await unlink(path).catch(() => {});
    const left = holders.get(sha256)! - 1;
    holders.set(sha256, left);
    const body = byDigest.get(sha256);
    if (left === 0 && body !== undefined) await remove(body);
  }
  return used;
}

async function bodiesIn(root: string): Promise<readonly KeptBody[]> {
  return await each(join(root, 'bodies'), async (path, sha256) => {
    const { size, mtimeMs } = await stat(path);
    return { path, sha256, bytes: size, madeAtMs: mtimeMs };
  });
}

async function entriesIn(root: string): Promise<KeptEntry[]> {
  return await each(join(root, 'entries'), async (path) => {
    const [text, { mtimeMs }] = [await readFile(path, 'utf8'), await stat(path)];
    return { path, usedAtMs: mtimeMs, sha256: readRecord(text, '')?.sha256 ?? '' };
  });
}

/** What vanishes meanwhile was another process's to remove. */
async function each<T>(folder: string, read: (path: string, name: string) => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (const shelf of await readdir(folder)) {
    const names = await readdir(join(folder, shelf)).catch(() => []);
    for (const name of names) {
      const one = await read(join(folder, shelf, name), name).catch(() => undefined);
      if (one !== undefined) found.push(one);
    }
  }
  return found;
}
