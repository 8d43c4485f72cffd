// Turns the tools and recognisers of reknit run into docs/run.md. Takes them, so that a test can render the sources.

const head = `# \`reknit run\`

<!-- Made from the rows of src/run by \`npm run docs\`. Do not edit. -->

\`reknit run [options] -- COMMAND ARGS…\` runs a command, and runs it again when its failure was transient and a repeat does
no harm. \`reknit run --help\` has the flags; [real-tools.md](real-tools.md) has what tools reach with it and without.

## What the command sees

* **Streams.** Its output passes through as it comes, byte for byte. Where stdout or stderr is a terminal, the command has
  one, too (a pseudo-terminal of the same size): colours, bars and prompts stay, and what is typed is the command's. The
  library for it is an optional dependency; where it is missing, the command gets pipes, and one line says so. Between
  pipes it gets true pipes (on Linux; elsewhere the socket pairs of Node.js, of which \`/dev/stdout\` cannot be opened).
  stdout and stderr that go to one file keep their order. Handles above 2 are not passed on.
* **Standard input** is its own. From a terminal or \`/dev/null\` it can be read again; a file counts as read once its place
  has moved, and a pipe once anything came: then nothing is repeated. \`--no-stdin\` gives an empty one.
* **Signals.** SIGINT, SIGTERM and SIGHUP go to its whole process group and end the run; the wait between attempts hears
  them at once. The same one again (after 300 ms: npx passes a Ctrl-C on that the terminal has sent, too) is a SIGKILL.
  \`nohup\` has no effect, as Node.js sets what it ignores back; use \`setsid\`.
* **Exit code**: its own; 128 + n where signal n ended it; 127 no such command, 126 it may not be run, 2 wrong usage.
* **Nothing is left**, whatever ends the run: its own end, a signal, the deadline, even a SIGKILL of reknit itself (a small
  shell that sees its pipe close ends the group: SIGTERM, and SIGKILL after two seconds). That reaches the process group;
  what made a session of its own (a daemon) has left it on purpose. Tested on Linux; the shell needs no more than POSIX, so
  that macOS should be the same. There is no Windows.

What it adds to a command that does nothing (\`npm run bench -- --only run\`, 41 rounds in turns, machine of its own, commit
e26bd01): 108 ms on Node.js 20, of which Node.js itself is 59; with \`--via\` 356 ms. Before the package had one module per
subpath it was 126 ms, and 109 ms on Node.js 24 (33 of its own).

In a program, with the same options, typed events and an abort signal:

\`\`\`js
import { run } from 'reknit/run';

const { exitCode, attempts, reason } = await run('git', ['clone', 'https://example.com/repo.git'], { deadlineMs: 600_000 });
console.log(exitCode, attempts, reason);
\`\`\`

## What is repeated

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

const viaHead = `## \`--via\`: a mirror in front of registries

\`reknit run --via NAME=URL -- COMMAND\` starts a healing mirror (that of \`reknit mirror\`, without its cache) on loopback for as
long as the command runs. A cut below it is continued from the byte reached and files are proven by what their index
promises, so that the command sees neither; what the mirror cannot get reaches the command as a status, and is judged as ever.
\`--via NAME\` alone takes the public place; the same name again is another place of the same content. A name in capitals is
any origin, whose address the command finds in that variable:

\`\`\`sh
reknit run --via pypi -- pip install -r requirements.txt
reknit run --via npm=https://registry.example.com -- npm ci
reknit run --via DATA_URL=https://data.example.com -- sh -c 'curl -fO "$DATA_URL/big.bin"'
\`\`\`

No file is touched: tools are told by their variables, or by words where they hear none. A variable that is set stays, unless
the mirror is in front of just that place; what the command names itself (\`--index-url\`, \`--registry\`) comes first in every
tool. Both are said, and at the end, if nothing was asked of the mirror, that too. Logins in the URL of \`--via\` are sent to that
origin only; those that a tool keeps by host name (\`.npmrc\`, git's helpers) are not found for the mirror's address: git pushes
go their own way for that reason. Caches that a tool keeps by address (pip's, cargo's) do not know the mirror's, which is a
new one each time; npm's, by digest, does. The tools of \`sudo\` see no variables. Where a proxy is set, \`NO_PROXY\` gets 127.0.0.1, and the
mirror uses the proxy. Certificates of a private authority: \`NODE_EXTRA_CA_CERTS\`.
`;

/**
 * @param {readonly import('../src/run/run-tools.ts').RunTool[]} tools
 * @param {readonly import('../src/run/recogniser.ts').Recogniser[]} recognisers
 * @param {typeof import('../src/run/judge.ts').verdictOfRow} judge
 * @param {readonly import('../src/run/via-rows.ts').ViaRow[]} viaRows
 */
export function renderRun(tools, recognisers, judge, viaRows) {
  const sections = tools.map((tool) => {
    const rows = recognisers.filter((row) => row.tool === tool.name);
    return renderSection(tool.name, programsOf(tool), rows, judge);
  });
  const others = recognisers.filter((row) => row.tool === 'any');
  const tables = [...sections, renderSection('Any command', '', others, judge)];
  return [head, viaHead, renderVia(viaRows), '# What is known of tools\n', ...tables].join('\n');
}

function renderVia(rows) {
  const lines = rows.flatMap(({ name, publicUpstream = 'no public one', variables, gitConfig, words }) => {
    const line = (set, why) => `| ${code(name)} | ${publicUpstream} | ${set} | ${escapeCell(why)} |`;
    const git = 'git from 2.31 on: `url.….insteadOf`, and `pushInsteadOf` so that pushes keep their way';
    return [
      ...variables.map((variable) => line(code(variable.name), variable.why)),
      ...(gitConfig === undefined ? [] : [line('`GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_n`, `GIT_CONFIG_VALUE_n`', git)]),
      ...(words === undefined ? [] : [line(`words: ${code(words.of(example).join(' '))}`, words.why)]),
    ];
  });
  return ['| Name | Public place | Sets | For |', '|---|---|---|---|', ...lines, ''].join('\n');
}

const example = { url: 'http://127.0.0.1:8471/NAME/', upstreams: ['http://HOST'] };

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
