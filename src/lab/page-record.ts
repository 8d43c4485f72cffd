import { escapeHtml, htmlPage } from './page-shell.ts';
import type { AnswerEnd, RequestRecord } from './record.ts';
import type { Run } from './run.ts';

const endWords: { readonly [K in AnswerEnd]: string } = {
  complete: 'complete',
  fin: 'cut by FIN',
  rst: 'cut by RST',
  stall: 'left silent',
  client: 'left by the client',
  none: 'still going on',
  'rst-stream': 'cut by RST_STREAM',
  goaway: 'cut by GOAWAY',
  'end-stream': 'ended early by END_STREAM',
};

/** What the clients of one run did, and what they got. */
export function recordHtml(run: Run): string {
  const { requests, connections, effects, bodyBytesSent } = run.record;
  const name = run.scenario.name;
  const ratio = (bodyBytesSent / Math.max(1, run.sizeBytes)).toFixed(2);
  return htmlPage({
    title: `${run.id} · the lab`,
    style,
    body: `<p><a href="/">The lab</a></p>
<h1>Run ${escapeHtml(run.id)}</h1>
<p>Scenario <a href="/#s-${escapeHtml(name)}">${escapeHtml(name)}</a>, seed ${run.seed}: ${counted(requests.length, 'request')} on
${counted(connections.length, 'connection')}, ${bytes(bodyBytesSent)} sent for a file of ${bytes(run.sizeBytes)} (${ratio}×)${effects.length > 0 ? `, ${counted(effects.length, 'effect')}` : ''}.
<a href="/record?run=${encodeURIComponent(run.id)}&#38;as=json">JSON</a></p>
${requests.length === 0 ? '<p class="soft">No request yet. Reload this page after one.</p>' : table(requests)}
<p class="soft">sha256 ${run.versions.map(({ sha256, fromRequest }) => `<code>${sha256}</code>${run.versions.length > 1 ? ` from request ${fromRequest} on` : ''}`).join('<br>')}</p>`,
  });
}

function table(requests: readonly RequestRecord[]): string {
  return `<div class="scroll" tabindex="0" role="region" aria-label="Requests"><table>
<thead><tr><th>#</th><th>at</th><th>connection</th><th>request</th><th>faults</th><th>answer</th><th>body sent</th><th>end</th></tr></thead>
<tbody>${requests.map(row).join('\n')}</tbody></table></div>`;
}

function row({
  n,
  atMs,
  connectionId,
  requestOnConnection,
  method,
  range,
  ifRange,
  faults,
  answered,
}: RequestRecord): string {
  const asked = [method, range && `Range: ${range}`, ifRange && `If-Range: ${ifRange}`].filter(Boolean).join('\n');
  const cells = [
    String(n),
    `${(atMs / 1_000).toFixed(2)} s`,
    `${connectionId}${requestOnConnection > 1 ? ` (its no. ${requestOnConnection})` : ''}`,
    asked,
    faults.join(', ') || '–',
    answered.status === undefined ? '–' : String(answered.status),
    bytes(answered.bodyBytesSent),
    endWords[answered.endedBy],
  ];
  return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell).replaceAll('\n', '<br>')}</td>`).join('')}</tr>`;
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} B`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const style = `
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--panel); margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tr:last-child td { border-bottom: 0; } code { overflow-wrap: anywhere; }
`;
