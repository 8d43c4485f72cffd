/** What became of many files: the failed ones with what to do, and all of them where they are few. */
import { relative } from 'node:path';
import { formatBytes } from '../core/index.ts';
import type { BatchOutcome } from '../download/index.ts';
import { fitTo, widthOf } from './bars.ts';
import { firstLineOf } from './error-lines.ts';
import type { Level } from './text-reporter.ts';

/** A longer table of what went well is only asked for. */
const MAX_ROWS = 20;
const MAX_NAME_COLUMNS = 40;

/** By exit code. */
const whatToDo: Readonly<Record<number, string>> = {
  1: 'see the reason',
  3: 'run the same command again',
  4: 'the server refuses it: check the URL and the login',
  5: 'the content is not what was expected: check the checksum, or try another mirror',
  6: 'mend it on this machine, and run the same command again',
};

export function describeOutcomes(
  outcomes: readonly BatchOutcome[],
  codes: readonly number[],
  level: Level,
): readonly string[] {
  const isShort = outcomes.length <= MAX_ROWS || level === 'verbose';
  const shown = outcomes.filter(({ kind }) => isShort || kind === 'failed');
  const columns = Math.min(MAX_NAME_COLUMNS, Math.max(0, ...shown.map((one) => widthOf(nameOf(one)))));
  return shown.map((outcome) => {
    const name = fitTo(nameOf(outcome), columns);
    const gap = ' '.repeat(columns - widthOf(name));
    return `  ${outcome.kind.padEnd(7)}  ${name}${gap}  ${describe(outcome, codes[outcome.index] ?? 1)}`;
  });
}

function nameOf({ path }: BatchOutcome): string {
  const near = relative('.', path);
  return near === '' || near.startsWith('..') ? path : near;
}

function describe(outcome: BatchOutcome, exit: number): string {
  switch (outcome.kind) {
    case 'done': {
      const { bytes, integrity, attempts, resumedBytes } = outcome.result;
      const proof = integrity === 'unverifiable' ? 'NOT PROVEN' : `proven by its ${integrity}`;
      const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
      const earlier = resumedBytes === 0 ? '' : `, ${formatBytes(resumedBytes)} kept from an earlier run`;
      return `${formatBytes(bytes)}, ${proof}, ${tries}${earlier}`;
    }
    case 'skipped': {
      const because = outcome.because === 'checksum' ? 'its checksum is right' : 'proven by an earlier run, unchanged';
      return `${formatBytes(outcome.bytes)}, ${because}`;
    }
    case 'failed': {
      const [reason, advice] = reasonOf(outcome.error);
      return `${reason} → ${advice ?? whatToDo[exit] ?? whatToDo[1]}`;
    }
  }
}

/** The request and its cost stand above, where it failed; what it advises itself fits better than anything general. */
function reasonOf(error: unknown): readonly [reason: string, advice: string | undefined] {
  const { failure } = error as { readonly failure?: { readonly what?: string } };
  const what = failure?.what ?? firstLineOf(error);
  const [, reason = what, advice] = /^(.*); ((?:use|wait|give|choose) .*)$/s.exec(what) ?? [];
  return [reason, advice];
}
