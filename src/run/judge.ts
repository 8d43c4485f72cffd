/** What a failed attempt's exit code and last output say: explain's table first, then what it cannot know. */
import { type Failure, redactUrl } from '../core/index.ts';
import { type ExplainedCause, explain, type Verdict, verdictOf } from '../diagnose/index.ts';
import type { Recogniser, ToolName } from './recogniser.ts';
import { recognisers } from './recognisers.ts';
import type { Ended, Judgement } from './run-events.ts';

/** A reason that stands further from the end was not why the command ended, unless the tool is known to go on printing. */
const MAX_LINES_AFTER = 60;
const MAX_EVIDENCE_CHARACTERS = 200;

export interface JudgeFacts {
  readonly tool: Exclude<ToolName, 'any'> | undefined;
  readonly ended: Ended;
  readonly output: string;
  /** The mirror of `--via` could not answer something meanwhile. */
  readonly hasMirrorTrouble?: boolean;
}

export interface Judged {
  readonly judgement: Judgement;
  /** For core's decision; `mark` where the same again would prove that it is no accident. */
  readonly failure: Failure;
  /** The output itself shows that something may have been changed. */
  readonly isRisky: boolean;
}

export async function judge(facts: JudgeFacts): Promise<Judged> {
  const judged = await judgeAlone(facts);
  const isBlind = judged.judgement.verdict === 'unknown' || isSummary(judged.judgement.row);
  return facts.hasMirrorTrouble === true && isBlind ? fromMirror(judged) : judged;
}

const isSummary = (id: string | undefined) => recognisers.some((row) => row.id === id && row.says.kind === 'summary');

/** The mirror knows what the command does not say. */
function fromMirror({ judgement, failure }: Judged): Judged {
  const what = 'the mirror could not get what was asked';
  const means = 'The upstream failed through all attempts of the mirror, which answered with an error.';
  return {
    judgement: { ...judgement, verdict: 'transient', what, means, phase: 'wait', next: undefined },
    failure: { ...failure, origin: 'status', kind: 'status', transient: true, what },
    isRisky: false,
  };
}

async function judgeAlone(facts: JudgeFacts): Promise<Judged> {
  const { ended, output, tool } = facts;
  const byEnd = judgeByEnd(ended);
  if (byEnd !== undefined) return byEnd;
  const lines = linesOf(output);
  const cause = await reasonIn(output);
  const ownWord = lastWord(tool, 'text', lines);
  if (ownWord !== undefined && (cause === undefined || ownWord.line >= cause.lastLine)) return fromRow(ownWord);
  if (cause !== undefined) return fromCause(cause);
  const summary = lastWord(tool, 'summary', lines);
  if (summary !== undefined) return fromRow(summary);
  const byCode = recognisers.find(
    (row) => row.tool === tool && row.says.kind === 'exit' && row.says.codes.includes(ended.exitCode),
  );
  return byCode === undefined ? unknown(ended) : fromRow({ row: byCode, line: 0, text: undefined });
}

/** Counted as `explain` counts them: a carriage return alone writes over the same line. */
function linesOf(output: string): readonly (readonly string[])[] {
  return output.split(/\r?\n/).map((line) => line.replace(colour, '').split('\r'));
}

const ESC = String.raw`\u001b`;
/** Made of text, since a linter is right to wonder about control characters in a literal; terminals are made of them. */
const colour = new RegExp(`${ESC}\\[[0-9;?]{0,32}[A-Za-z]`, 'g');

/** What no output can change. */
function judgeByEnd({ exitCode, signal }: Ended): Judged | undefined {
  if (signal !== undefined)
    return localEnd(`ended by ${signal}`, 'Somebody or the system ended it; memory that ran out shows as SIGKILL.');
  if (exitCode === 126 || exitCode === 127) {
    return localEnd('a command could not be run', 'It is not there, or not executable.');
  }
  return undefined;
}

/** A cause that gives a reason. */
type Reason = ExplainedCause & { readonly failure: NonNullable<ExplainedCause['failure']> };

const givesReason = (cause: ExplainedCause): cause is Reason => cause.failure !== undefined;

/** The reason that `explain` finds, if it stands near enough to the end. */
async function reasonIn(output: string): Promise<Reason | undefined> {
  const explanation = await explain(output);
  const cause = explanation.kind === 'unknown' ? undefined : explanation.causes[0];
  if (cause === undefined || !givesReason(cause)) return undefined;
  return explanation.lineCount - cause.lastLine > MAX_LINES_AFTER ? undefined : cause;
}

