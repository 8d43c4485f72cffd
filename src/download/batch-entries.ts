/** The entries of a batch, checked before anything starts. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { ConfigError, redactUrl, show } from '../core/index.ts';
import type { BatchEntry } from './batch-options.ts';
import { parseChecksumSource } from './checksum.ts';
import { checkHeader } from './header-rules.ts';

export interface CheckedEntry {
  readonly index: number;
  readonly entry: BatchEntry;
  readonly url: string;
  readonly path: string;
  readonly urlSha256: string;
}

/** @throws ConfigError for the first entry that is wrong */
export function checkEntries(entries: readonly BatchEntry[], folder: string): readonly CheckedEntry[] {
  const checked = entries.map((entry, index) => {
    const mistake = mistakeIn(entry);
    if (mistake !== undefined) throw new ConfigError(`Cannot download entry ${index + 1} as ${mistake}`);
    const { href } = new URL(entry.url);
    const urlSha256 = createHash('sha256').update(href).digest('hex');
    return { index, entry, url: href, path: resolve(folder, entry.to), urlSha256 };
  });
  const twice = findTwice(checked.map(({ path }) => path));
  if (twice !== undefined) {
    const [first, second] = twice.map((index) => index + 1);
    throw new ConfigError(
      `Cannot download entries ${first} and ${second} as outputs must differ: received ${show(checked[twice[0]]!.path)} for both`,
    );
  }
  return checked;
}

/** `FIELD must …: received …`, or undefined. */
export function mistakeIn(entry: BatchEntry): string | undefined {
  const { url, to, checksum, size, headers, mirrors } = entry;
  const badUrl = mistakeInUrl('url', url) ?? mirrors?.map((one) => mistakeInUrl('mirrors', one)).find(isSaid);
  if (badUrl !== undefined) return badUrl;
  if (typeof to !== 'string' || to === '' || to.includes('\0')) return `output must be a path: received ${show(to)}`;
  if (/[/\\]$/.test(to)) return `output must be a file: received ${show(to)}, a folder`;
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) {
    return `size must be a whole number of bytes: received ${show(size)}`;
  }
  return (
    mistakeOf('checksum', () => checksum !== undefined && parseChecksumSource(checksum, 'use')) ?? inHeaders(headers)
  );
}

function inHeaders(headers: BatchEntry['headers'] = {}): string | undefined {
  for (const [name, value] of Object.entries(headers)) {
    for (const one of typeof value === 'string' ? [value] : value) {
      const mistake = mistakeOf('headers', () => checkHeader(name, one, 'use'));
      if (mistake !== undefined) return mistake;
    }
  }
  return undefined;
}

/** The words of a check that throws, without what it was about. */
function mistakeOf(field: string, check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    const text = (error as Error).message.replace(/^Cannot use as /, '');
    return text.startsWith('it ') ? `${field} ${text.slice(3)}` : `${field}: ${text}`;
  }
}

function mistakeInUrl(field: string, url: unknown): string | undefined {
  const parsed = URL.canParse(String(url)) ? new URL(String(url)) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return undefined;
  return `${field} must be an absolute http or https URL: received ${show(redactUrl(String(url)))}`;
}

function isSaid(text: string | undefined): text is string {
  return text !== undefined;
}

/** The first two that are the same file; where names differ in case alone, some file systems have one file for both. */
export function findTwice(paths: readonly string[]): readonly [number, number] | undefined {
  const ignoresCase = process.platform === 'win32' || process.platform === 'darwin';
  const seen = new Map<string, number>();
  for (const [index, path] of paths.entries()) {
    const key = ignoresCase ? path.normalize('NFC').toLowerCase() : path;
    const before = seen.get(key);
    if (before !== undefined) return [before, index];
    seen.set(key, index);
  }
  return undefined;
}
