/**
 * What `reknit conformance` tells while it runs. `--json` has one event per line, each with `event` and `client`:
 *
 * | event | fields |
 * |---|---|
 * | `start` | `command`, `seed`, `limitMs` |
 * | `result` | the fields of `ScenarioResult` |
 * | `left-out` | `scenario`, `family`, `reason` |
 * | `summary` | `version` where known, `verdicts`, `judgements` |
 */
import { formatDuration } from '../core/index.ts';
import { describeScorecard, type ScenarioResult, type ScorecardColumn, verdictWords } from '../lab/index.ts';
import type { ConformanceFlags } from './conformance-flags.ts';
import type { ConformanceClient, ConformanceSettings } from './conformance-settings.ts';

const CLEAR = '\r\x1b[2K';

export class ConformanceReport {
  readonly #flags: ConformanceFlags;
  readonly #isLive = process.stderr.isTTY === true && !process.env.NO_COLOR && !process.env.CI;

  constructor(flags: ConformanceFlags) {
    this.#flags = flags;
  }

  start(client: ConformanceClient, { seed, limitMs, entries }: ConformanceSettings): void {
    this.#json('start', client, { command: client.command, seed, limitMs });
    this.#progress(`${client.title}: ${entries.length} scenarios, seed ${seed}`);
  }

  result(client: ConformanceClient, result: ScenarioResult, doneCount: number, totalCount: number): void {
    this.#json('result', client, { ...result });
    const took = formatDuration(result.durationMs);
    this.#progress(`[${doneCount}/${totalCount}] ${result.scenario}: ${verdictWords[result.verdict]} in ${took}`);
  }

  done(client: ConformanceClient, column: ScorecardColumn): void {
    const { version, card } = column;
    this.close();
    for (const each of card.leftOut) this.#json('left-out', client, { ...each });
    this.#json('summary', client, { version, verdicts: card.verdicts, judgements: card.judgements });
    if (!this.#flags.json)
      process.stdout.write(`${describeScorecard(column, this.#flags.verbose ? 'said' : 'none')}\n`);
  }

  /** What stays on the screen. */
  note(text: string): void {
    this.close();
    process.stderr.write(`reknit: ${text}\n`);
  }

  close(): void {
    if (this.#isLive && !this.#flags.quiet) process.stderr.write(CLEAR);
  }

  #progress(text: string): void {
    if (this.#flags.quiet) return;
    // A line that wraps cannot be written again.
    if (this.#isLive) process.stderr.write(CLEAR + text.slice(0, Math.max(20, (process.stderr.columns || 80) - 1)));
    else process.stderr.write(`reknit: ${text}\n`);
  }

  #json(event: string, client: ConformanceClient, fields: Readonly<Record<string, unknown>>): void {
    if (!this.#flags.json) return;
    process.stdout.write(`${JSON.stringify({ event, client: client.name, ...fields })}\n`);
  }
}
