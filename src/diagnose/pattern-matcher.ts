import type { ExplainRow } from './explain-row.ts';
import { createLiteralScanner, type LiteralScanner } from './literal-scanner.ts';

/** One row that a line shows. */
export interface Match {
  readonly row: ExplainRow;
  /** Where it begins and ends in the line; the end is exclusive. */
  readonly start: number;
  readonly end: number;
  /** The HTTP status at `{status}`. */
  readonly status: number | undefined;
}

export interface PatternMatcher {
  /** At most one match per row, the first. Takes time proportional to the line. */
  match(line: string): readonly Match[];
}

/** One part of a pattern, between two ` … `. */
interface Segment {
  readonly literal: string;
  readonly mindsCase: boolean;
  readonly atStart: boolean;
  readonly atEnd: boolean;
  /** Any rest of the word may follow. */
  readonly isPrefix: boolean;
  readonly status: 'before' | 'after' | undefined;
  /** What must follow the status. */
  readonly tail: string;
}

interface Pattern {
  readonly row: ExplainRow;
  readonly segments: readonly Segment[];
}

/** How far a pattern has been seen in the line at hand; of another line, if `line` differs. */
interface Progress {
  line: number;
  segmentCount: number;
  start: number;
  end: number;
  status: number | undefined;
}

export function createPatternMatcher(rows: readonly ExplainRow[]): PatternMatcher {
  const patterns = rows.flatMap((row) => row.patterns.map((text) => compilePattern(row, text)));
  const users = new Map<string, { pattern: number; segment: number }[]>();
  patterns.forEach(({ segments }, pattern) => {
    segments.forEach(({ literal }, segment) => {
      const key = literal.toLowerCase();
      users.set(key, [...(users.get(key) ?? []), { pattern, segment }]);
    });
  });
  const literals = [...users.keys()];
  const usersOf = literals.map((literal) => users.get(literal)!);
  return new Matcher(patterns, literals, usersOf, createLiteralScanner(literals));
}

class Matcher implements PatternMatcher {
  readonly #patterns: readonly Pattern[];
  readonly #literals: readonly string[];
  readonly #usersOf: readonly (readonly { readonly pattern: number; readonly segment: number }[])[];
  readonly #scanner: LiteralScanner;
  readonly #progress: Progress[];
  #line = 0;

  constructor(
    patterns: readonly Pattern[],
    literals: readonly string[],
    usersOf: readonly (readonly { readonly pattern: number; readonly segment: number }[])[],
    scanner: LiteralScanner,
  ) {
    this.#patterns = patterns;
    this.#literals = literals;
    this.#usersOf = usersOf;
    this.#scanner = scanner;
    this.#progress = patterns.map(() => ({ line: 0, segmentCount: 0, start: 0, end: 0, status: undefined }));
  }

  match(line: string): readonly Match[] {
    this.#line += 1;
    const matches = new Map<ExplainRow, Match>();
    let bounds: Bounds | undefined;
    this.#scanner.scan(line, (literalIndex, end) => {
      bounds ??= boundsOf(line);
      const start = end - this.#literals[literalIndex]!.length;
      for (const { pattern, segment } of this.#usersOf[literalIndex]!) {
        const match = this.#advance(pattern, segment, line, bounds, start, end);
        if (match !== undefined && !matches.has(match.row)) matches.set(match.row, match);
      }
    });
    return matches.size === 0 ? none : [...matches.values()];
  }

  /** Taking each part at its first end is enough: whatever comes later leaves less room for the parts after it. */
  #advance(
    pattern: number,
    segment: number,
    line: string,
    bounds: Bounds,
    start: number,
    end: number,
  ): Match | undefined {
    const progress = this.#progress[pattern]!;
    if (progress.line !== this.#line) {
      progress.line = this.#line;
      progress.segmentCount = 0;
      progress.end = 0;
      progress.status = undefined;
    }
    if (progress.segmentCount !== segment || start < progress.end) return undefined;
    const { row, segments } = this.#patterns[pattern]!;
    const fit = fitSegment(segments[segment]!, line, bounds, start, end);
    if (fit === undefined || !acceptsStatus(row, segments[segment]!, fit.status)) return undefined;
    if (segment === 0) progress.start = fit.start;
    progress.segmentCount += 1;
    progress.end = fit.end;
    progress.status = fit.status ?? progress.status;
    if (progress.segmentCount < segments.length) return undefined;
    return { row, start: progress.start, end: fit.end, status: progress.status };
  }
}

const none: readonly Match[] = [];

/** Where the line's text begins and ends, without the blanks around it. */
interface Bounds {
  readonly first: number;
  readonly last: number;
}

function boundsOf(line: string): Bounds {
  return { first: line.length - line.trimStart().length, last: line.trimEnd().length };
}

interface Fit {
  readonly start: number;
  readonly end: number;
  readonly status: number | undefined;
}

function fitSegment(segment: Segment, line: string, bounds: Bounds, start: number, end: number): Fit | undefined {
  const { literal, mindsCase, atStart, atEnd, isPrefix, status, tail } = segment;
  if (mindsCase && line.slice(start, end) !== literal) return undefined;
  if (atStart && start !== bounds.first) return undefined;
  if (atEnd && end !== bounds.last) return undefined;
  if (status === 'before') {
    const read = readStatus(line, start - 3);
    return read === undefined || !isBoundary(line, start - 3) ? undefined : { start: start - 3, end, status: read };
  }
  if (!isBoundary(line, start)) return undefined;
  if (status === 'after') {
    const read = readStatus(line, end);
    if (read === undefined || !line.slice(end + 3).startsWith(tail)) return undefined;
    return tail === '' && !isBoundary(line, end + 3) ? undefined : { start, end: end + 3, status: read };
  }
  return isPrefix || isBoundary(line, end) ? { start, end, status: undefined } : undefined;
}

function acceptsStatus({ statuses }: ExplainRow, segment: Segment, status: number | undefined): boolean {
  if (segment.status === undefined || statuses === undefined) return true;
  return status !== undefined && statuses.includes(status);
}

function readStatus(line: string, at: number): number | undefined {
  const first = line.charCodeAt(at);
  if (!(first >= 0x34 && first <= 0x35) || !isDigit(line.charCodeAt(at + 1)) || !isDigit(line.charCodeAt(at + 2))) {
    return undefined;
  }
  return Number(line.slice(at, at + 3));
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;

const isWord = (code: number) =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;

/** A text is not found inside a longer word: at `at`, a word begins or ends, or there is none. */
function isBoundary(line: string, at: number): boolean {
  return !(isWord(line.charCodeAt(at - 1)) && isWord(line.charCodeAt(at)));
}

export function compilePattern(row: ExplainRow, text: string): Pattern {
  const mindsCase = text.startsWith('=');
  const parts = (mindsCase ? text.slice(1) : text).split(' … ');
  const segments = parts.map((part, index): Segment => {
    const atStart = index === 0 && part.startsWith('^');
    const atEnd = index === parts.length - 1 && part.endsWith('$');
    const bare = part.slice(atStart ? 1 : 0, atEnd ? -1 : undefined);
    const isPrefix = bare.endsWith('*');
    const [before = '', after = ''] = (isPrefix ? bare.slice(0, -1) : bare).split('{status}');
    const status = !bare.includes('{status}') ? undefined : before === '' ? 'before' : 'after';
    const literal = status === 'before' ? after : before;
    if (literal === '') throw new Error(`the pattern of ${row.id} has an empty part: ${text}`);
    return { literal, mindsCase, atStart, atEnd, isPrefix, status, tail: status === 'after' ? after : '' };
  });
  return { row, segments };
}
