/** Every connection as a line in time: lookup, connect, handshake, waiting, body, idling, and who ended it. Pure. */
import { formatDuration } from '../../core/index.ts';
import type { Diagnosis, ShownConnection, ShownRequest } from '../diagnosis.ts';
import { escapeText } from './escape-text.ts';

const LEFT = 118;
const WIDTH = 700;
/** For the words at the end of a line. */
const RIGHT = 215;
/** Of the font, which is monospaced. */
const LETTER = 6.1;
const LEAST_LETTERS = 34;
const MOST_LETTERS = 80;
const ROW = 15;
const BAR = 9;
const TOP = 20;
/** What is shorter is drawn so wide, or nobody would see it. */
const LEAST_WIDTH = 1.2;

const legend = [
  ['lookup', 'lookup'],
  ['connect', 'connect'],
  ['tls', 'TLS'],
  ['wait', 'waiting for the answer'],
  ['body', 'body'],
  ['bad', 'failed'],
] as const;

export function renderTimeline({ connections, tookMs }: Diagnosis): string {
  if (connections.length === 0) return '';
  const scale = (ms: number) => LEFT + (Math.min(ms, tookMs) / Math.max(1, tookMs)) * WIDTH;
  const height = TOP + connections.length * ROW + 8;
  const lines = connections.map((line, index) =>
    renderLine(line, connections[index - 1], TOP + index * ROW, scale, tookMs),
  );
  const words = legend.map(([name, text]) => `<span><i class="${name}"></i>${text}</span>`).join(' ');
  return `<p class="legend">${words}</p>
<div class="wide"><svg class="timeline" viewBox="0 0 ${LEFT + WIDTH + RIGHT} ${height}" role="img" aria-label="Timeline of every connection">
${renderAxis(tookMs, height, scale)}
${lines.join('\n')}
</svg></div>`;
}

function renderAxis(tookMs: number, height: number, scale: (ms: number) => number): string {
  const stepMs = stepFor(tookMs);
  const marks: string[] = [];
  for (let ms = 0; ms <= tookMs; ms += stepMs) {
    const x = scale(ms).toFixed(1);
    marks.push(
      `<line x1="${x}" x2="${x}" y1="14" y2="${height}"/><text class="axis" x="${x}" y="10" text-anchor="middle">${formatDuration(ms)}</text>`,
    );
  }
  return marks.join('');
}

/** Four to ten marks. */
function stepFor(tookMs: number): number {
  const steps = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 300_000, 1_800_000];
  return steps.find((stepMs) => tookMs / stepMs <= 9) ?? 3_600_000;
}

function renderLine(
  line: ShownConnection,
  before: ShownConnection | undefined,
  y: number,
  scale: (ms: number) => number,
  tookMs: number,
): string {
  const middle = y + BAR / 2;
  const endMs = line.endedMs ?? tookMs;
  const parts: string[] = [];
  if (line.experiment !== before?.experiment)
    parts.push(`<text x="0" y="${y + BAR - 1}">${escapeText(line.experiment)}</text>`);
  parts.push(`<text class="axis" x="${LEFT - 6}" y="${y + BAR - 1}" text-anchor="end">${line.n}</text>`);
  parts.push(
    `<line class="idle" x1="${scale(line.startedMs).toFixed(1)}" x2="${scale(endMs).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
  );
  let fromMs = line.startedMs;
  for (const [name, untilMs] of [
    ['lookup', line.lookedUpMs],
    ['connect', line.connectedMs],
    ['tls', line.securedMs],
  ] as const) {
    if (untilMs === undefined) continue;
    parts.push(bar(name, fromMs, untilMs, y, scale));
    fromMs = untilMs;
  }
  if (line.failure !== undefined) parts.push(bar('bad', fromMs, endMs, y, scale));
  for (const request of line.requests) parts.push(...renderRequest(request, fromMs, y, scale));
  const words =
    line.failure ??
    line.requests.at(-1)?.met ??
    (line.endedBy === 'us' ? 'nothing was sent' : `ended by the other side (${line.endedBy ?? 'open'})`);
  const isBad = line.failure !== undefined || line.requests.some(({ symptom }) => symptom !== 'ok');
  parts.push(labelAt(scale(endMs), y, isBad ? 'bad' : 'axis', words));
  return `<g><title>${escapeText(titleOf(line))}</title>${parts.join('')}</g>`;
}

function renderRequest(
  request: ShownRequest,
  readyMs: number,
  y: number,
  scale: (ms: number) => number,
): readonly string[] {
  const { startedMs, headersMs, endedMs, symptom } = request;
  const fromMs = Math.max(startedMs, readyMs);
  const isBad = symptom !== 'ok';
  if (endedMs === undefined) return [];
  if (headersMs === undefined) return [bar(isBad ? 'bad' : 'wait', fromMs, endedMs, y, scale)];
  return [bar('wait', fromMs, headersMs, y, scale), bar(isBad ? 'bad' : 'body', headersMs, endedMs, y, scale)];
}

function bar(name: string, fromMs: number, untilMs: number, y: number, scale: (ms: number) => number): string {
  const x = scale(fromMs);
  const width = Math.max(LEAST_WIDTH, scale(untilMs) - x);
  return `<rect class="${name}" x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}"/>`;
}

/** Behind the line, or above its end where there is no room. */
function labelAt(x: number, y: number, name: string, words: string): string {
  const room = Math.floor((LEFT + WIDTH + RIGHT - x - 5) / LETTER);
  const text = shorten(words, Math.max(LEAST_LETTERS, Math.min(MOST_LETTERS, room)));
  const isBehind = x + 5 + text.length * LETTER <= LEFT + WIDTH + RIGHT;
  const place = isBehind ? `x="${(x + 5).toFixed(1)}"` : `x="${LEFT + WIDTH + RIGHT}" text-anchor="end"`;
  return `<text class="${name}" ${place} y="${y + BAR - 1}">${escapeText(text)}</text>`;
}

function titleOf(line: ShownConnection): string {
  const ends = line.localPort === undefined ? '' : `${line.localAddress}:${line.localPort} → `;
  const head = `${line.n}. ${line.experiment}: ${ends}${line.address ?? 'no address'}:${line.port ?? '-'}${line.proxy === undefined ? '' : ` by ${line.proxy}`}`;
  return [
    head,
    ...(line.failure === undefined ? [] : [line.failure]),
    ...line.requests.map(({ at, label, met }) => `${at} ${label}: ${met}`),
  ].join('\n');
}

function shorten(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}
