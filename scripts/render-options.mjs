/** docs/options.md, from the table that validation, flags and variables are made from. */

const unitText = {
  ms: 'duration; ms in TypeScript',
  bytes: 'size; bytes in TypeScript',
  'bytes/s': 'bytes per second',
  count: 'number',
  ratio: '0 to 1',
  boolean: 'true or false',
};

/**
 * @param {readonly import('../src/core/options.ts').OptionRow[]} rows
 * @param {(row: import('../src/core/options.ts').OptionRow) => string} variableOf
 */
export function renderOptions(rows, variableOf) {
  const lines = rows.map((row) => {
    const name = row.group === '' ? row.name : `${row.group}.${row.name}`;
    const flag = row.unit === 'boolean' && row.fallback === true ? `--no-${row.flag}` : `--${row.flag}`;
    const fallback = row.fallback === undefined ? 'none' : String(row.fallback);
    return `| \`${name}\` | \`${flag}\` | \`${variableOf(row)}\` | ${unitText[row.unit]} | ${fallback} | ${row.help} |`;
  });
  return `# Options

Made from \`src/core/options.ts\` by \`npm run docs\`. In TypeScript an option is given to \`createClient\`, \`install\` or
\`healing\`; on the command line to \`reknit get\`; as a variable to \`get\` and \`node --import reknit/register\`. A flag wins over
a variable, a variable over the default. Flags and variables take \`10s\` and \`64KiB\`.

| option | flag | variable | unit | default | meaning |
|---|---|---|---|---|---|
${lines.join('\n')}

\`get\` tries ten times, and its budget is large enough for one command. \`retry.transientStatuses\` (TypeScript only) replaces
the statuses that are worth another attempt.

One request may set for itself: \`repeatable\`, \`idempotencyKey\`, \`signal\`, \`deadlineMs\`, \`throwOnStatus\`,
\`transientStatuses\`, \`replayBufferBytes\`, \`resumeWithoutValidator\`, \`requireProof\`, \`onEvent\`. Under a bare interceptor
they ride along as the property \`reknit\` of what \`undici.request\` takes.

\`REKNIT_LOG=stderr\`, or a file, makes \`register\` write one line per failure, wait, heal and give-up.
`;
}
