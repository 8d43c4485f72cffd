/** One line as the table reads it: the rows that it shows, and whose output it is. */
import { rowOf } from '../core/index.ts';
import { type Depth, depthOrder, type ExplainRow, type Tool } from './explain-row.ts';
import { codeRowFor, explainTable, isCodeRow } from './explain-table.ts';
import { createPatternMatcher, type Match, type PatternMatcher } from './pattern-matcher.ts';
import { toolMarks, writingMarks } from './tools.ts';

export interface Reading {
  readonly matches: readonly RowMatch[];
  readonly tools: readonly Tool[];
  /** It writes somewhere: `git push`, `npm publish`. */
  readonly isWriting: boolean;
}

export interface RowMatch {
  readonly row: ExplainRow;
  readonly status: number | undefined;
}

/** The marks of tools travel through the same matcher as rows that nobody else sees. */
const markJoin = { depth: 'summary', join: { kind: 'none' }, means: '' } as const;
const markRows = toolMarks.map(
  ({ tool, patterns }): ExplainRow => ({ id: `mark-${tool}`, by: tool, patterns, ...markJoin }),
);
const writingRow: ExplainRow = { id: 'mark-writing', by: 'system', patterns: writingMarks, ...markJoin };
const rankOf = new Map(
  explainTable.map((row, index) => [row, depthOrder.indexOf(row.depth) * explainTable.length + index]),
);

let matcher: PatternMatcher | undefined;

export function readLine(line: string, head: ErrorHead | undefined): Reading | undefined {
  matcher ??= createPatternMatcher([...explainTable, ...markRows, writingRow]);
  const found = matcher.match(line);
  if (found.length === 0) return undefined;
  const tools = new Set<Tool>();
  const matches = new Map<ExplainRow, RowMatch>();
  for (const match of found) {
    if (match.row.id.startsWith('mark-')) {
      if (match.row !== writingRow) tools.add(match.row.by);
      continue;
    }
    const row = isCodeRow(match.row) ? rowOfCode(line, match, head) : match.row;
    if (row === undefined || matches.has(row)) continue;
    matches.set(row, { row, status: match.status });
  }
  return {
    matches: [...matches.values()].sort((one, other) => rankOf.get(one.row)! - rankOf.get(other.row)!),
    tools: [...tools],
    isWriting: found.some(({ row }) => row === writingRow),
  };
}

/** Several of core's rows may list one code; core itself says which it is, from what stands around it. */
function rowOfCode(line: string, { row, start, end }: Match, head: ErrorHead | undefined): ExplainRow | undefined {
  const code = /^[A-Za-z0-9_/]*/.exec(line.slice(start, start + 120))![0];
  const syscall = /\b(connect|read|write|bind|open|getaddrinfo|query[A-Za-z]{1,12}|getHost[A-Za-z]{1,12})\s$/.exec(
    line.slice(Math.max(0, start - 24), start),
  )?.[1];
  const rest = line.slice(end).replace(/^\W{1,4}/, '');
  const shown =
    isPropertyLine(line) && head !== undefined ? head : { name: 'Error', message: rest.slice(0, MAX_MESSAGE) };
  const core = rowOf({ ...shown, code, ...(syscall === undefined ? {} : { syscall }) }, 'wait');
  return core === undefined ? row : (codeRowFor(core.id) ?? row);
}

const MAX_MESSAGE = 500;

/** The line that begins an error: `TypeError: fetch failed`. Its properties stand below it. */
export interface ErrorHead {
  readonly name: string;
  readonly message: string;
}

export function errorHeadIn(line: string): ErrorHead | undefined {
  const found = /(?:^|\s)([A-Za-z]{0,40}Error)(?: \[[A-Z0-9_]{1,60}\])?: (.{1,500})/.exec(line.slice(0, 600));
  return found === null ? undefined : { name: found[1]!, message: found[2]!.replace(/ \{$/, '') };
}

export function depthRank(depth: Depth): number {
  return depthOrder.indexOf(depth);
}

/** A line that only names a property of the error above it: it is no further incident. */
export function isPropertyLine(line: string): boolean {
  return /^\s*(?:npm (?:ERR!|error|verb) )?(?:errno|code|syscall|type|cause|kind)\b/.test(line.slice(0, 120));
}

/** A line that goes on with the error above it: chains of causes, members, frames, boxes. */
export function isContinuation(line: string): boolean {
  return (
    /^(?:\s|[│├╰×╭└┌|>]|Caused by|During handling|The above exception|Traceback|\[cause\]|\[errors\]|at |\.\.\. )/.test(
      line,
    ) ||
    /^(?:npm (?:ERR!|error)|fatal:|error: \d|ERROR: No matching|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ERROR \d{3}:|fetch-pack:|send-pack:|remote:)/.test(
      line,
    )
  );
}

/** Source code in a stack names errors that it only might throw. */
export function isSourceLine(line: string): boolean {
  return /^\s+(?:raise|except|return|yield|throw|catch)\b/.test(line);
}

/** A line that says that the next one goes on with the same trouble. */
export function isConnector(line: string): boolean {
  return /(?:Caused by|During handling of the above exception|The above exception was the direct cause|\[cause\]:)/.test(
    line.slice(0, 200),
  );
}
