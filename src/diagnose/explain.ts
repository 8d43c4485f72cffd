import { type FailureKind, type Origin, type Phase, statusPhrase } from '../core/index.ts';
import { type Advice, adviceOf, type NextStep, phaseText } from './advice.ts';
import type { Tool } from './explain-row.ts';
import type { Cause } from './incident.ts';
import { createLineReader } from './line-reader.ts';
import { type LogFacts, LogReading } from './log-reading.ts';
import { type Next, nextStep } from './next-step.ts';
import { redactLine } from './redact-line.ts';
import { outermost, readers } from './tools.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** What a text or log says about why it failed. */
export type Explanation = Explained | Unexplained;

export interface Explained {
  readonly kind: 'explained';
  /** At least one; the first is why it failed, as far as the text tells. */
  readonly causes: readonly ExplainedCause[];
  readonly lineCount: number;
}

export interface Unexplained {
  readonly kind: 'unknown';
  readonly lineCount: number;
  /** Whose output it seems to be. */
  readonly tools: readonly Tool[];
}

export interface ExplainedCause {
  /** The row of `docs/explain.md`. */
  readonly id: string;
  /** The outermost tool that printed it. */
  readonly tool: Tool;
  /** A short phrase: `connection reset`. */
  readonly what: string;
  /** The phase that the text proves; `undefined` where it does not. */
  readonly phase: Phase | undefined;
  readonly phaseText: string;
  /** What core says about such a failure; `undefined` where the text gives no reason. */
  readonly failure:
    | {
        readonly origin: Origin;
        readonly kind: FailureKind;
        readonly transient: boolean;
        readonly mayHaveRun: boolean;
        readonly row?: string;
        readonly code?: string;
        readonly status?: number;
      }
    | undefined;
  readonly means: string;
  readonly why: string;
  readonly repeat: Repeat;
  /** The experiment that would tell more. */
  readonly more: string;
  readonly next: Next;
  /** How often it happened. */
  readonly count: number;
  readonly firstLine: number;
  readonly lastLine: number;
  /** As the log writes them; not given where it does not. */
  readonly firstTime?: string;
  readonly lastTime?: string;
  readonly hosts: readonly string[];
  /** The line that shows it, shortened, without credentials. */
  readonly evidence: string;
  /** What follows from it in the same text. */
  readonly consequences: readonly { readonly id: string; readonly means: string; readonly count: number }[];
}

export interface Repeat {
  /** `depends`: on the method, which the text does not tell. */
  readonly isSafe: 'yes' | 'no' | 'depends';
  /** Whether it may help, which is another question. */
  readonly mayHelp: boolean;
  readonly text: string;
}

/** A text, or a log as it comes in chunks. */
export type ExplainSource = string | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Says what an error text or a whole log means: the cause, the phase, whether a repeat is safe, and what to try next. Reads
 * in flat memory, whatever the length; never throws on content.
 *
 * @example
 * const explanation = await explain('curl: (56) Recv failure: Connection reset by peer');
 * if (explanation.kind === 'explained') console.log(explanation.causes[0]?.next.text);
 */
export async function explain(source: ExplainSource): Promise<Explanation> {
  const log = new LogReading();
  const lines = createLineReader((line) => log.read(line));
  if (typeof source === 'string') lines.push(source);
  else for await (const chunk of source) lines.push(chunk);
  lines.end();
  const facts = log.end();
  if (facts.causes.length === 0) return { kind: 'unknown', lineCount: lines.lineCount, tools: [...facts.tools] };
  return { kind: 'explained', causes: facts.causes.map((cause) => tell(cause, facts)), lineCount: lines.lineCount };
}

const noReason: Advice = {
  why: 'The text says that it failed, and not why.',
  more: 'The reason stands above or below in the whole output: give `reknit explain` all of it, or run the command again with `-v`.',
  next: 'repeat',
};

/** Words that some command passes on; the one that the log names is whose they are. */
const passedOn: ReadonlySet<Tool> = new Set(['system', 'openssl', 'http', 'python', 'rust']);

