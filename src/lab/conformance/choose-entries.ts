import { catalogue, resized } from '../catalogue.ts';
import type { CatalogueEntry } from '../catalogue-entry.ts';
import { defaultResource } from '../representation.ts';

/** Which scenarios a scorecard is about. */
export interface Choice {
  /** @default the catalogue */
  readonly entries?: readonly CatalogueEntry[];
  /** Names of scenarios or families; the others are not played. */
  readonly only?: readonly string[];
  /** Names of scenarios or families that are not played. */
  readonly except?: readonly string[];
  /** Bytes of every file; places in it grow and shrink along. @default what each scenario says */
  readonly sizeBytes?: number;
}

export const leastSizeBytes = 64 * 1024;

/** @throws TypeError for a name that nothing has. */
export function chooseEntries({ entries = catalogue, only, except, sizeBytes }: Choice): readonly CatalogueEntry[] {
  const wanted = only && chosen(entries, only);
  const unwanted = chosen(entries, except ?? []);
  const kept = entries.filter((entry) => (wanted?.has(entry) ?? true) && !unwanted.has(entry));
  if (kept.length === 0) throw new TypeError('Cannot judge the client as at least one scenario must be left to play');
  return sizeBytes === undefined ? kept : kept.map((entry) => inSize(entry, sizeBytes));
}

function chosen(entries: readonly CatalogueEntry[], names: readonly string[]): ReadonlySet<CatalogueEntry> {
  const found = names.map((name) => {
    const named = entries.filter(({ scenario, family }) => scenario.name === name || family === name);
    if (named.length > 0) return named;
    throw new TypeError(
      `Cannot choose scenarios as a name must be that of a scenario or a family: received ${JSON.stringify(name)}${similar(entries, name)}`,
    );
  });
  return new Set(found.flat());
}

function similar(entries: readonly CatalogueEntry[], name: string): string {
  const names = [...new Set(entries.flatMap(({ scenario, family }) => [scenario.name, family]))];
  const near = names.filter(
    (other) => other.includes(name) || name.includes(other) || other.startsWith(name.slice(0, 3)),
  );
  return near.length === 0 ? '' : ` (similar: ${near.slice(0, 8).join(', ')})`;
}

function inSize(entry: CatalogueEntry, sizeBytes: number): CatalogueEntry {
  const { resource = {} } = entry.scenario;
  // A body verbatim has the size that it has.
  if (resource.bodyText !== undefined) return entry;
  const scenario = resized(entry.scenario, sizeBytes / (resource.sizeBytes ?? defaultResource.sizeBytes));
  return { ...entry, scenario: { ...scenario, resource: { ...resource, sizeBytes } } };
}
