/** What a request's conditions and range mean for one representation (RFC 9110, 13 and 14). Pure. */

export interface Validators {
  readonly etag?: string;
  readonly lastModifiedMs?: number;
}

export interface Span {
  /** First byte. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export type Selected =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly span: Span }
  | { readonly kind: 'not-satisfiable' }
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'precondition-failed' };

/** Chooses the answer in the order of RFC 9110 13.2.2. */
export function select(
  method: string,
  headers: Readonly<Record<string, string>>,
  validators: Validators,
  sizeBytes: number,
): Selected {
  if (failsPrecondition(headers, validators)) return { kind: 'precondition-failed' };
  if (method !== 'GET' && method !== 'HEAD') return { kind: 'whole' };
  if (isNotModified(headers, validators)) return { kind: 'not-modified' };
  const range = headers.range;
  if (range === undefined || method !== 'GET') return { kind: 'whole' };
  if (headers['if-range'] !== undefined && !matchesIfRange(headers['if-range'], validators)) return { kind: 'whole' };
  return selectRange(range, sizeBytes);
}

/** One byte range; anything else (other units, several ranges, nonsense) is ignored, as the RFC allows. */
export function selectRange(range: string, sizeBytes: number): Selected {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range.replaceAll(' ', ''));
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return { kind: 'whole' };
  if (first === '') {
    const suffixBytes = Number(last);
    if (suffixBytes === 0) return { kind: 'not-satisfiable' };
    if (sizeBytes === 0) return { kind: 'not-satisfiable' };
    return { kind: 'part', span: { from: Math.max(0, sizeBytes - suffixBytes), to: sizeBytes } };
  }
  const from = Number(first);
  const to = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < from) return { kind: 'whole' };
  if (from >= sizeBytes) return { kind: 'not-satisfiable' };
  return { kind: 'part', span: { from, to } };
}

/** RFC 9110 13.1.5: a strong ETag by strong comparison, a date only if it is exactly Last-Modified. */
export function matchesIfRange(value: string, { etag, lastModifiedMs }: Validators): boolean {
  if (value.startsWith('"')) return etag !== undefined && etag === value;
  if (value.startsWith('W/')) return false;
  return lastModifiedMs !== undefined && Date.parse(value) === lastModifiedMs;
}

function failsPrecondition(headers: Readonly<Record<string, string>>, validators: Validators): boolean {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined) {
    return ifMatch.trim() !== '*' && !tagsOf(ifMatch).some((tag) => !tag.startsWith('W/') && tag === validators.etag);
  }
  const since = headers['if-unmodified-since'];
  if (since === undefined || validators.lastModifiedMs === undefined) return false;
  return validators.lastModifiedMs > Date.parse(since);
}

function isNotModified(headers: Readonly<Record<string, string>>, { etag, lastModifiedMs }: Validators): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return true;
    return etag !== undefined && tagsOf(ifNoneMatch).some((tag) => opaque(tag) === opaque(etag));
  }
  const since = headers['if-modified-since'];
  return since !== undefined && lastModifiedMs !== undefined && lastModifiedMs <= Date.parse(since);
}

function tagsOf(list: string): readonly string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '');
}
