/** The digest that an answer tells of its own body (RFC 9530), held against what came. */
import { createHash, type Hash } from 'node:crypto';

export class ToldDigest {
  readonly #hash: Hash;
  readonly #told: string;

  private constructor(algorithm: string, told: string) {
    this.#hash = createHash(algorithm);
    this.#told = told;
  }

  /** Undefined where the answer tells none. Both fields are about the bytes on the wire, the content's coding included. */
  static of(status: number, headers: Readonly<Record<string, string>>): ToldDigest | undefined {
    if (status !== 200) return undefined;
    const text = headers['content-digest'] ?? headers['repr-digest'] ?? '';
    const found = /\bsha-(256|512)=:([A-Za-z0-9+/]+={0,2}):/.exec(text);
    return found === null ? undefined : new ToldDigest(`sha${found[1]}`, found[2]!);
  }

  take(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  /** Once, behind the last byte. */
  isRight(): boolean {
    return this.#hash.digest('base64').replace(/=+$/, '') === this.#told.replace(/=+$/, '');
  }
}