function tell(cause: Cause, log: LogFacts): ExplainedCause {
  const { row, status } = cause.match;
  const verdict = verdictOf(row, status, cause.phase);
  const advice = verdict === undefined ? noReason : adviceOf[verdict.kind];
  const command = log.commands.size === 1 ? [...log.commands.values()][0] : undefined;
  const printer = outermost(cause.tools) ?? outermost(log.tools) ?? row.by;
  const tool = command !== undefined && passedOn.has(printer) ? command.tool : printer;
  const phase = verdict === undefined ? cause.phase : verdict.phase;
  const repeat = repeatOf(verdict, tool, cause);
  return {
    id: row.id,
    tool,
    what: whatOf(verdict, row.what ?? row.id),
    phase,
    phaseText: phase === undefined ? 'not told by this text' : phaseText[phase],
    failure: verdict === undefined ? undefined : failureOf(verdict),
    means: row.means,
    why: advice.why,
    repeat,
    more: advice.more,
    next: nextStep({
      step: stepOf(verdict, advice, repeat),
      tool,
      url: [...cause.urls].at(-1),
      origin: cause.origin,
      host: [...cause.hosts].at(-1),
      command: log.commands.get(tool) ?? command,
      script: log.script,
      isRisky: repeat.isSafe === 'no',
    }),
    count: cause.count,
    firstLine: cause.first.line,
    lastLine: cause.last.line,
    ...(cause.first.time === undefined ? {} : { firstTime: cause.first.time }),
    ...(cause.last.time === undefined ? {} : { lastTime: cause.last.time }),
    hosts: [...cause.hosts],
    evidence: redactLine(cause.evidence),
    consequences: [...cause.consequences].map(([{ id, means }, count]) => ({ id, means, count })),
  };
}

function failureOf({
  origin,
  kind,
  transient,
  mayHaveRun,
  coreRow,
  code,
  status,
}: Verdict): NonNullable<ExplainedCause['failure']> {
  return {
    origin,
    kind,
    transient,
    mayHaveRun,
    ...(coreRow === undefined ? {} : { row: coreRow }),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { status }),
  };
}

function whatOf(verdict: Verdict | undefined, fallback: string): string {
  if (verdict === undefined) return fallback;
  const { what, code, status, origin } = verdict;
  if (code !== undefined) return `${what} (${code})`;
  return status === undefined || what.includes(String(status))
    ? what
    : `${what} (${origin === 'proxy' ? `the proxy said ${status}` : statusPhrase(status)})`;
}

/** Core's advice is for a failure; some need another hand than their kind says. */
function stepOf(verdict: Verdict | undefined, advice: Advice, { mayHelp }: Repeat): NextStep {
  if (verdict === undefined) return advice.next;
  if (verdict.coreRow === 'certificate-expired' || verdict.coreRow === 'certificate-name') return 'certificate';
  if (verdict.coreRow === 'file-not-writable') return 'permission';
  return advice.next === 'repeat' && !mayHelp ? 'diagnose' : advice.next;
}

function repeatOf(verdict: Verdict | undefined, tool: Tool, { method, isWriting }: Cause): Repeat {
  const mayHelp = verdict?.transient ?? true;
  const what = mayHelp ? '' : ' It will fail in the same way, though, until something is changed.';
  if (verdict !== undefined && !verdict.mayHaveRun) {
    return { isSafe: 'yes', mayHelp, text: `Safe for any method: the server did not act on it.${what}` };
  }
  if (method !== undefined) {
    const text = `Not by itself: the ${method} may have been applied. Check there first, or send it with an idempotency key.${what}`;
    return { isSafe: 'no', mayHelp, text };
  }
  if (isWriting) {
    return {
      isSafe: 'no',
      mayHelp,
      text: `Look first whether it arrived: this command writes, and it may have done so.${what}`,
    };
  }
  const reader = readers.get(tool);
  if (reader !== undefined) return { isSafe: 'yes', mayHelp, text: `Safe: ${reader} only reads.${what}` };
  return {
    isSafe: 'depends',
    mayHelp,
    text: `Safe for GET, HEAD, PUT and DELETE. A POST or PATCH may have been applied: check before you send it again.${what}`,
  };
}
