import type { CatalogueEntry } from '../catalogue-entry.ts';
import { expectWords } from '../expect-words.ts';
import { escapeHtml, htmlPage } from '../page-shell.ts';
import type { ScorecardColumn } from './describe-scorecard.ts';
import type { ScenarioResult } from './play-scenario.ts';
import { scorecardScript, scorecardStyle } from './render-style.ts';
import {
  describeCounts,
  durationText,
  marks,
  ratioText,
  reasonsOf,
  remarksOn,
  requestsText,
  verdictWords,
} from './words.ts';

/** What a page says about how it was made. */
export interface PageFacts {
  readonly seed: number;
  readonly limitMs: number;
  /** Machine, date, commit: one line. */
  readonly made: string;
}

/** One self-contained page: every scenario against every client. */
export function renderScorecards(
  columns: readonly ScorecardColumn[],
  entries: readonly CatalogueEntry[],
  facts: PageFacts,
): string {
  const title =
    columns.length === 1 ? `${columns[0]!.title} under broken connections` : 'Clients under broken connections';
  return htmlPage({
    title,
    style: scorecardStyle,
    script: scorecardScript,
    body: [
      `<h1>${escapeHtml(title)}</h1>`,
      introduction(entries.length, facts),
      summary(columns),
      legend,
      matrix(columns, entries),
      footnotes(columns),
    ].join('\n'),
  });
}

function introduction(count: number, { limitMs, seed, made }: PageFacts): string {
  return `<p>${count} scenarios of broken connections, each played to a fresh process by a server of its own on loopback: real sockets,
byte-exact faults. A client is told the URL and has ${limitMs / 1_000} s. What it reports by its exit code is compared with the file that it leaves.</p>
<p class="soft">${escapeHtml(made)}, seed ${seed}. Made by <code>reknit conformance --html</code>.</p>`;
}

function summary(columns: readonly ScorecardColumn[]): string {
  const cards = columns.map(({ title, version, card }) => {
    const { right, safe, wrong } = card.judgements;
    const bar = Object.entries({ right, safe, wrong })
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => `<i class="${kind}" style="flex:${count}"></i>`);
    return `<li><b>${escapeHtml(title)}</b><span class="soft">${escapeHtml(version ?? '')}</span>
<div class="bar" aria-hidden="true">${bar.join('')}</div><span class="counts">${counted(right, 'right')} ${counted(safe, 'safe')} ${counted(wrong, 'wrong')}</span></li>`;
  });
  return `<ul class="cards">${cards.join('\n')}</ul>`;
}

function counted(count: number, kind: 'right' | 'safe' | 'wrong'): string {
  return `<span class="${count > 0 ? kind : 'soft'}">${count} ${kind}</span>`;
}

const legend = `<div class="tools">
<ul class="legend">
<li><b class="right">✓ right</b> what a right client does: healed, or failed where nobody can heal</li>
<li><b class="safe">~ safe</b> an honest failure where healing was possible</li>
<li><b class="wrong">✗ wrong</b> CORRUPT: success with a wrong file. HUNG: no end. Or it accepted what must be refused</li>
<li><b>1.08×</b> bytes sent by the server for each byte of the file; <span class="unmet">dotted</span>: the client never met the fault</li>
</ul>
<p class="filter" hidden><input type="search" placeholder="Filter scenarios" aria-label="Filter scenarios">
<label><input type="checkbox"> only where something is wrong</label></p>
</div>`;

function matrix(columns: readonly ScorecardColumn[], entries: readonly CatalogueEntry[]): string {
  const heads = columns.map(({ title }) => `<th scope="col">${escapeHtml(title)}</th>`).join('');
  const families = [...new Set(entries.map(({ family }) => family))];
  const bodies = families.map((family) => {
    const rows = entries.filter((entry) => entry.family === family).map((entry) => row(entry, columns));
    return `<tbody><tr class="family"><th colspan="${columns.length + 1}" scope="rowgroup"><span>${escapeHtml(family)}</span></th></tr>
${rows.join('\n')}</tbody>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="Results"><table>
<thead><tr><th scope="col">scenario</th>${heads}</tr></thead>
${bodies.join('\n')}
</table></div>`;
}

function row({ scenario, description, expect, why }: CatalogueEntry, columns: readonly ScorecardColumn[]): string {
  const cells = columns.map((column) => cell(column, scenario.name)).join('');
  return `<tr><th scope="row"><details><summary>${escapeHtml(scenario.name)} <small>${expectWords[expect]}</small></summary>
<p>${escapeHtml(description)}</p><p class="soft">${escapeHtml(why)}</p></details></th>${cells}</tr>`;
}

function cell({ card }: ScorecardColumn, name: string): string {
  const result = card.results.find(({ scenario }) => scenario === name);
  if (result === undefined) return '<td class="out" title="left out, see below">–</td>';
  const { judgement, verdict, byteRatio, faultMet } = result;
  const word = { healed: 'healed', 'failed-safely': 'failed', hung: 'HUNG', corrupt: 'CORRUPT' }[verdict];
  return `<td class="${judgement}${faultMet ? '' : ' unmet'}" title="${escapeHtml(tooltip(result))}"><b>${marks[judgement]} ${word}</b>
<small>${ratioText(byteRatio)} · ${result.requestCount} req</small></td>`;
}

function tooltip(result: ScenarioResult): string {
  const exit = result.end.kind === 'exited' ? [`exit code ${result.end.code}`] : [];
  return [
    verdictWords[result.verdict],
    ...exit,
    ...remarksOn(result),
    requestsText(result.requestCount),
    durationText(result.durationMs),
    ...(result.said === '' ? [] : [result.said]),
  ].join(' · ');
}

function footnotes(columns: readonly ScorecardColumn[]): string {
  const items = columns.map((column) => {
    const out = [...reasonsOf(column.card)].map(
      ([reason, names]) =>
        `<br>Left out, as ${escapeHtml(reason)}: <span class="soft">${escapeHtml(names.join(', '))}</span>`,
    );
    return `<dt>${escapeHtml(column.title)} <span class="soft">${escapeHtml(column.version ?? '')}</span></dt>
<dd>${escapeHtml(column.how)} ${escapeHtml(describeCounts(column.card))}.${out.join('')}
<pre>${escapeHtml(shownCommand(column.card.command))}</pre></dd>`;
  });
  return `<h2>How each client was called</h2>\n<dl>${items.join('\n')}</dl>`;
}

/** Without the folders of the machine that it was made on. */
function shownCommand(command: readonly string[]): string {
  return command.map((argument) => argument.replace(/^(?:file:\/\/)?\/\S*\//, '')).join(' ');
}
