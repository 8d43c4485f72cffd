/** `reknit get` of several files: from URLs, or from a list. */
import { ConfigError } from '../core/index.ts';
import {
  type BatchEntry,
  type BatchOutcome,
  type BatchResult,
  createHostLimits,
  downloadAll,
} from '../download/index.ts';
import { colours } from './bars.ts';
import { BatchJsonReporter } from './batch-json-reporter.ts';
import type { BatchReporter } from './batch-reporter.ts';
import { BatchScreen } from './batch-screen.ts';
import { BatchTextReporter } from './batch-text-reporter.ts';
import { exitCodeOf, exitCodeOfBatch, exitCodes } from './exit-code.ts';
import { firstLimitOf, LOCAL_LIMITS } from './get-batch-limits.ts';
import type { GetFlags } from './get-flags.ts';
import type { GetSettings, Job } from './get-settings.ts';
import { Interruption } from './interruption.ts';
import { isLiveTerminal, levelOf } from './levels.ts';

export async function getBatch(settings: GetSettings, flags: GetFlags, signal: AbortSignal): Promise<number> {
  const { jobs, client, transfer, force } = settings;
  const reporters = createReporters(flags);
  const tell = (say: (reporter: BatchReporter) => void) => reporters.forEach(say);
  const { stateFolder, initialConnections, mirrors: _mirrors, ...common } = transfer;
  await using limits = createHostLimits({
    stateFolder,
    firstLimit: firstLimitOf(settings),
    onLocal: (because) => tell((one) => one.note(`${LOCAL_LIMITS} (${because})`)),
  });
  const codes: number[] = [];
  tell((one) => one.begin(jobs));
  try {
    const result = await downloadAll(jobs.map(entryOf), {
      ...client,
      ...common,
      ...(initialConnections === undefined ? {} : { initialConnections }),
      stateFolder,
      limits,
      force,
      signal,
      jobs: settings.batch!.jobs,
      onEvent: (event, index) => tell((one) => one.event(event, index)),
      onProgress: (progress, index) => tell((one) => one.progress(progress, index)),
      onOutcome: (outcome) => {
        codes[outcome.index] = exitOf(outcome);
        tell((one) => one.outcome(outcome, codes[outcome.index]!));
      },
    });
    return summarize(result, codes, tell);
  } catch (error) {
    return explain(error, signal, tell);
  } finally {
    tell((one) => one.close());
  }
}

function entryOf({ url, target, headers, entry }: Job): BatchEntry {
  const { checksum, size, mirrors } = entry ?? {};
  return { url, to: target!, headers, checksum, size, mirrors };
}

function exitOf(outcome: BatchOutcome): number {
  return outcome.kind === 'failed' ? exitCodeOf(outcome.error) : exitCodes.done;
}

type Tell = (say: (reporter: BatchReporter) => void) => void;

function summarize(result: BatchResult, codes: readonly number[], tell: Tell): number {
  const exit = exitCodeOfBatch(codes);
  tell((one) => one.summary(result, codes, exit));
  return exit;
}

function explain(error: unknown, signal: AbortSignal, tell: Tell): number {
  if (error instanceof Interruption) tell((one) => one.interrupted(error));
  else if (error instanceof ConfigError) process.stderr.write(`reknit: ${error.message}\n`);
  else if (!signal.aborted) throw error;
  return exitCodeOf(error);
}

function createReporters(flags: GetFlags): readonly BatchReporter[] {
  const level = levelOf(flags);
  const screen = isLiveTerminal(level) ? new BatchScreen(process.stderr, colours) : undefined;
  const text = new BatchTextReporter(process.stderr, level, screen);
  return flags.json === true ? [new BatchJsonReporter(process.stdout), text] : [text];
}
