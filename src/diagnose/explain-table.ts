import { failureTable } from '../core/index.ts';
import type { ExplainRow } from './explain-row.ts';
import { answerRows, serverRows } from './rows-answers.ts';
import { commandRows } from './rows-commands.ts';
import { languageRows } from './rows-languages.ts';
import { nodeRows } from './rows-node.ts';
import { otherRows } from './rows-others.ts';
import { packageRows } from './rows-packages.ts';
import { pythonRows } from './rows-python.ts';
import { systemRows } from './rows-system.ts';
import { tlsRows } from './rows-tls.ts';

const writtenRows: readonly ExplainRow[] = [
  ...systemRows,
  ...tlsRows,
  ...answerRows,
  ...serverRows,
  ...otherRows,
  ...packageRows,
  ...commandRows,
  ...nodeRows,
  ...pythonRows,
  ...languageRows,
];

/** Words that are codes to a runtime, and ordinary words of every log. */
const isDistinctive = (code: string) =>
  /^(?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|E[A-Z]{4,}|(?:ERR|HPE|UND_ERR)_[A-Z0-9_]*\*)$/.test(code);

/** About files and programs at large: the codes stand in logs that have nothing to do with connections. */
const tooGeneral = new Set(['file-not-writable', 'device-error', 'unix-socket-absent', 'connect-forbidden']);

const writtenTexts = new Set(writtenRows.flatMap(({ patterns }) => patterns.map((text) => text.replace(/^=/, ''))));

/**
 * One row for each of core's, with every code that has no row of its own above, so that a code that core learns is explained at once. Which of
 * the rows that list a code it is, core says itself where the text is read.
 */
const codeRows: readonly ExplainRow[] = failureTable
  .filter(({ id }) => !tooGeneral.has(id))
  .map(({ id, match, why }): ExplainRow => {
    const codes = (match.codes ?? []).filter((code) => isDistinctive(code) && !writtenTexts.has(code));
    return {
      id: `code-${id}`,
      by: 'node',
      depth: 'cause',
      patterns: codes.map((code) => `=${code}`),
      join: { kind: 'row', row: id },
      means: why,
    };
  });

/** Every text that is known, the specific above the general. `docs/explain.md` is made from it. */
export const explainTable: readonly ExplainRow[] = [...writtenRows, ...codeRows];

/** The rows that are asked by `codeRowFor`, by the core row that they are joined to. */
const codeRowByCore = new Map(codeRows.map((row) => [row.id.slice('code-'.length), row]));

export function isCodeRow(row: ExplainRow): boolean {
  return row.id.startsWith('code-');
}

export function codeRowFor(coreRow: string): ExplainRow | undefined {
  return codeRowByCore.get(coreRow);
}
