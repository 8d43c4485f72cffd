/** Takes the expected digest from a list that others publish beside their files. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ConfigError, redactUrl, show } from '../core/index.ts';
import type { Client } from '../http/index.ts';
import { type Checksum, type ChecksumSource, findInList } from './checksum.ts';

export interface ListLookup {
  readonly url: string;
  readonly target: string | undefined;
  readonly client: Client;
  readonly signal: AbortSignal | undefined;
}

/** @throws ConfigError if the list cannot be read or has no entry; what the client throws if it cannot be fetched */
export async function lookUpChecksum(source: ChecksumSource, lookup: ListLookup): Promise<Checksum> {
  if (source.kind === 'digest') return source.checksum;
  const { url, target } = lookup;
  const text = await readList(source.place, lookup);
  const names = [nameIn(url), target === undefined ? undefined : basename(target)].filter((name) => name !== undefined);
  const found = findInList(text, names);
  if (found !== undefined) return found;
  throw new ConfigError(
    `Cannot use the checksum list as it must have an entry for ${names.join(' or ')}: received ${show(redactUrl(source.place))}`,
  );
}

async function readList(place: string, { client, signal }: ListLookup): Promise<string> {
  if (/^https?:\/\//i.test(place)) return client.text(place, signal === undefined ? {} : { signal });
  try {
    return await readFile(place, 'utf8');
  } catch {
    throw new ConfigError(`Cannot use the checksum as it must be a digest or a readable list: received ${show(place)}`);
  }
}

function nameIn(url: string): string | undefined {
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return last === '' ? undefined : decodeURIComponent(last);
  } catch {
    return last;
  }
}
