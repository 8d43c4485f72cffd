/** What is written of a kept answer: one line, and a line that proves the first. What cannot be proven is not there. */
import { createHash } from 'node:crypto';
import type { StoredPolicy } from './freshness.ts';

export interface CacheRecord {
  readonly key: string;
  /** Where it came from in the end. */
  readonly url: string;
  readonly status: number;
  /** SHA-256 of the body, which is its name. */
  readonly sha256: string;
  readonly bytes: number;
  /** What an index promised of it, and it was: `sha512=HEX`; empty where nothing was promised. */
  readonly proof: string;
  readonly policy: StoredPolicy;
}

const VERSION = 1;

export function writeRecord(record: CacheRecord): string {
  const line = JSON.stringify({ version: VERSION, ...record });
  return `${line}\n${digestOf(line)}\n`;
}

/** Undefined for what is torn, damaged, of another version, or about another key. */
export function readRecord(text: string, key: string): CacheRecord | undefined {
  const [line = '', digest = '', end] = text.split('\n');
  if (end !== '' || digestOf(line) !== digest) return undefined;
  const record = JSON.parse(line) as CacheRecord & { readonly version: number };
  return record.version === VERSION && (key === '' || record.key === key) ? record : undefined;
}

function digestOf(line: string): string {
  return createHash('sha256').update(line).digest('hex');
}
