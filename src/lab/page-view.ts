import type { CatalogueEntry } from './catalogue-entry.ts';
import type { Run } from './run.ts';

/** What the pages show. */
export interface LabView {
  readonly origin: string;
  readonly ca: string;
  readonly entries: readonly CatalogueEntry[];
  readonly runs: ReadonlyMap<string, Run>;
  /** Makes names of runs that were not shown before, so that a copied command begins anew. */
  readonly viewCount: number;
}

/** A scenario as a page lists it. */
export interface Listed {
  readonly entry: CatalogueEntry;
  readonly url: string;
  readonly recordUrl: string;
  /** Why it cannot be played here. */
  readonly unplayable: string | undefined;
}
