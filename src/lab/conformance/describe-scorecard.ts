import type { ScenarioResult } from './play-scenario.ts';
import type { Scorecard } from './scorecard.ts';
import {
  describeCounts,
  durationText,
  marks,
  ratioText,
  reasonsOf,
  remarksOn,
  requestsText,
  verdictWords,
} from './words.ts';

/** A client with how it fared. */
export interface ScorecardColumn {
  readonly title: string;
  /** How it was called, in one sentence. */
  readonly how: string;
  /** As the client itself says it. */
  readonly version: string | undefined;
  readonly card: Scorecard;
}

/** A scorecard as text, for a terminal or a log; `said` adds what the client wrote last. */
export function describeScorecard(
  { title, version, card }: ScorecardColumn,
  details: 'said' | 'none' = 'none',
): string {
  const width = Math.max(...card.results.map(({ scenario }) => scenario.length), 8);
  const lines = [`${title}${version === undefined ? '' : ` · ${version}`}`, `  ${card.command.join(' ')}`];
  let family = '';
  for (const result of card.results) {
    if (result.family !== family) lines.push('', result.family);
    family = result.family;
    lines.push(describeResult(result, width));
    if (details === 'said' && result.said !== '') lines.push(`      ${result.said}`);
  }
  lines.push('', `${title}: ${describeCounts(card)}`);
  for (const [reason, names] of reasonsOf(card)) lines.push(`left out, as ${reason}: ${names.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function describeResult(result: ScenarioResult, width: number): string {
  const cells = [
    `${marks[result.judgement]} ${result.scenario.padEnd(width)}`,
    verdictWords[result.verdict].padEnd(13),
    ratioText(result.byteRatio).padStart(6),
    requestsText(result.requestCount).padStart(12),
    durationText(result.durationMs).padStart(7),
    remarksOn(result).join(', '),
  ];
  return `  ${cells.join('  ').trimEnd()}`;
}
