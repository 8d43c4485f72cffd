/** The advice for one diagnosis, its numbers filled in. Pure. */
import { formatBytes, formatDuration } from '../../core/index.ts';
import type { Diagnosis, ShownRequest } from '../diagnosis.ts';
import type { CauseId } from '../inference/cause-list.ts';
import { adviceByCause } from './advice-list.ts';
import type { AdviceTool } from './cause-advice.ts';

export interface Advice {
  readonly helps: readonly { readonly tool: AdviceTool; readonly text: string }[];
  readonly ask: readonly string[];
  readonly logs: readonly { readonly program: string; readonly text: string }[];
  /** Requests that failed (or, where none did, that were made), for whoever looks into logs. */
  readonly instants: readonly string[];
}

const MAX_INSTANTS = 5;

export function adviseFor(diagnosis: Diagnosis, cause: CauseId): Advice {
  const { helps, ask, logs } = adviceByCause[cause];
  const fill = filler(diagnosis);
  return {
    helps: helps.map(([tool, text]) => ({ tool, text: fill(text) })),
    ask: ask.map(fill),
    logs: logs.map(([program, text]) => ({ program, text: fill(text) })),
    instants: cause === 'nothing-wrong' ? [] : instantsOf(diagnosis),
  };
}

function filler({ url, measured }: Diagnosis): (text: string) => string {
  const { host } = new URL(url);
  const idleMs =
    measured.idleEndedMs === undefined ? 500 : Math.max(100, Math.floor((measured.idleEndedMs * 0.8) / 100) * 100);
  const values: Readonly<Record<string, string>> = {
    url: quoted(url),
    host,
    atOnce: String(Math.max(1, measured.atOnceOk ?? 2)),
    idle: idleMs % 1_000 === 0 ? `${idleMs / 1_000}s` : `${idleMs}ms`,
    idleMs: String(idleMs),
    bytes: measured.cutBytes === undefined ? 'this size' : formatBytes(measured.cutBytes),
    seconds: measured.cutMs === undefined ? 'this time' : formatDuration(measured.cutMs),
    upload: measured.uploadOkBytes === undefined ? 'a smaller size' : formatBytes(measured.uploadOkBytes),
    header: measured.curedHeader ?? 'the header',
    issuer: measured.issuer ?? 'the issuer',
    proxy: measured.proxy ?? 'the proxy',
    address: measured.address ?? host,
    pause: measured.retryAfterMs === undefined ? '' : ` (${formatDuration(measured.retryAfterMs)} here)`,
  };
  return (text) => text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** As one word for a shell. */
function quoted(url: string): string {
  return /^[\w:/.%~+=@,-]+$/.test(url) ? url : `'${url.replaceAll("'", "'\\''")}'`;
}

function instantsOf({ connections }: Diagnosis): readonly string[] {
  const all = connections.flatMap((line) => line.requests.map((request) => ({ line, request })));
  const bad = all.filter(({ request }) => request.symptom !== 'ok');
  const chosen = (bad.length > 0 ? bad : all).slice(0, MAX_INSTANTS);
  return chosen.map(({ line, request }) => {
    const ends = line.localPort === undefined ? '' : `${line.localAddress}:${line.localPort} → `;
    return `${request.at}  ${ends}${line.address ?? '(no address)'}:${line.port ?? '-'}  ${request.method}  ${request.met}${idOf(request)}`;
  });
}

function idOf({ requestId }: ShownRequest): string {
  return requestId === undefined ? '' : `  ${requestId}`;
}
