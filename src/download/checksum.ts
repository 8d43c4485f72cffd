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
  return 'sha256:HEX, sha512:HEX, sha1:HEX, md5:HEX, or SRI such as sha256-BASE64';
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
