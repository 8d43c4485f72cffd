/** A diagnosis as one page: it needs nothing beside itself, runs no script, and loads nothing. Pure. */
import { formatBytes, formatDuration } from '../../core/index.ts';
import type { Diagnosis, Step } from '../diagnosis.ts';
import { causeRow } from '../inference/cause-list.ts';
import type { NamedCause } from '../inference/judge.ts';
import { adviseFor } from './advise.ts';
import { percent as inWords } from './describe.ts';
import { escapeText } from './escape-text.ts';
import { pageStyle } from './page-style.ts';
import { renderTimeline } from './timeline.ts';

export function renderDiagnosisPage(diagnosis: Diagnosis): string {
  const { verdict, method, url, startedAt } = diagnosis;
  const [first] = verdict.causes;
  const title = verdict.kind === 'settled' && first !== undefined ? first.title : 'not settled';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeText(title)} · ${escapeText(new URL(url).host)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<p class="target">${escapeText(method)} ${escapeText(url)}</p>
<h1>${escapeText(capital(title))}${first === undefined ? '' : ` <small>${percent(first.confidence)}</small>`}</h1>
<p>${escapeText(first?.means ?? 'No experiment told anything.')}</p>
<p class="quiet">${escapeText(startedAt)} UTC · ${diagnosis.requestCount} requests · ${diagnosis.connectionCount} connections · ${formatBytes(diagnosis.bytesRead)} · ${formatDuration(diagnosis.tookMs)}</p>
</header>
${settler(diagnosis)}
${section('What speaks for it', first === undefined ? '' : evidence(first))}
${section('How likely', bars(verdict.causes))}
${section('Every connection', renderTimeline(diagnosis))}
${section('Experiments, in their order', steps(diagnosis.steps))}
${advice(diagnosis, first)}
${section('From here', list([...diagnosis.surroundings, ...diagnosis.notes, ...diagnosis.knownFaults]))}
</body>
</html>
`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `<section><h2>${title}</h2>\n${body}\n</section>`;
}

function settler({ verdict }: Diagnosis): string {
  if (verdict.kind === 'settled') return '';
  if (verdict.settler === undefined)
    return section('What would settle it', '<p>The same once more, at a time at which it fails.</p>');
  const { changes, asks, how } = verdict.settler;
  return section(
    'What would settle it',
    `<p>An experiment that changes ${escapeText(changes)}: ${escapeText(asks)}</p><p>It was not done: ${escapeText(how)}.</p>`,
  );
}

function evidence({ evidence: all }: NamedCause): string {
  const items = all.map(
    ({ experiment, evidence: seen, why }) =>
      `<li><b>${experiment}</b> ${escapeText(seen)}<br><span class="quiet">${escapeText(why)}</span></li>`,
  );
  return items.length === 0 ? '' : `<ul>${items.join('\n')}</ul>`;
}

function bars(all: readonly NamedCause[]): string {
  const rows = all.map(
    ({ title, confidence }) =>
      `<tr><td>${escapeText(title)}</td><td class="bar"><span style="width:${(confidence * 100).toFixed(1)}%"></span></td><td class="number">${percent(confidence)}</td></tr>`,
  );
  return rows.length === 0 ? '' : `<table class="bars">${rows.join('\n')}</table>`;
}

function steps(all: readonly Step[]): string {
  const rows = all.map((step, index) => {
    const moved = step.moved.after
      .map(({ cause, probability }) => `${escapeText(causeRow(cause).title)} ${percent(probability)}`)
      .join('<br>');
    return `<tr><td class="number">${index + 1}</td><td><b>${step.experiment}</b><br><span class="quiet">changes ${escapeText(step.changes)}</span></td><td>${escapeText(step.outcomeWords)}<br><span class="quiet">${escapeText(step.evidence)}</span></td><td class="number" data-unit="${step.requests === 1 ? 'request' : 'requests'}">${step.requests}</td><td class="number">${formatDuration(step.tookMs)}</td><td class="quiet">${moved}</td></tr>`;
  });
  return `<div class="wide"><table class="steps"><tr><th></th><th>experiment</th><th>what came out</th><th>requests</th><th>took</th><th>then likeliest</th></tr>${rows.join('\n')}</table></div>`;
}

function advice(diagnosis: Diagnosis, first: NamedCause | undefined): string {
  if (first === undefined) return '';
  const { helps, ask, logs, instants } = adviseFor(diagnosis, first.cause);
  const table = (rows: readonly (readonly [string, string])[]) =>
    rows.length === 0
      ? ''
      : `<table class="pairs">${rows.map(([left, right]) => `<tr><th>${escapeText(left)}</th><td>${escapeText(right)}</td></tr>`).join('\n')}</table>`;
  return [
    section('What helps', table(helps.map(({ tool, text }) => [tool, text]))),
    section('What to ask the operator', list(ask)),
    section('What to look for in the logs', table(logs.map(({ program, text }) => [program, text]))),
    section('When, from where, what', instants.length === 0 ? '' : `<pre>${instants.map(escapeText).join('\n')}</pre>`),
  ].join('\n');
}

function list(texts: readonly string[]): string {
  return texts.length === 0 ? '' : `<ul>${texts.map((text) => `<li>${escapeText(text)}</li>`).join('\n')}</ul>`;
}

/** A number and its sign stay on one line. */
function percent(confidence: number): string {
  return inWords(confidence).replace(' %', '\u00a0%');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
