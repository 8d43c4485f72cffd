import { createHash, type Hash } from 'node:crypto';
import type { DigestAlgorithm } from './checksum.ts';

/** Digests of bytes that come in their order. */
export class RunningDigests {
  readonly #hashes = new Map<DigestAlgorithm, Hash>();

  constructor(algorithms: Iterable<DigestAlgorithm>) {
    for (const algorithm of new Set<DigestAlgorithm>(['sha256', ...algorithms])) {
      this.#hashes.set(algorithm, createHash(algorithm));
    }
  }

  update(bytes: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  /** Lower-case hex of what came so far; more may follow. */
  hexes(): ReadonlyMap<DigestAlgorithm, string> {
    return new Map([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.copy().digest('hex')]));
  }
}
