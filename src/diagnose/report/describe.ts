/** A diagnosis as a colleague would tell it. Pure: lines for a terminal, or for anything that takes text. */
import { formatBytes, formatDuration } from '../../core/index.ts';
import type { Diagnosis, Step } from '../diagnosis.ts';
import { causeRow } from '../inference/cause-list.ts';
import type { NamedCause } from '../inference/judge.ts';
import { adviseFor } from './advise.ts';
import { labelled } from './labelled.ts';

const LABEL_WIDTH = 12;
const MAX_EVIDENCE = 4;
const MAX_OTHERS = 3;

export function describeDiagnosis(diagnosis: Diagnosis): readonly string[] {
  const { verdict } = diagnosis;
  const [first] = verdict.causes;
  return [
    headline(diagnosis),
    '',
    ...(first === undefined ? [] : describeCause(first, verdict.kind === 'settled')),
    ...verdict.causes
      .slice(1, 1 + MAX_OTHERS)
      .flatMap((other) => entry('or', `${other.title} (${percent(other.confidence)})`)),
    ...settlerOf(diagnosis),
    ...diagnosis.notes.flatMap((note) => entry('note', note)),
    ...diagnosis.knownFaults.flatMap((fault) => entry('known', fault)),
    ...entry('from here', diagnosis.surroundings.join('; ')),
    ...entry('looked at', lookedAt(diagnosis)),
    ...(first === undefined || (verdict.kind === 'not-settled' && first.confidence < 0.3)
      ? []
      : advice(diagnosis, first)),
  ];
}

function headline({ verdict, url, method }: Diagnosis): string {
  const [first] = verdict.causes;
  const target = `${method} ${url}`;
  if (verdict.kind === 'not-settled' || first === undefined) return `Not settled · ${target}`;
  const sure = first.confidence >= 0.95 ? '' : 'Most likely ';
  const text = sure === '' ? first.title.charAt(0).toUpperCase() + first.title.slice(1) : `${sure}${first.title}`;
  return `${text} (${percent(first.confidence)}) · ${target}`;
}

/** Never more than can be known by looking from one place for a minute. */
export function percent(confidence: number): string {
  return confidence > 0.99 ? 'over 99 %' : `${Math.round(confidence * 100)} %`;
}

function describeCause(cause: NamedCause, isSettled: boolean): readonly string[] {
  const lead = isSettled
    ? entry('means', cause.means)
    : entry('maybe', `${cause.title} (${percent(cause.confidence)}): ${cause.means}`);
  const evidence = cause.evidence
    .slice(0, MAX_EVIDENCE)
    .flatMap((one, index) => [
      ...entry(index === 0 ? 'because' : '', `${one.experiment}: ${one.evidence}`),
      ...entry('', `→ ${one.why}`),
    ]);
  return [...lead, ...evidence];
}

function settlerOf({ verdict }: Diagnosis): readonly string[] {
  if (verdict.kind === 'settled') return [];
  if (verdict.settler === undefined)
    return entry('to settle', 'run it again at a time at which it fails, or from the place where it fails');
  const { changes, asks, how } = verdict.settler;
  return [
    ...entry('to settle', `an experiment that changes ${changes}: ${asks}`),
    ...entry('', `It was not done: ${how}`),
  ];
}

function lookedAt({ steps, requestCount, connectionCount, bytesRead, tookMs, endedBy }: Diagnosis): string {
  const why = endedBy === 'enough' ? '' : endedBy === 'time' ? '; the time was up' : '; the requests were spent';
  return `${steps.length} experiments, ${requestCount} requests, ${connectionCount} connections, ${formatBytes(bytesRead)}, ${formatDuration(tookMs)}${why}`;
}

function advice(diagnosis: Diagnosis, { cause }: NamedCause): readonly string[] {
  const { helps, ask, logs, instants } = adviseFor(diagnosis, cause);
  const lines: string[] = [];
  if (helps.length > 0)
    lines.push('', 'What helps', ...helps.flatMap(({ tool, text }) => entry(tool === 'anyone' ? '·' : tool, text)));
  if (ask.length > 0) lines.push('', 'What to ask the operator', ...ask.flatMap((text) => entry('·', text)));
  if (logs.length > 0)
    lines.push('', 'What to look for in the logs', ...logs.flatMap(({ program, text }) => entry(program, text)));
  // Whole on one line, so that they can be copied.
  if (instants.length > 0) lines.push('', 'When, from where, what (UTC)', ...instants.map((text) => `  ${text}`));
  return lines;
}

/** One line per experiment, as it ends. */
export function describeStep({ experiment, outcomeWords, evidence, moved, tookMs }: Step): string {
  const [top] = moved.after;
  const where = top === undefined ? '' : `  → ${causeRow(top.cause).title} ${percent(top.probability)}`;
  return `${experiment} (${formatDuration(tookMs)}): ${outcomeWords}; ${evidence}${where}`;
}

function entry(label: string, text: string): readonly string[] {
  return labelled(label, text, LABEL_WIDTH);
}
