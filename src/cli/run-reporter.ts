/** What happened to a command, on stderr beside its own output: for people, or one JSON object per line. */
import type { Writable } from 'node:stream';
import { formatBytes, formatDuration, redactUrl } from '../core/index.ts';
import type { Ended, RunEvent, RunReason, RunResult } from '../run/index.ts';

export type RunLevel = 'quiet' | 'normal' | 'verbose';
export type RunReporter = (event: RunEvent) => void;

/**
 * `--json`, a stable schema: `attempt` (`attempt`, `pid`), `failure` (`attempt`, `exit`, `signal`, `verdict`, `row`, `what`,
 * `means`, `phase`, `evidence`, `durationMs`), `cleaned` (`attempt`, `path`), `wait` (`attempt`, `delayMs`, `maxAttempts`),
 * `via` (`name`, `url`, `upstreams`, `set`), `via-end` (`name`, `requests`, `bytes`, `repeats`), `note` (`text`), `end` (`exit`, `attempts`, `reason`, `what`, `next`, `durationMs`, `waitedMs`).
 */
export function createJsonRunReporter(out: Writable, words: readonly string[]): RunReporter {
  return (event) => out.write(`${JSON.stringify({ event: event.type, ...fieldsOf(event, words) })}\n`);
}

function fieldsOf(event: RunEvent, words: readonly string[]): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case 'attempt':
      return { attempt: event.attemptNumber, pid: event.pid };
    case 'failure': {
      const { next: _, ...judgement } = event.judgement;
      const { exitCode, signal } = event.ended;
      const durationMs = Math.round(event.durationMs);
      return { attempt: event.attemptNumber, exit: exitCode, signal, ...judgement, durationMs };
    }
    case 'cleaned':
      return { attempt: event.attemptNumber, path: event.path };
    case 'wait':
      return { attempt: event.attemptNumber, delayMs: event.delayMs, maxAttempts: event.maxAttempts };
    case 'note':
      return { text: event.text };
    case 'via':
      return { name: event.name, url: event.url, upstreams: event.upstreams, set: event.set };
    case 'via-end':
      return { name: event.name, requests: event.requests, bytes: event.bytes, repeats: event.repeats };
    case 'end': {
      const { exitCode, attempts, reason, judgement, durationMs, waitedMs } = event.result;
      const times = { durationMs: Math.round(durationMs), waitedMs: Math.round(waitedMs) };
      return { exit: exitCode, attempts, reason, what: judgement?.what, next: nextFor(event.result, words), ...times };
    }
  }
}

export function createTextRunReporter(out: Writable, level: RunLevel, words: readonly string[]): RunReporter {
  const say = (text: string) => out.write(`reknit: ${text}\n`);
  let failure: (RunEvent & { readonly type: 'failure' }) | undefined;
  return (event) => {
    if (level === 'quiet') {
      if (event.type === 'end' && event.result.reason === 'not-started') say(event.result.judgement!.what);
      return;
    }
    switch (event.type) {
      case 'attempt':
        if (level === 'verbose') say(`attempt ${event.attemptNumber}: process ${event.pid}`);
        return;
      case 'failure':
        failure = event;
        return;
      case 'cleaned':
        return say(`removed ${event.isContent ? 'what is in ' : ''}${event.path}, which the failed attempt had made`);
      case 'wait':
        say(describeWait(event, failure!));
        if (level === 'verbose') for (const line of describeFailure(failure!)) say(line);
        return;
      case 'note':
        return say(event.text);
      case 'via':
        if (level === 'verbose') say(describeVia(event));
        return;
      case 'via-end':
        return say(describeViaEnd(event));
      case 'end':
        for (const line of describeEnd(event.result, words)) say(line);
        return;
    }
  };
}

type Failure = RunEvent & { readonly type: 'failure' };

function describeWait(wait: RunEvent & { readonly type: 'wait' }, { ended, judgement }: Failure): string {
  const when = wait.delayMs === 0 ? 'at once' : `in ${formatDuration(wait.delayMs)}`;
  const attempt = `attempt ${wait.attemptNumber} of ${wait.maxAttempts}`;
  return `${attempt} failed with ${describeExit(ended)}: ${judgement.what}; again ${when}`;
}

