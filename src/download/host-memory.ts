/** What is remembered of hosts between runs: one small file in the state folder, never more than a hint. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostMemory } from './sources.ts';

const FILE = 'hosts.json';
const MAX_HOSTS = 500;

export async function recallHosts(folder: string | undefined): Promise<ReadonlyMap<string, HostMemory>> {
  if (folder === undefined) return new Map();
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, FILE), 'utf8'));
    return new Map(Object.entries(value as Record<string, HostMemory>).filter(([, one]) => isMemory(one)));
  } catch {
    return new Map();
  }
}

function isMemory(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { bytesPerSecond, failedAtMs } = value as HostMemory;
  return [bytesPerSecond, failedAtMs].every((one) => one === undefined || Number.isFinite(one));
}

/** Another process may write at the same time: the file is always whole, and the last one wins. */
export async function rememberHosts(folder: string | undefined, news: ReadonlyMap<string, HostMemory>): Promise<void> {
  if (folder === undefined || news.size === 0) return;
  try {
    const before = await recallHosts(folder);
    const kept = [...before].filter(([host]) => !news.has(host));
    const all = Object.fromEntries([...news, ...kept].slice(0, MAX_HOSTS));
    await mkdir(folder, { recursive: true });
    const next = join(folder, `${FILE}.${process.pid}`);
    await writeFile(next, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
    await rename(next, join(folder, FILE));
  } catch {
    // A download does not fail for what would have made the next one a little faster.
  }
}
