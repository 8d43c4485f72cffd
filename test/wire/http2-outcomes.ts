/** What the client makes of every scenario over HTTP/2; what is not named here ends as version 0. */
type Cell = string | Readonly<Record<string, string>>;

/** A stream that already holds bytes of the old version cannot take them back. */
const changed = 'ERR_REKNIT_CONTENT_CHANGED';
/** undici tells nobody of the frame that cut the body; over HTTP/1.1 the fault of HTTP/2 is not met. */
const unseen = { 'with proof': 'version 0', others: 'wrong but unverifiable' };

const outcomes: Readonly<Record<string, Cell>> = {
  'h2-etag-change': changed,
  'h2-length-too-long': changed,
  'h2-unframed-rst-no-error': unseen,
  'h2-unframed-rst-cancel': unseen,
  'h2-unframed-early-end': unseen,
  // Asked again over HTTP/1.1 it meets the same FIN, which is an end there.
  'h2-unframed-fin': { 'with proof': 'wrong but unverifiable' },
  'h2-rst-inadequate-security': 'permanent',
};

export function http2OutcomeOf(name: string, way: string): string {
  const outcome = outcomes[name];
  if (outcome === undefined) return 'version 0';
  return typeof outcome === 'string' ? outcome : (outcome[way] ?? outcome.others ?? 'version 0');
}
