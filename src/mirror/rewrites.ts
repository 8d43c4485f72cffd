/** Rewritten indexes, so that many who ask for the same one do not each have it parsed. */
import { createHash } from 'node:crypto';
import type { Document, OriginView, Rewrite, Rewritten } from './plan.ts';

/** Of all that are remembered. */
const MAX_BYTES = 67_108_864;

export class Rewrites {
  readonly #known = new Map<string, Rewritten>();
  #bytes = 0;

  /** @param base where the client sees the origin: links lead there */
  of(document: Document, rewrite: Rewrite, base: string, origin: OriginView): Rewritten {
    const { bytes, contentType, url } = document;
    const about = createHash('sha256').update(bytes).update(`\n${base}\n${contentType}\n${url}`);
    const key = about.digest('base64');
    const known = this.#known.get(key);
    const rewritten = known ?? rewrite(document, base, origin);
    // The last used one stands last.
    if (known !== undefined) this.#known.delete(key);
    else this.#bytes += rewritten.bytes.length;
    this.#known.set(key, rewritten);
    for (const [oldest, { bytes: old }] of this.#known) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#known.delete(oldest);
      this.#bytes -= old.length;
    }
    return rewritten;
  }
}
