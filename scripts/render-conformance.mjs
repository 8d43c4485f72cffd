/** docs/conformance.md, from the scorecards of several clients. */

const marks = { right: '✓', safe: '~', wrong: '✗' };
const words = { healed: '', 'failed-safely': 'fail', hung: '**HUNG**', corrupt: '**CORRUPT**' };

/**
 * @param {readonly import('../src/lab/index.ts').ScorecardColumn[]} columns
 * @param {readonly import('../src/lab/index.ts').CatalogueEntry[]} entries
 * @param {import('../src/lab/index.ts').PageFacts} facts
 */
export function renderConformance(columns, entries, { made, seed, limitMs }) {
  const families = [...new Set(entries.map(({ family }) => family))];
  return `# How clients fare under broken connections

Made by \`npm run conformance\`; the same as a page is [conformance.html](conformance.html). ${made}, seed ${seed}.

Each of ${entries.length} scenarios is played to a fresh process of the client by a server of its own on loopback, with
${limitMs / 1_000} s of time. What the client reports by its exit code is compared with the file that it leaves.
Clients have the same knobs where they have them (20 tries, at most 2 s of silence, waits of 0.1 to 1 s), but for \`curl\`, \`wget\`
and \`fetch\`, which are called as scripts call them. Run your own: \`reknit conformance -- COMMAND with {url} and {file}\`.

* ✓ right: healed, or failed where nobody can heal. The number is bytes sent by the server per byte of the file.
* ~ safe: an honest failure where healing was possible.
* ✗ wrong: **CORRUPT** is success with a wrong file, **HUNG** no end in time, "accepted" success where only refusal is right.
* (✓) the client never met the fault: it does not resume, or keeps no connection. A dash: left out, see below.

Five scenarios cannot be told from the wire by anybody who knows the URL only: \`empty-200\`, \`captive-portal\`,
\`206-wrong-bytes\`, \`change-under-same-etag\`, \`length-too-short\`. A digest tells: hence \`reknit get --checksum\`. A sixth,
\`close-fin\`, is told by a digest, or by asking the server for what follows the last byte.

| client | version | right | safe | wrong | of these corrupt | hung | left out |
|---|---|---:|---:|---:|---:|---:|---:|
${columns.map(countsLine).join('\n')}

${families.map((family) => familyTable(family, columns, entries)).join('\n\n')}

## How each client was called

${columns.map(footnote).join('\n')}
`;
}

function countsLine({ title, version = '', card }) {
  const { judgements, verdicts, leftOut } = card;
  const cells = [judgements.right, judgements.safe, judgements.wrong, verdicts.corrupt, verdicts.hung, leftOut.length];
  return `| ${title} | ${version} | ${cells.join(' | ')} |`;
}

function familyTable(family, columns, entries) {
  const lines = entries
    .filter((entry) => entry.family === family)
    .map(
      ({ scenario }) => `| ${[scenario.name, ...columns.map(({ card }) => cell(card, scenario.name))].join(' | ')} |`,
    );
  return `## ${family}

| | ${columns.map(({ title }) => title).join(' | ')} |
|---|${columns.map(() => '---|').join('')}
${lines.join('\n')}`;
}

function cell({ results }, name) {
  const result = results.find(({ scenario }) => scenario === name);
  if (result === undefined) return '–';
  const { judgement, verdict, byteRatio, faultMet } = result;
  const isAccepted = judgement === 'wrong' && verdict === 'healed';
  const text = `${marks[judgement]} ${isAccepted ? 'accepted' : words[verdict] || byteRatio.toFixed(2)}`;
  return faultMet ? text : `(${text})`;
}

function footnote({ title, how, card }) {
  const reasons = new Map();
  for (const { scenario, reason } of card.leftOut) reasons.set(reason, [...(reasons.get(reason) ?? []), scenario]);
  const out = [...reasons].map(([reason, names]) => ` Left out, as ${reason}: ${summed(names)}.`);
  const command = card.command.map((argument) => argument.replace(/^(?:file:\/\/)?\/\S*\//, '')).join(' ');
  return `* **${title}**: ${how}${out.join('')}\n  \`${command}\``;
}

const summed = (names) => (names.length > 12 ? `${names.length} scenarios` : names.join(', '));
