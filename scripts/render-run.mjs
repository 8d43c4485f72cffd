// Turns the tools and recognisers of reknit run into docs/run.md. Takes them, so that a test can render the sources.

const head = `# What \`reknit run\` repeats

<!-- Made from the rows of src/run by \`npm run docs\`. Do not edit. -->

A command that failed is judged by its exit code and its last output (64 KiB), in this order:

1. A command that a signal ended, that is not there (127) or may not be run (126): local trouble.
2. The **last word**: a text of the tables below, unless a reason that [explain.md](explain.md) lists stands after it.
3. The reason that \`reknit explain\` finds in the last 60 lines. It alone decides whether another attempt may succeed.
4. A **summary** of the tables below, where the output has no reason.
5. The **exit code** of the tables below, where the output tells nothing.
6. Else it is unknown, and not repeated unless \`--retry-on-exit\` or \`--retry-on-output\` asks for it.

A transient failure is repeated up to \`--max-attempts\` times, with the waits of all of reknit; a name that does not exist
is looked up three times; damage that shows in the same words twice is no accident and ends it. What changes something
elsewhere is repeated only where the failure proves that nothing was sent (name lookup, connection, TLS handshake, 429), or
with \`--repeatable\`. Where stdout is data that was passed on in part, or standard input was read, nothing is repeated.

Before a repeat of \`git clone\` its folder is removed if all of this holds: git's arguments were understood to the last
word, nothing was there before the first attempt, the folder appeared while our command ran, it is a folder of this user on
the same disk, and the repository in it names the same source. Where an empty folder was there, what is in it is removed.
Nothing else is ever removed.
`;

/**
 * @param {readonly import('../src/run/run-tools.ts').RunTool[]} tools
 * @param {readonly import('../src/run/recogniser.ts').Recogniser[]} recognisers
 * @param {typeof import('../src/run/judge.ts').verdictOfRow} judge
 */
export function renderRun(tools, recognisers, judge) {
  const sections = tools.map((tool) => {
    const rows = recognisers.filter((row) => row.tool === tool.name);
    return renderSection(tool.name, programsOf(tool), rows, judge);
  });
  const others = recognisers.filter((row) => row.tool === 'any');
  return [head, ...sections, renderSection('Any command', '', others, judge)].join('\n');
}

function programsOf({ programs, note }) {
  return `${programs.map(code).join(', ')}${note === undefined ? '' : `. ${note}`}.\n`;
}

function renderSection(title, text, rows, judge) {
  const lines = rows.map((row) => `| ${columns(row, judge).map(escapeCell).join(' | ')} |`);
  const table =
    rows.length === 0
      ? []
      : ['| Row | Says | What it means | Failure | Verdict |', '|---|---|---|---|---|', ...lines, ''];
  return [`## ${title}`, '', ...(text === '' ? [] : [text]), ...table].join('\n');
}

function columns(row, judge) {
  const { origin, kind, transient, coreRow } = judge(row);
  const verdict = transient ? 'transient' : origin === 'local' ? 'local' : 'permanent';
  return [code(row.id), saysOf(row.says), row.means, coreRow ?? kind, verdict];
}

function saysOf(says) {
  if (says.kind === 'exit') return `exit ${says.codes.join(', ')}`;
  const texts = says.texts.map((text) => code(text.replace(/^\^/, '').trim())).join(', ');
  return says.kind === 'summary' ? `summary: ${texts}` : texts;
}

const code = (text) => `\`${text.replaceAll('`', '')}\``;
const escapeCell = (text) => text.replaceAll('|', '\\|');
