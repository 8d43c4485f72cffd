import type { CatalogueEntry } from '../../src/lab/index.ts';

type Outcome = string | Readonly<Record<string, string>>;

/** A stream that already holds bytes of the old version cannot take them back; a whole body begins anew. */
const changed = { bytes: 'version 1', others: 'ERR_REKNIT_CONTENT_CHANGED' };
/** A final status is an answer, as `fetch` promises; whole bodies reject. */
const status = (code: number, reason: string) => ({ bytes: reason, others: `status ${code}` });
/** Nothing on the wire tells: only an expected size or digest could. */
const undecidable = 'wrong';
/** `fetch` has handed decoded bytes out by the time that the coding turns out to be damaged; `request` hands out no coding. */
const damaged = { fetch: 'ERR_REKNIT_INTEGRITY', install: 'ERR_REKNIT_INTEGRITY' };

/** Outcomes other than `version 0`, by scenario, and where they differ by the way into the client. */
const outcomes: Readonly<Record<string, Outcome>> = {
  'etag-change': changed,
  'etag-noifrange': changed,
  'noval-change': changed,
  'weak-change': changed,
  'last-modified-change': changed,
  'fresh-change': changed,
  '206-other-etag': { bytes: 'version 0', others: 'ERR_REKNIT_CONTENT_CHANGED' },
  'length-too-long': { bytes: 'version 0', others: 'ERR_REKNIT_CONTENT_CHANGED' },
  // The new version shares everything that was read and compared: its bytes are one version's, and marked as a guess.
  'change-behind-overlap': 'version 1',
  'empty-200': undecidable,
  'captive-portal': undecidable,
  '206-wrong-bytes': undecidable,
  'change-under-same-etag': undecidable,
  'length-too-short': undecidable,
  'flipped-bytes': undecidable,
  'close-fin': { bytes: undecidable, others: 'wrong but unverifiable' },
  'tls-no-close-notify': { bytes: undecidable, others: 'wrong but unverifiable' },
  refused: 'attempts-exhausted',
  'reset-without-progress': 'attempts-exhausted',
  // undici refuses a 100 that nobody asked for, at every attempt alike.
  informational: 'deterministic',
  'tls-not-tls': 'permanent',
  'tls-handshake-failure': 'permanent',
  'tls-expired': 'permanent',
  'tls-other-host': 'permanent',
  'tls-self-signed': 'permanent',
  'status-404': status(404, 'permanent'),
  'status-403': status(403, 'permanent'),
  'status-401': status(401, 'permanent'),
  'status-501': status(501, 'permanent'),
  'status-503-for-ever': status(503, 'attempts-exhausted'),
  'status-503-retry-huge': status(503, 'pushback-too-long'),
  'gzip-truncated': damaged,
  'gzip-flipped': damaged,
  'gzip-without-trailer': damaged,
  'redirect-loop': { fetch: 'error fetch failed', install: 'error fetch failed', others: 'permanent' },
};

export function outcomeOf(entry: CatalogueEntry, way: string): string {
  const outcome = outcomes[entry.scenario.name];
  if (outcome === undefined) return 'version 0';
  return typeof outcome === 'string' ? outcome : (outcome[way] ?? outcome.others ?? 'version 0');
}
