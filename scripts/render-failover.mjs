// docs/failover.md from the scores of `npm run failover-benchmark -- --write`.

const names = { none: 'nothing between', error: 'mode `error`', atomic: 'mode `atomic`' };

export function renderFailover(rows, { date, commit, node }) {
  const labels = Object.keys(rows);
  const [first] = Object.values(rows);
  const cell = ({ verdict, primaryAttempts, fallbackAttempts, durationMs }) =>
    `${verdict === 'pass' ? verdict : `**${verdict}**`} · ${primaryAttempts}+${fallbackAttempts} · ${(durationMs / 1_000).toFixed(1)} s`;
  const lines = first.map(
    ({ id, title }, index) => `| ${id} | ${title} | ${labels.map((label) => cell(rows[label][index])).join(' | ')} |`,
  );
  const total = (label) =>
    ['pass', 'partial', 'safe', 'fail']
      .map((wanted) => rows[label].filter(({ verdict }) => verdict === wanted).length)
      .join(' / ');
  return `# Failover, by the rules of others

\`npm run failover-benchmark\` plays the sixteen faults of [Failover Bench](https://github.com/failoverbench/failoverbench)
(methodology v0.1), built anew in this repository's lab, against \`reknit gateway\` as an operator runs it, and scores both what
the caller got and what the providers saw:

* **pass**: the whole answer (for S13: the provider's own error), and every check of the fault holds;
* **partial**: the same, but an advisory check does not hold;
* **safe**: no answer, but an error in time that nobody can take for one, and the required checks hold;
* **fail**: a hang, a part passed off as the whole, or a required check that does not hold.

Everybody has the benchmark's budget: two repeats, 30 s of silence, one fallback. What departs from the defaults of the
gateway: \`rounds.within: tier\` (the same provider first, S01 and S03 ask for it), \`timeouts.firstContent: 10s\` and
\`idle: 20s\`, \`inputLimit\` on both upstreams (S12), and \`stream.damagedEvents: pass\` (S10; by default such an event breaks
the stream, which is *safe*).

A stream that has begun cannot be begun anew behind the client's back: in mode \`error\` S08, S09 and S14 end with an error
that every client sees, and mode \`atomic\`, which hands an answer on when it is whole, passes them. The control has nothing
between caller and provider.

Measured on ${date}, commit ${commit}, Node ${node.slice(1)}. In each cell: verdict · attempts at the primary + at the fallback ·
how long the caller waited (in S15, at most for one of twenty answers).

| | fault | ${labels.map((label) => names[label]).join(' | ')} |
| --- | --- | ${labels.map(() => '---').join(' | ')} |
${lines.join('\n')}
| | **pass / partial / safe / fail** | ${labels.map((label) => `**${total(label)}**`).join(' | ')} |
`;
}
