// The parts of docs/diagnose.md that are made: tables of the code, and the confusion matrix of a run.

/** Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function replaceBetween(page, name, text) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = page.indexOf(open);
  const to = page.indexOf(close);
  if (from === -1 || to < from) throw new Error(`docs/diagnose.md has no place for ${name}`);
  return `${page.slice(0, from + open.length)}\n\n${text}\n\n${page.slice(to)}`;
}

export function renderExperiments(experiments) {
  const rows = experiments.map(
    ({ id, changes, asks, requests }) => `| \`${id}\` | ${changes} | ${asks} | ${requests} |`,
  );
  return ['| experiment | changes | asks | requests at most |', '|---|---|---|---|', ...rows].join('\n');
}

export function renderCauses(causes, likelihoods) {
  const rows = causes.map(({ id, family, title, means }) => {
    const shows = likelihoods.filter(({ cause }) => cause === id).map(({ experiment }) => `\`${experiment}\``);
    return `| \`${id}\` | ${family} | ${title} | ${means} | ${shows.join(' ')} |`;
  });
  return [
    '| cause | family | said as | meaning | experiments that tell it from others |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const percent = (part, whole) => `${((part / Math.max(1, whole)) * 100).toFixed(1)} %`;

export function renderMatrix({ seeds, cases, results }, { machine, date }) {
  const named = (result) => result.causes[0]?.cause ?? 'none';
  const count = (list, holds) => list.filter(holds).length;
  const isRight = ({ verdict }) => verdict.startsWith('right');
  const played = cases.filter(({ missing }) => missing === undefined);
  const healthy = results.filter(({ expect }) => expect[0] === 'nothing-wrong');
  const broken = results.filter(({ expect }) => expect[0] !== 'nothing-wrong');
  const of = (list, pick) => (list.length === 0 ? 0 : Math.max(...list.map(pick)));
  const summary = [
    `${played.length} cases, seeds ${seeds.join(', ')}, ${results.length} diagnoses; ${machine}; ${date}.`,
    '',
    '| | |',
    '|---|---|',
    `| the right cause first | ${count(results, isRight)} of ${results.length}: ${percent(count(results, isRight), results.length)} |`,
    `| … and called settled | ${count(results, ({ verdict }) => verdict === 'right')}: ${percent(
      count(results, ({ verdict }) => verdict === 'right'),
      results.length,
    )} |`,
    `| confident and wrong | ${count(results, ({ verdict }) => verdict === 'confident-and-wrong')} |`,
    `| healthy servers called healthy | ${count(healthy, isRight)} of ${healthy.length} |`,
    `| requests, at most: healthy; all | ${of(healthy, (one) => one.requestCount)}; ${of(results, (one) => one.requestCount)} |`,
    `| seconds, at most: healthy; all | ${(of(healthy, (one) => one.tookMs) / 1000).toFixed(1)}; ${(of(results, (one) => one.tookMs) / 1000).toFixed(1)} |`,
    `| requests, median over what is broken | ${median(broken.map((one) => one.requestCount))} |`,
  ];
  return [
    ...summary,
    '',
    '### Confusion matrix',
    '',
    confusion(results, named),
    '',
    '### Case by case',
    '',
    table(cases, results),
  ].join('\n');
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** One line per cause that is the matter: what was said, and how often. */
function confusion(results, named) {
  const truths = [...new Set(results.map(({ expect }) => expect[0]))];
  const rows = truths.map((truth) => {
    const own = results.filter(({ expect }) => expect[0] === truth);
    const said = new Map();
    for (const result of own) {
      const key = `${result.expect.includes(named(result)) ? '' : '✗ '}\`${named(result)}\`${result.kind === 'settled' ? '' : ' (not settled)'}`;
      said.set(key, (said.get(key) ?? 0) + 1);
    }
    const words = [...said].toSorted((a, b) => b[1] - a[1]).map(([key, times]) => `${key} × ${times}`);
    return `| \`${truth}\` | ${own.length} | ${words.join(', ')} |`;
  });
  return ['| the matter was | diagnoses | named first |', '|---|---|---|', ...rows].join('\n');
}

function table(cases, results) {
  const rows = cases.map(({ name, expect, what, missing }) => {
    if (missing !== undefined) return `| ${name} | ${what} | \`${expect[0]}\` | not played: ${missing} | | |`;
    const own = results.filter((one) => one.case === name).toSorted((a, b) => a.seed - b.seed);
    const said = own.map((one) => {
      const [first] = one.causes;
      const mark = one.verdict === 'right' ? '✓' : one.verdict === 'right-unsettled' ? '~' : '✗';
      const wrong = one.verdict.startsWith('right') ? '' : ` ${first?.cause ?? 'none'}`;
      return `${mark} ${first === undefined ? '' : first.confidence.toFixed(2)}${wrong}`;
    });
    const requests = own.map((one) => one.requestCount).join(' ');
    const seconds = own.map((one) => (one.tookMs / 1000).toFixed(1)).join(' ');
    return `| ${name} | ${what} | ${expect.map((cause) => `\`${cause}\``).join(' or ')} | ${said.join(' · ')} | ${requests} | ${seconds} |`;
  });
  return [
    '| case | what is done | the matter | said, by seed (✓ settled, ~ first but not settled, ✗ wrong) | requests | seconds |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const halfNames = { mended: 'mended by', 'held-back': 'held back', drawn: 'drawn servers' };

/** @param runs one for each half and seed */
export function renderBlind(runs, { machine, date }) {
  const count = (results, verdict) => results.filter((one) => one.verdict === verdict).length;
  const rows = runs.map(({ half, seed, results }) => {
    const settled = count(results, 'right');
    const unsettled = count(results, 'right-unsettled');
    const requests = Math.max(...results.map((one) => one.requestCount));
    const seconds = Math.max(...results.map((one) => one.tookMs)) / 1000;
    return `| ${halfNames[half] ?? half} | ${seed} | ${results.length} | ${settled + unsettled}: ${percent(settled + unsettled, results.length)} | ${settled} | ${count(results, 'wrong-unsettled')} | ${count(results, 'confident-and-wrong')} | ${requests} | ${seconds.toFixed(1)} |`;
  });
  const odd = runs.flatMap(({ half, seed, results }) =>
    results
      .filter(({ verdict }) => verdict !== 'right')
      .map(({ scenario, verdict, causes, says }) => {
        const said = causes[0] === undefined ? 'nothing' : `\`${causes[0].cause}\` ${causes[0].confidence.toFixed(2)}`;
        const words =
          verdict === 'confident-and-wrong'
            ? '**confident and wrong**'
            : verdict === 'right-unsettled'
              ? 'not settled'
              : 'not settled, another one first';
        return `| ${scenario} | ${halfNames[half] ?? half}, ${seed} | ${said} | ${words} | ${says.map((cause) => `\`${cause}\``).join(' or ')} |`;
      }),
  );
  return [
    `${machine}; ${date}.`,
    '',
    '| half | seed | scenarios | a right cause first | … and settled | not settled, another one first | confident and wrong | requests at most | seconds at most |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
    ...(odd.length === 0
      ? []
      : [
          '',
          'Not right and settled:',
          '',
          '| scenario | half, seed | said first | | the truth |',
          '|---|---|---|---|---|',
          ...odd,
        ]),
  ].join('\n');
}