function describeVia({ name, url, upstreams, set }: RunEvent & { readonly type: 'via' }): string {
  return `via ${name}: ${url} in front of ${upstreams.join(', ')}, by ${set.join(', ') || 'nothing'}`;
}

/** That nobody asked it is worth a word: the command has its origin from elsewhere. */
function describeViaEnd({ name, requests, bytes, repeats }: RunEvent & { readonly type: 'via-end' }): string {
  if (requests === 0) return `via ${name}: nothing was asked of it; the command has its own address, or needed nothing`;
  const healed =
    repeats === 0 ? '' : `, ${repeats === 1 ? '1 repeat' : `${repeats} repeats`} that the command did not see`;
  return `via ${name}: ${requests === 1 ? '1 request' : `${requests} requests`}, ${formatBytes(bytes)}${healed}`;
}

function describeFailure({ judgement }: Failure): readonly string[] {
  const { evidence, means } = judgement;
  return [...(evidence === undefined ? [] : [`  seen   ${evidence}`]), `  means  ${means}`];
}

function describeExit({ exitCode, signal }: Ended): string {
  return signal === undefined ? `exit code ${exitCode}` : signal;
}

const whyOf: Readonly<Record<RunReason, string>> = {
  succeeded: 'done',
  permanent: 'it was refused and would be again',
  local: 'the network was not the reason',
  unknown: 'not repeated, as nothing in its output is known',
  'may-have-run': 'not repeated, as the command may have changed something already',
  'input-consumed': 'not repeated, as it has read from standard input what cannot be given twice',
  'output-passed-on': 'not repeated, as a part of the data was passed on already',
  deterministic: 'the same damage twice is no accident',
  'attempts-exhausted': 'the attempts are used up',
  deadline: 'the deadline has passed, or another attempt would pass it',
  interrupted: 'interrupted',
  'not-started': 'nothing was started',
};

function describeEnd(result: RunResult, words: readonly string[]): readonly string[] {
  const { exitCode, attempts, reason, judgement, durationMs, waitedMs } = result;
  if (reason === 'not-started') return [judgement!.what];
  const waited = waitedMs >= 100 ? ` (${formatDuration(waitedMs)} of it waiting)` : '';
  const cost = `${attempts === 1 ? '1 attempt' : `${attempts} attempts`} in ${formatDuration(durationMs)}${waited}`;
  if (judgement === undefined) return [`done: ${cost}`];
  const next = nextFor(result, words);
  return [
    `failed with exit code ${exitCode}, ${cost}: ${judgement.what}; ${whyOf[reason]}`,
    `  ${judgement.means}`,
    ...(next === undefined ? [] : [`  try next: ${next}`]),
  ];
}

/** The one command to try next, as far as the end tells it. */
function nextFor({ reason, exitCode, judgement }: RunResult, words: readonly string[]): string | undefined {
  const url = words.map((word) => /^https?:\/\/\S+$/.exec(word)?.[0]).find((found) => found !== undefined);
  const place = url === undefined ? 'URL' : redactUrl(url);
  const command = words.map((word) => quoted(redactUrl(word))).join(' ');
  switch (reason) {
    case 'unknown':
      return `reknit run --retry-on-exit ${exitCode} -- ${command}`;
    case 'may-have-run':
      return `reknit run --repeatable -- ${command}`;
    case 'input-consumed':
      return `reknit run --no-stdin -- ${command}`;
    case 'output-passed-on':
      return `reknit get ${place} -o -`;
    case 'attempts-exhausted':
    case 'deadline':
      return `reknit diagnose ${place}`;
    case 'permanent':
    case 'local':
    case 'deterministic':
      // What `explain` would say; another run is what just failed.
      return judgement?.next?.startsWith('reknit run') === true ? `reknit diagnose ${place}` : judgement?.next;
    case 'interrupted':
    case 'not-started':
    case 'succeeded':
      return undefined;
  }
}

/** As a shell reads it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
