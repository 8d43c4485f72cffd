/** Digests as indexes of packages write them. */
import { createHash, type Hash } from 'node:crypto';
import type { Checksum } from '../download/index.ts';

const hexDigits = { sha512: 128, sha256: 64, sha1: 40, md5: 32 } as const;
type Algorithm = keyof typeof hexDigits;

export function hexDigest(algorithm: string, hex: unknown): Checksum | undefined {
  if (typeof hex !== 'string' || !Object.hasOwn(hexDigits, algorithm)) return undefined;
  const known = algorithm as Algorithm;
  const isRight = hex.length === hexDigits[known] && /^[0-9a-f]+$/i.test(hex);
  return isRight ? { algorithm: known, hex: hex.toLowerCase() } : undefined;
}

/** Subresource Integrity; of several the strongest. */
export function sriDigest(text: unknown): Checksum | undefined {
  if (typeof text !== 'string') return undefined;
  const found = text
    .trim()
    .split(/\s+/)
    .map((one) => /^(sha512|sha256|sha1)-([A-Za-z0-9+/]+={0,2})(?:\?\S*)?$/.exec(one))
    .map((match) => match && hexDigest(match[1]!, Buffer.from(match[2]!, 'base64').toString('hex')))
    .filter((one) => one !== null && one !== undefined);
  return strongest(found);
}

/** `sha256=HEX`, as in the fragment of a link of a simple index (PEP 503). */
export function pairDigest(text: string | undefined): Checksum | undefined {
  const match = /(?:^|[#&])(sha512|sha256|sha1|md5)=([0-9a-f]+)/i.exec(text ?? '');
  return match === null ? undefined : hexDigest(match[1]!.toLowerCase(), match[2]);
}

export function strongest(found: readonly Checksum[]): Checksum | undefined {
  return (Object.keys(hexDigits) as Algorithm[])
    .map((algorithm) => found.find((one) => one.algorithm === algorithm))
    .find((one) => one !== undefined);
}

export function writeDigest(digest: Checksum | undefined): string {
  return digest === undefined ? '' : `${digest.algorithm}=${digest.hex}`;
}

export function isSameDigest(a: Checksum | undefined, b: Checksum | undefined): boolean {
  return a?.algorithm === b?.algorithm && a?.hex === b?.hex;
}

export function startHash(algorithm: string): Hash {
  return createHash(algorithm);
}
