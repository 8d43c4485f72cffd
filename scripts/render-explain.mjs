// Turns the table of reknit explain into docs/explain.md. Takes the table, so that a test can render the sources.

const sections = [
  ['The system', ['system']],
  ['TLS and certificates', ['openssl']],
  ['Statuses and proxies', ['http', 'squid']],
  ['nginx, haproxy, Envoy', ['nginx', 'haproxy', 'envoy']],
  [
    'pip, uv, conda, cargo, npm, pnpm, yarn, bun, apt, docker',
    ['pip', 'uv', 'conda', 'cargo', 'npm', 'pnpm', 'yarn', 'bun', 'apt', 'docker'],
  ],
  ['curl, wget, git', ['curl', 'wget', 'git']],
  ['Node.js', ['fetch', 'node']],
  ['Python', ['python']],
  ['Rust, Go, Java, .NET, Ruby', ['rust', 'go', 'java', 'dotnet', 'ruby']],
  ['Browsers', ['browser']],
];

const head = `# What error texts mean

<!-- Made from the rows of src/diagnose by \`npm run docs\`. Do not edit. -->

What \`reknit explain\` knows. Texts are found in any case and anywhere in a line; \`…\` stands for anything between,
\`{status}\` for an HTTP status. **Depth** orders the texts of one failure: what the *kernel* says is the cause, then
*cause*; a *place* tells only where it happened, a *summary* only that it did. **Failure** is the row of
[failures.md](failures.md) that the text is joined to, which alone decides whether another attempt may succeed
(**Again?**); where a text gives no reason, there is none. A text that no row knows is said to be unknown.
`;

/**
 * @param {readonly import('../src/diagnose/explain-row.ts').ExplainRow[]} table
 * @param {typeof import('../src/diagnose/verdict.ts').verdictOf} verdictOf
 */
export function renderExplain(table, verdictOf) {
  const rows = table.filter(({ patterns }) => patterns.length > 0);
  const missing = rows.filter(({ by }) => !sections.some(([, tools]) => tools.includes(by)));
  if (missing.length > 0) throw new Error(`no section for ${missing.map((row) => row.id).join(', ')}`);
  const rendered = sections.map(([title, tools]) =>
    renderSection(
      title,
      rows.filter(({ by }) => tools.includes(by)),
      verdictOf,
    ),
  );
  return `${head}\n${rendered.join('\n')}`;
}

function renderSection(title, rows, verdictOf) {
  const lines = rows.map((row) => `| ${columns(row, verdictOf).map(escapeCell).join(' | ')} |`);
  return [
    `## ${title}`,
    '',
    '| Row | Texts | What they say | Depth | Phase | Failure | Again? |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

function columns(row, verdictOf) {
  const { id, patterns, statuses, means, depth } = row;
  const verdict = verdictOf(row, statuses?.[0], row.phase);
  return [
    code(id),
    `${patterns.map(readable).join(', ')}${statuses === undefined ? '' : `; with ${ranges(statuses)}`}`,
    means,
    depth,
    verdict?.phase ?? row.phase ?? '',
    verdict === undefined ? '' : (verdict.coreRow ?? verdict.kind),
    verdict === undefined ? '' : verdict.transient ? 'yes' : 'no',
  ];
}

const readable = (text) => code(text.replace(/^[=^]+|\$$/g, ''));

/** 500, 502, 503, 504 → 500, 502–504 */
function ranges(statuses) {
  const sorted = [...statuses].sort((one, other) => one - other);
  const runs = [];
  for (const status of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === status - 1) run[1] = status;
    else runs.push([status, status]);
  }
  return runs.map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(', ');
}

const code = (text) => `\`${text.replaceAll('`', '')}\``;
const escapeCell = (text) => text.replaceAll('|', '\\|');
