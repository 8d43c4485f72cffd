import type { PushbackFields, ResponseFields } from '../core/index.ts';

/** Response headers as undici's parser hands them over: name, value, name, value; a value may be a list. */
export type RawHeaders = readonly (Buffer | string | readonly (Buffer | string)[])[];

/** The fields that decisions read, and no other: this runs once for every response. */
export interface PickedFields extends ResponseFields, PushbackFields {
  readonly location?: string | undefined;
}

type Field = keyof PickedFields;

const wanted: readonly (readonly [name: string, field: Field])[] = [
  ['date', 'date'],
  ['etag', 'etag'],
  ['location', 'location'],
  ['retry-after', 'retryAfter'],
  ['content-type', 'contentType'],
  ['last-modified', 'lastModified'],
  ['content-range', 'contentRange'],
  ['accept-ranges', 'acceptRanges'],
  ['content-length', 'contentLength'],
  ['retry-after-ms', 'retryAfterMs'],
  ['ratelimit-reset', 'rateLimitReset'],
  ['content-encoding', 'contentEncoding'],
  ['x-ratelimit-reset', 'rateLimitReset'],
  ['transfer-encoding', 'transferEncoding'],
  ['ratelimit-remaining', 'rateLimitRemaining'],
  ['x-ratelimit-remaining', 'rateLimitRemaining'],
];

/** By the length of the name: most headers are passed over without reading a letter of them. */
const wantedByLength: (typeof wanted)[] = [];
for (const entry of wanted) wantedByLength[entry[0].length] = [...(wantedByLength[entry[0].length] ?? []), entry];

/** One shape for the fields of every server, whatever it sends and in which order. */
class Picked implements PickedFields {
  date: string | undefined = undefined;
  etag: string | undefined = undefined;
  location: string | undefined = undefined;
  retryAfter: string | undefined = undefined;
  contentType: string | undefined = undefined;
  lastModified: string | undefined = undefined;
  contentRange: string | undefined = undefined;
  acceptRanges: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  retryAfterMs: string | undefined = undefined;
  rateLimitReset: string | undefined = undefined;
  contentEncoding: string | undefined = undefined;
  transferEncoding: string | undefined = undefined;
  rateLimitRemaining: string | undefined = undefined;
}

export function pickFields(raw: RawHeaders): PickedFields {
  const picked = new Picked();
  let dateAt = -1;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const field = fieldOf(raw[i] as Buffer | string);
    if (field === undefined) continue;
    if (field === 'date') dateAt = i;
    else add(picked, field, raw[i + 1]!);
  }
  // Every answer has one, and few have anything that it is compared with.
  if (dateAt >= 0 && isDated(picked)) add(picked, 'date', raw[dateAt + 1]!);
  return picked;
}

function isDated({ lastModified, retryAfter, rateLimitReset }: PickedFields): boolean {
  return lastModified !== undefined || retryAfter !== undefined || rateLimitReset !== undefined;
}

function add(picked: Picked, field: Field, value: RawHeaders[number]): void {
  const before = picked[field];
  // Sent under both of its names: the first counts.
  if (before !== undefined && field.startsWith('rateLimit')) return;
  const joined = Array.isArray(value) ? value.map(text).join(', ') : text(value as Buffer | string);
  picked[field] = before === undefined ? joined : `${before}, ${joined}`;
}

function fieldOf(name: Buffer | string): Field | undefined {
  const candidates = wantedByLength[name.length];
  if (candidates === undefined) return undefined;
  for (let i = 0; i < candidates.length; i += 1) if (isNamed(name, candidates[i]![0])) return candidates[i]![1];
  return undefined;
}

/** Compares without making a string of the name. In bytes of field names the bit 0x20 is only that of the case. */
function isNamed(name: Buffer | string, lower: string): boolean {
  if (typeof name === 'string') return name.toLowerCase() === lower;
  for (let i = 0; i < lower.length; i += 1) if ((name[i]! | 0x20) !== lower.charCodeAt(i)) return false;
  return true;
}

function text(value: Buffer | string): string {
  return typeof value === 'string' ? value : value.toString('latin1');
}

/** What new-style handlers expect: names in lower case, repeated ones as a list. */
export function toHeaderRecord(raw: RawHeaders): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = text(raw[i] as Buffer | string).toLowerCase();
    const value = raw[i + 1]!;
    const values = Array.isArray(value) ? value.map(text) : [text(value as Buffer | string)];
    const before = record[name];
    const all = before === undefined ? values : [...(Array.isArray(before) ? before : [before]), ...values];
    record[name] = all.length === 1 ? all[0]! : all;
  }
  return record;
}

/** The way back: a record of headers as the raw list that old-style handlers expect. */
export function toRawHeaders(record: Readonly<Record<string, string | readonly string[] | undefined>>): Buffer[] {
  const raw: Buffer[] = [];
  for (const [name, value] of Object.entries(record)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) raw.push(Buffer.from(name, 'latin1'), Buffer.from(String(one), 'latin1'));
    }
  }
  return raw;
}
