import { writeFile } from 'node:fs/promises';
import { ConfigError } from '../core/index.ts';
import {
  MissingPeerError,
  renderScorecards,
  ScenarioFileError,
  type ScorecardColumn,
  UnfitClientError,
} from '../lab/index.ts';
import { systemRuntime } from '../runtime/index.ts';
import { cardOf } from './conformance-card.ts';
import type { ConformanceFlags } from './conformance-flags.ts';
import { describeList, listLines } from './conformance-list.ts';
import { describeMachine } from './conformance-machine.ts';
import { ConformanceReport } from './conformance-report.ts';
import { type ConformanceSettings, entriesFrom, resolveConformance } from './conformance-settings.ts';
import { exitCodes } from './exit-code.ts';
import { Interruption, listenForInterruption } from './interruption.ts';
import { openOutput } from './output.ts';

/** `reknit conformance`. @returns the exit code */
export async function conformance(command: readonly string[], flags: ConformanceFlags): Promise<number> {
  try {
    if (flags.list) return await list(flags);
    const settings = await resolveConformance(command, flags, process.cwd());
    return await judgeAll(settings, flags);
  } catch (error) {
    if (!isUsage(error)) throw error;
    process.stderr.write(`reknit: ${error.message}\n`);
    return exitCodes.usage;
  }
}

async function list(flags: ConformanceFlags): Promise<number> {
  const entries = await entriesFrom(flags);
  process.stdout.write(flags.json ? listLines(entries) : describeList(entries));
  return exitCodes.done;
}

async function judgeAll(settings: ConformanceSettings, flags: ConformanceFlags): Promise<number> {
  const output = openOutput();
  const interruption = listenForInterruption();
  const signal = AbortSignal.any([interruption.signal, output.signal]);
  const report = new ConformanceReport(flags);
  const columns: ScorecardColumn[] = [];
  for (const line of settings.missing) report.note(line);
  try {
    for (const client of settings.clients) {
      report.start(client, settings);
      const onResult = report.result.bind(report, client);
      const column = await cardOf(client, settings, { signal, onResult }).catch((error: unknown) => {
        if (!(error instanceof UnfitClientError)) throw error;
        const line = `Cannot judge ${client.title} as ${error.message}`;
        if (settings.clients.length === 1) throw new ConfigError(line);
        report.note(line);
      });
      if (column === undefined) continue;
      columns.push(column);
      report.done(client, column);
    }
  } catch (error) {
    report.close();
    if (output.isClosed) return exitCodes.failed;
    if (!(error instanceof Interruption)) throw error;
    process.stderr.write(`reknit: ${error.message}; every client was ended and nothing is left behind\n`);
    return error.exitCode;
  } finally {
    interruption.stop();
  }
  if (columns.length === 0) return exitCodes.usage;
  return (await writePage(flags.html, columns, settings, report)) ?? codeOf(columns);
}

async function writePage(
  path: string | undefined,
  columns: readonly ScorecardColumn[],
  { entries, seed, limitMs }: ConformanceSettings,
  report: ConformanceReport,
): Promise<number | undefined> {
  if (path === undefined) return undefined;
  try {
    const made = `${describeMachine()}, ${new Date(systemRuntime.clock.wallMs()).toISOString().slice(0, 10)}`;
    await writeFile(path, renderScorecards(columns, entries, { seed, limitMs, made }));
    report.note(`the page is in ${path}`);
    return undefined;
  } catch (error) {
    report.note(`Cannot write the page: ${(error as Error).message}`);
    return exitCodes.local;
  }
}

function codeOf(columns: readonly ScorecardColumn[]): number {
  return columns.some(({ card }) => card.judgements.wrong > 0) ? exitCodes.integrity : exitCodes.done;
}

/** The lab says what is wrong with commands and choices by TypeError. */
function isUsage(error: unknown): error is Error {
  const kinds = [ConfigError, ScenarioFileError, MissingPeerError];
  return kinds.some((kind) => error instanceof kind) || (error instanceof TypeError && /^Cannot /.test(error.message));
}
