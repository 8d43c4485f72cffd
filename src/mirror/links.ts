/**
 * Addresses that an index names outside of its upstream's own (files.pythonhosted.org). The mirror fetches such a one only
 * because an index named it: the link that clients get is signed, and nobody else can make one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Checksum } from '../download/index.ts';
import { pairDigest, writeDigest } from './digests.ts';

export interface NamedFile {
  readonly url: string;
  /** What the index promises of the file. */
  readonly digest: Checksum | undefined;
  /** Of the metadata beside it (PEP 658). */
  readonly metadataDigest: Checksum | undefined;
}

const SIGNATURE_LETTERS = 22;

export class Links {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** One path segment of unreserved letters only: clients quote others in ways of their own. */
  write(origin: string, { url, digest, metadataDigest }: NamedFile): string {
    const text = [url, writeDigest(digest), writeDigest(metadataDigest)].join('\n');
    return `${Buffer.from(text).toString('base64url')}.${this.#sign(origin, text)}`;
  }

  /** Undefined where this mirror has not written it. */
  read(origin: string, token: string): NamedFile | undefined {
    const [, payload = '', signature = ''] = /^([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
    const text = Buffer.from(payload, 'base64url').toString();
    const wanted = this.#sign(origin, text);
    if (signature.length !== wanted.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(wanted)))
      return undefined;
    const [url = '', digest, metadataDigest] = text.split('\n');
    return { url, digest: pairDigest(digest), metadataDigest: pairDigest(metadataDigest) };
  }

  #sign(origin: string, text: string): string {
    const signature = createHmac('sha256', this.#key).update(`${origin}\n${text}`).digest('base64url');
    return signature.slice(0, SIGNATURE_LETTERS);
  }
}
