// Turns the failure table of src/core into docs/failures.md. Takes the table, so that a test can render the sources.

const origins = [
  ['dns', 'Name lookup'],
  ['tcp', 'Connections'],
  ['tls', 'TLS'],
  ['proxy', 'Proxies'],
  ['http', 'HTTP'],
  ['clock', 'Clocks'],
  ['decoder', 'Content-codings'],
  ['resume', 'Resumes'],
  ['local', 'This machine'],
  ['caller', 'The caller'],
];

const head = `# Failures

<!-- Made from src/core/failure-table.ts by \`npm run docs\`. Do not edit. -->

What reknit makes of every error that it knows. **Again?** says whether another attempt may succeed; whether one is made
is decided by what is allowed. **May have run?** says whether the server may have acted on the request: *no* only where
the signature proves it, *if sent* where it depends on whether a byte of the request was written. In each table the first
row that fits wins. An error that no row knows is \`unknown\`, and nothing is repeated on a guess. HTTP statuses are
judged by themselves: 408, 425, 429, 500, 502, 503, 504, 520–524 and 529 are transient, other errors are not.
`;

/** @param {readonly import('../src/core/failure-row.ts').FailureRow[]} table */
export function renderFailures(table) {
  const missing = table.filter((row) => !origins.some(([origin]) => origin === row.failure.origin));
  if (missing.length > 0) throw new Error(`no section for ${missing.map((row) => row.id).join(', ')}`);
  const sections = origins.map(([origin, title]) =>
    renderSection(
      title,
      table.filter((row) => row.failure.origin === origin),
    ),
  );
  return `${head}\n${sections.join('\n')}`;
}

function renderSection(title, rows) {
  const lines = rows.map((row) => `| ${columns(row).map(escapeCell).join(' | ')} |`);
  return [
    `## ${title}`,
    '',
    '| Signature | What happened | Kind | Again? | May have run? | Why | Where it is met |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

function columns({ match, failure, why, seen, sample }) {
  return [
    signature(match, sample),
    failure.what,
    code(failure.kind),
    failure.transient ? 'yes' : 'no',
    isProvenUnsent(failure) ? 'no' : 'if sent',
    why,
    seen,
  ];
}

function isProvenUnsent({ phase, unsent }) {
  return unsent === true || phase === 'resolve' || phase === 'connect' || phase === 'tls';
}

function signature(match, sample) {
  const parts = [
    match.codes && codes(match.codes),
    match.h2Codes && `HTTP/2 ${codes(match.h2Codes)}`,
    match.tlsReasons && `OpenSSL ${codes(match.tlsReasons)}`,
    match.proxy && proxy(match.proxy),
    match.names && `name ${codes(match.names)}`,
    match.syscalls && `in ${codes(match.syscalls)}`,
    match.phases && `while in ${match.phases.join(', ')}`,
    match.messagePattern && `text like “${shorten(sample.message)}”`,
  ];
  return parts.filter(Boolean).join('; ');
}

function proxy({ fromStatus, toStatus, otherTunnels }) {
  const statuses =
    fromStatus === toStatus ? fromStatus : fromStatus === 0 ? 'with anything else' : `${fromStatus}–${toStatus}`;
  const tunnels = { some: ' while other tunnels are open', none: ' with no other tunnel open' }[otherTunnels] ?? '';
  return `CONNECT answered ${statuses}${tunnels}`;
}

function shorten(text) {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

const code = (text) => `\`${text}\``;
const codes = (list) => list.map(code).join(', ');
const escapeCell = (text) => text.replaceAll('|', '\\|');
