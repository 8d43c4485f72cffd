/** Expected digests as people and servers write them: `sha256:HEX`, SRI (`sha256-BASE64`), and the digest fields of HTTP. */
import { ConfigError, show } from '../core/index.ts';

export type DigestAlgorithm = 'sha512' | 'sha256' | 'sha1' | 'md5';

export interface Checksum {
  readonly algorithm: DigestAlgorithm;
  /** Lower case. */
  readonly hex: string;
}

/** Strongest first: where several are offered, the first is used. */
const digestBytes: Readonly<Record<DigestAlgorithm, number>> = { sha512: 64, sha256: 32, sha1: 20, md5: 16 };
const algorithms = Object.keys(digestBytes) as readonly DigestAlgorithm[];

export function describeChecksumForms(): string {
  return 'sha256:HEX, sha512:HEX, sha1:HEX, md5:HEX, SRI such as sha256-BASE64, or the path or URL of a SHA256SUMS file';
}

/** A digest itself, or where to find it. */
export type ChecksumSource =
  | { readonly kind: 'digest'; readonly checksum: Checksum }
  | { readonly kind: 'file'; readonly place: string };

/**
 * Reads `--checksum`: what is no digest, and does not look like one that was mistyped, is the place of a list.
 *
 * @throws ConfigError
 */
export function parseChecksumSource(text: string, purpose: string): ChecksumSource {
  const isDigest = text
    .trim()
    .split(/\s+/)
    .some((one) => parseOne(one) !== undefined);
  const place = text.trim();
  const isAttempt = place === '' || /^(?:sha-?\d+|md-?5|crc\w*)[:-]/i.test(place) || /^[0-9a-f]{32,}$/i.test(place);
  if (isDigest || isAttempt) return { kind: 'digest', checksum: parseChecksum(text, purpose) };
  return { kind: 'file', place };
}

/** The digest of `names`' first match in a list, as `sha256sum` and its kin write them (GNU and BSD). */
export function findInList(text: string, names: readonly string[]): Checksum | undefined {
  const entries = text
    .split(/\r?\n/)
    .map(parseEntry)
    .filter((entry) => entry !== undefined);
  for (const name of names) {
    const found = entries.filter((entry) => entry.name === name || entry.name?.endsWith(`/${name}`) === true);
    if (found.length > 0) return strongestOf(found.map(({ checksum }) => checksum));
  }
  // `FILE.sha256` often holds nothing but the digest.
  const [only] = entries;
  return entries.length === 1 && only?.name === undefined ? only?.checksum : undefined;
}

interface Entry {
  readonly name: string | undefined;
  readonly checksum: Checksum;
}

function parseEntry(line: string): Entry | undefined {
  const bsd = /^(SHA-?512|SHA-?256|SHA-?1|MD5) \((.+)\) = ([0-9a-f]+)$/i.exec(line.trim());
  if (bsd !== null) return entryOf(bsd[2], checked(bsd[1]!, Buffer.from(bsd[3]!, 'hex')));
  const gnu = /^\\?([0-9a-f]{32,128})(?: [ *]?(.+))?$/i.exec(line.trim());
  const digest = Buffer.from(gnu?.[1] ?? '', 'hex');
  const algorithm = algorithms.find((one) => digestBytes[one] === digest.length);
  return algorithm === undefined ? undefined : entryOf(gnu?.[2]?.trim(), checked(algorithm, digest));
}

function entryOf(name: string | undefined, checksum: Checksum | undefined): Entry | undefined {
  return checksum === undefined ? undefined : { name: name?.replace(/^\.\//, ''), checksum };
}

/**
 * Reads a checksum as a person writes it. Of several in one text (SRI allows that) the strongest counts.
 *
 * @throws ConfigError
 */
export function parseChecksum(text: string, purpose: string): Checksum {
  const found = text.trim().split(/\s+/).map(parseOne);
  const right = found.filter((one) => one !== undefined);
  if (right.length === 0 || right.length < found.length) {
    throw new ConfigError(`Cannot ${purpose} as it must be ${describeChecksumForms()}: received ${show(text)}`);
  }
  return strongestOf(right)!;
}

function parseOne(text: string): Checksum | undefined {
  const byHex = /^([a-z]+-?\d+):([0-9a-f]+)$/i.exec(text);
  if (byHex !== null) return checked(byHex[1]!, Buffer.from(byHex[2]!, 'hex'));
  const bySri = /^([a-z]+\d+)-([A-Za-z0-9+/]+={0,2})(?:\?\S*)?$/.exec(text);
  return bySri === null ? undefined : checked(bySri[1]!, Buffer.from(bySri[2]!, 'base64'));
}

function checked(name: string, digest: Buffer): Checksum | undefined {
  const plain = name.toLowerCase().replace('-', '');
  const algorithm = algorithms.find((one) => one === plain);
  if (algorithm === undefined || digest.length !== digestBytes[algorithm]) return undefined;
  return { algorithm, hex: digest.toString('hex') };
}

function strongestOf(checksums: readonly Checksum[]): Checksum | undefined {
  return algorithms
    .map((algorithm) => checksums.find((one) => one.algorithm === algorithm))
    .find((one) => one !== undefined);
}

/** What digests rest on in an answer; names in lower case. */
export interface DigestHeaders {
  readonly [name: string]: string | readonly string[] | undefined;
}

/**
 * The digest that the server promises for the whole representation: `Repr-Digest` (RFC 9530, 3), `Content-Digest` where
 * the content is the whole representation (a 200), or the old `Digest` (RFC 3230). Undefined where there is none to use.
 */
export function serverDigestOf(headers: DigestHeaders, isWhole: boolean): Checksum | undefined {
  return (
    strongestOf(parseStructured(headers['repr-digest'])) ??
    (isWhole ? strongestOf(parseStructured(headers['content-digest'])) : undefined) ??
    strongestOf(parseLegacy(headers.digest))
  );
}

/** `sha-256=:BASE64:, sha-512=:BASE64:` */
function parseStructured(value: string | readonly string[] | undefined): readonly Checksum[] {
  return [...joined(value).matchAll(/(?:^|,)\s*([a-z0-9-]+)=:([A-Za-z0-9+/=]+):/gi)]
    .map((match) => checked(match[1]!, Buffer.from(match[2]!, 'base64')))
    .filter((one) => one !== undefined);
}

/** `SHA-256=BASE64,md5=BASE64`; `sha` is SHA-1 there. */
function parseLegacy(value: string | readonly string[] | undefined): readonly Checksum[] {
  return [...joined(value).matchAll(/(?:^|,)\s*([a-z0-9-]+)=([A-Za-z0-9+/]+={0,2})(?=\s*(?:,|$))/gi)]
    .map((match) => checked(/^sha$/i.test(match[1]!) ? 'sha1' : match[1]!, Buffer.from(match[2]!, 'base64')))
    .filter((one) => one !== undefined);
}

function joined(value: string | readonly string[] | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : value.join(', ');
}
