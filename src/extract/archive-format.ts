/** What an archive is: by its first bytes, and where they say nothing by its name or type. */

export type ArchiveFormat = 'tar' | 'tar.gz' | 'tar.zst' | 'zip';

export type FormatVerdict =
  | { readonly kind: 'known'; readonly format: ArchiveFormat }
  | { readonly kind: 'unknown'; readonly what: string };

/** What has to be seen of an archive. */
export const HEAD_BYTES = 512;

const TAR_MAGIC_AT = 257;

interface Signature {
  readonly hex: string;
  readonly is: ArchiveFormat | { readonly unsupported: string };
}

const signatures: readonly Signature[] = [
  { hex: '1f8b', is: 'tar.gz' },
  { hex: '28b52ffd', is: 'tar.zst' },
  { hex: '504b0304', is: 'zip' },
  // An empty one: only its directory.
  { hex: '504b0506', is: 'zip' },
  { hex: '504b0708', is: { unsupported: 'a zip in several parts' } },
  { hex: 'fd377a585a00', is: { unsupported: 'an xz file' } },
  { hex: '425a68', is: { unsupported: 'a bzip2 file' } },
  { hex: '377abcaf271c', is: { unsupported: 'a 7z file' } },
  { hex: '526172211a07', is: { unsupported: 'a rar file' } },
  { hex: '04224d18', is: { unsupported: 'an lz4 file' } },
];

export function detectFormat(head: Buffer, hint: string): FormatVerdict {
  if (isTarHeader(head)) return { kind: 'known', format: 'tar' };
  // A frame that zstd skips may come first (RFC 8878, 3.1.2): sixteen magic numbers, seldom anything else's.
  if (/^5.2a4d18/.test(head.toString('hex', 0, 4))) return { kind: 'known', format: 'tar.zst' };
  const signature = signatures.find(({ hex }) => head.toString('hex', 0, hex.length / 2) === hex);
  if (signature === undefined) return byHint(head, hint);
  if (typeof signature.is === 'string') return { kind: 'known', format: signature.is };
  return { kind: 'unknown', what: `it is ${signature.is.unsupported}; tar, tar.gz, tar.zst and zip can be unpacked` };
}

/** An empty tar has nothing but zeros, and a zip may begin with a program that unpacks it. */
function byHint(head: Buffer, hint: string): FormatVerdict {
  if (head.length === 0) return { kind: 'unknown', what: 'it is empty' };
  if (/\btar\b/i.test(hint) && head.every((byte) => byte === 0)) return { kind: 'known', format: 'tar' };
  if (/\bzip\b|\.(jar|whl|nupkg|apk)\b/i.test(hint) && !looksLikeText(head)) return { kind: 'known', format: 'zip' };
  return { kind: 'unknown', what: `it is no archive: it begins with ${showStart(head)}` };
}

function looksLikeText(head: Buffer): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
}

function showStart(head: Buffer): string {
  const start = head.subarray(0, 16);
  return looksLikeText(start) ? JSON.stringify(start.toString('latin1')) : `the bytes ${start.toString('hex')}`;
}

/** The magic of ustar and of GNU; before both, a header is known by its own checksum. */
export function isTarHeader(head: Buffer): boolean {
  if (head.toString('latin1', TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === 'ustar') return true;
  if (head.length < HEAD_BYTES || head[0] === 0) return false;
  const told = Number.parseInt(head.toString('latin1', 148, 156).replaceAll('\0', ' ').trim(), 8);
  let sum = 8 * 0x20;
  for (const [index, byte] of head.subarray(0, HEAD_BYTES).entries()) if (index < 148 || index >= 156) sum += byte;
  return told === sum;
}
