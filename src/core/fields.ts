/** Parsers of the HTTP fields that decisions rest on. Foreign input is data: each returns a value or `undefined`. */

/** A parsed `Content-Range: bytes first-last/total` (RFC 9110, 14.4). `totalBytes` is undefined for `*`. */
export interface ContentRange {
  readonly firstByte: number;
  /** Inclusive, as on the wire. */
  readonly lastByte: number;
  readonly totalBytes: number | undefined;
}

const contentRangePattern = /^bytes\s+(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i;

export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const match = text === undefined ? null : contentRangePattern.exec(text.trim());
  if (match === null) return undefined;
  const firstByte = Number(match[1]);
  const lastByte = Number(match[2]);
  const totalBytes = match[3] === '*' ? undefined : Number(match[3]);
  if (lastByte < firstByte || !Number.isSafeInteger(lastByte)) return undefined;
  if (totalBytes !== undefined && (lastByte >= totalBytes || !Number.isSafeInteger(totalBytes))) return undefined;
  return { firstByte, lastByte, totalBytes };
}

/** The total of `Content-Range: bytes * /total`, as a 416 carries it (RFC 9110, 15.5.17). */
export function parseUnsatisfiedRange(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /^bytes\s+\*\/(\d{1,16})$/i.exec(text.trim());
  return match === null ? undefined : safe(match[1]!);
}

/** A number that is exact; past 2^53 a sum of bytes would not be. */
function safe(digits: string): number | undefined {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A caller's own `Range`: one range of bytes, or something that is passed through untouched (RFC 9110, 14.1.2). */
export type RequestedRange =
  | { readonly kind: 'from'; readonly firstByte: number; readonly lastByte: number | undefined }
  | { readonly kind: 'last'; readonly bytes: number }
  | { readonly kind: 'other' };

export function parseRange(text: string | undefined): RequestedRange | undefined {
  if (text === undefined) return undefined;
  const one = /^bytes\s*=\s*(\d{1,15})?\s*-\s*(\d{1,15})?$/i.exec(text.trim());
  if (one === null || (one[1] === undefined && one[2] === undefined)) return { kind: 'other' };
  if (one[1] === undefined) return { kind: 'last', bytes: Number(one[2]) };
  return { kind: 'from', firstByte: Number(one[1]), lastByte: one[2] === undefined ? undefined : Number(one[2]) };
}

/** A length in bytes. `12, 12` (a repeated field that agrees) is 12; anything else that is no number is undefined. */
export function parseLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const length = parseDigits(text);
  if (length !== undefined) return length;
  const values = new Set(text.split(',').map((value) => value.trim()));
  const [only] = values;
  return values.size === 1 && only !== undefined ? parseDigits(only) : undefined;
}

const MAX_DIGITS = 16;

/** A loop: this runs for every answer, and is several times as fast as a pattern and `Number`. */
function parseDigits(text: string): number | undefined {
  if (text.length === 0 || text.length > MAX_DIGITS) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

/** An entity-tag that is well formed, as sent; `W/"…"` included (RFC 9110, 8.8.3). */
export function parseEntityTag(text: string | undefined): string | undefined {
  const tag = text?.trim();
  return tag !== undefined && /^(W\/)?"[^"\r\n]*"$/.test(tag) ? tag : undefined;
}

export function isStrongEntityTag(tag: string | undefined): tag is string {
  return tag?.startsWith('"') === true;
}

/** The media type without parameters, in lower case. */
export function mediaType(text: string | undefined): string {
  if (text === undefined) return '';
  const end = text.indexOf(';');
  return (end < 0 ? text : text.slice(0, end)).trim().toLowerCase();
}

const noCodings: readonly string[] = [];

/** The content-codings in order, in lower case, `identity` left out. */
export function contentCodings(text: string | undefined): readonly string[] {
  if (text === undefined) return noCodings;
  return text
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
}
