import { formatBytes, groupDigits } from '../core/index.ts';
import { ArchiveError } from './archive-error.ts';
import { type Limits, RATIO_GRACE_BYTES } from './limits.ts';

/** Counts what an archive asks for, and refuses what is more than was allowed. */
export class Tally {
  entries = 0;
  /** Content of files. */
  bytes = 0;
  /** The entry at hand, or the last one. */
  entry: string | undefined;
  /** Out of the decoder: content, and what is around it. */
  #plainBytes = 0;
  readonly #limits: Limits;
  readonly #archiveBytes: () => number;

  /** @param archiveBytes how much of the archive was read for what is counted */
  constructor(limits: Limits, archiveBytes: () => number) {
    this.#limits = limits;
    this.#archiveBytes = archiveBytes;
  }

  get atByte(): number {
    return this.#archiveBytes();
  }

  beginEntry(name: string): void {
    this.entry = name;
    this.entries += 1;
    if (this.entries > this.#limits.maxEntries)
      this.#refuse(`more than ${groupDigits(this.#limits.maxEntries)} entries`);
  }

  addPlain(bytes: number): void {
    const { maxBytes, maxRatio } = this.#limits;
    this.#plainBytes += bytes;
    if (this.#plainBytes > maxBytes) this.#refuse(`more than ${formatBytes(maxBytes)} unpacked`);
    if (this.#plainBytes <= RATIO_GRACE_BYTES || this.#plainBytes <= this.#archiveBytes() * maxRatio) return;
    this.#refuse(`more than ${groupDigits(maxRatio)} bytes unpacked for each of its own, as bombs do`);
  }

  #refuse(what: string): never {
    throw new ArchiveError({ trouble: 'limit', what, entry: this.entry, atByte: this.atByte });
  }
}
