import { createHash, type Hash } from 'node:crypto';
import type { DigestAlgorithm } from './checksum.ts';

/** Digests of all bytes so far, made while they are written: a second pass over a cold file costs as much as the download. */
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

  /** Lower-case hex of what came so far; more may follow. Undefined for an algorithm that was not asked for. */
  hex(algorithm: DigestAlgorithm): string | undefined {
    return this.#hashes.get(algorithm)?.copy().digest('hex');
  }
}