interface Word {
  readonly row: Recogniser;
  /** 1-based; 0 for a row that needs none. */
  readonly line: number;
  readonly text: string | undefined;
}

/** The last line that one of the tool's rows knows. */
function lastWord(
  tool: ToolName | undefined,
  kind: 'text' | 'summary',
  lines: readonly (readonly string[])[],
): Word | undefined {
  const rows = recognisers.filter((row) => row.says.kind === kind && (row.tool === tool || row.tool === 'any'));
  if (rows.length === 0) return undefined;
  const least = Math.max(0, lines.length - MAX_LINES_AFTER);
  for (let index = lines.length - 1; index >= least; index -= 1) {
    for (const text of lines[index]!.toReversed()) {
      const row = rows.find(({ says }) => says.kind !== 'exit' && says.texts.some((pattern) => shows(text, pattern)));
      if (row !== undefined) return { row, line: index + 1, text };
    }
  }
  return undefined;
}

/** ` … ` stands for anything between, `^` for the beginning. */
export function shows(line: string, pattern: string): boolean {
  const isAtStart = pattern.startsWith('^');
  let from = 0;
  return (isAtStart ? pattern.slice(1) : pattern).split(' … ').every((part, index) => {
    const at = line.indexOf(part, from);
    from = at + part.length;
    return at >= 0 && (index > 0 || !isAtStart || at === 0);
  });
}

/** A recogniser is judged as a row of explain's table, by the same function. */
export function verdictOfRow(row: Recogniser): Verdict {
  const { id, join, phase, means, what } = row;
  const asExplained = { id, by: 'system', depth: 'cause', patterns: [], join, means, what } as const;
  return verdictOf(phase === undefined ? asExplained : { ...asExplained, phase }, undefined, undefined)!;
}

function fromRow({ row, text }: Word): Judged {
  const verdict = verdictOfRow(row);
  const { origin, kind, transient, mayHaveRun, phase } = verdict;
  return {
    judgement: {
      verdict: verdictWord(verdict),
      row: row.id,
      what: row.what,
      means: row.means,
      phase,
      evidence: text === undefined ? undefined : redactUrl(text.trim()).slice(0, MAX_EVIDENCE_CHARACTERS),
      next: undefined,
    },
    failure: { origin, phase: phase ?? 'wait', kind, transient, mayHaveRun, what: row.what },
    isRisky: false,
  };
}

function fromCause(cause: Reason): Judged {
  const { origin, kind, transient, mayHaveRun, status, code } = cause.failure;
  const mark = deterministicKinds.has(kind) ? `${cause.id} ${cause.evidence}` : undefined;
  return {
    judgement: {
      verdict: verdictWord({ origin, transient }),
      row: cause.id,
      what: cause.what,
      means: cause.means,
      phase: cause.phase,
      evidence: cause.evidence,
      next: cause.next.text,
    },
    failure: {
      origin,
      phase: cause.phase ?? 'wait',
      kind,
      transient,
      mayHaveRun,
      what: cause.what,
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { code }),
      ...(mark === undefined ? {} : { mark }),
    },
    isRisky: cause.repeat.isSafe === 'no',
  };
}

/** The same damage twice is in the file, not on the way. Cuts and refusals never count as that. */
const deterministicKinds: ReadonlySet<string> = new Set([
  'digest-mismatch',
  'decoding',
  'bad-chunking',
  'bad-http',
  'tls-record',
  'content-changed',
]);

export function verdictWord({ origin, transient }: Pick<Failure, 'origin' | 'transient'>): Judgement['verdict'] {
  if (transient) return 'transient';
  return origin === 'local' || origin === 'consumer' ? 'local' : 'permanent';
}

function localEnd(what: string, means: string): Judged {
  const failure: Failure = {
    origin: 'local',
    phase: 'wait',
    kind: 'local',
    transient: false,
    mayHaveRun: true,
    what,
  };
  const judgement: Judgement = {
    verdict: 'local',
    row: undefined,
    what,
    means,
    phase: undefined,
    evidence: undefined,
    next: undefined,
  };
  return { judgement, failure, isRisky: false };
}

function unknown({ exitCode }: Ended): Judged {
  const what = `exit code ${exitCode}, for a reason that is not known`;
  const { judgement, failure } = localEnd(what, 'Nothing in its last output is a text that reknit knows.');
  return {
    judgement: { ...judgement, verdict: 'unknown' },
    failure: { ...failure, origin: 'unknown', kind: 'unknown' },
    isRisky: false,
  };
}
