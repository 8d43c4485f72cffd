/** Where two wrong copies of a file differ: digests of their blocks, taken only when something is wrong. */
import { createHash } from 'node:crypto';
import { groupDigits } from '../core/index.ts';
import type { DiskFile } from './disk.ts';

const BLOCK_BYTES = 4 * 1_048_576;
/** More places than these say no more. */
const MAX_PLACES = 3;

export async function digestBlocks(
  file: Pick<DiskFile, 'read'>,
  bytes: number,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const digests: string[] = [];
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let at = 0; at < bytes; at += BLOCK_BYTES) {
    signal?.throwIfAborted();
    const wanted = Math.min(BLOCK_BYTES, bytes - at);
    let got = 0;
    while (got < wanted) {
      const count = await file.read(buffer.subarray(got, wanted), at + got);
      if (count === 0) break;
      got += count;
    }
    digests.push(createHash('sha256').update(buffer.subarray(0, got)).digest('base64'));
  }
  return digests;
}

/** `the two copies differ in bytes 4,194,304 to 8,388,607`; undefined where nothing can be compared. */
export function describeDifference(
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): string | undefined {
  if (before === undefined || after === undefined) return undefined;
  const places: { from: number; to: number }[] = [];
  for (let i = 0; i < Math.max(before.length, after.length); i += 1) {
    if (before[i] === after[i]) continue;
    const last = places.at(-1);
    if (last?.to === i) last.to = i + 1;
    else places.push({ from: i, to: i + 1 });
  }
  if (places.length === 0) return undefined;
  const shown = places
    .slice(0, MAX_PLACES)
    .map(({ from, to }) => `${groupDigits(from * BLOCK_BYTES)} to ${groupDigits(to * BLOCK_BYTES - 1)}`);
  const more = places.length > MAX_PLACES ? ` and ${places.length - MAX_PLACES} more places` : '';
  return `the two copies differ in bytes ${shown.join(', ')}${more}`;
}
