import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogueEntry } from '../catalogue-entry.ts';
import type { RunRecord } from '../record.ts';
import type { Run } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { startLab } from '../start-lab.ts';
import { fillIn, writesToStdout } from './command-form.ts';
import { runIsolated } from './isolated-process.ts';
import { type Judgement, judge, type Left, leftOf, type ProcessEnd, type Verdict, verdictOf } from './verdict-of.ts';
import { environmentOf, type Workplace } from './workplace.ts';

/** What became of one scenario under one client. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly family: string;
  readonly expect: CatalogueEntry['expect'];
  readonly verdict: Verdict;
  readonly judgement: Judgement;
  readonly end: ProcessEnd;
  /** What stands under the final name. */
  readonly left: Left;
  /** Body bytes that the lab has sent / bytes of the file. */
  readonly byteRatio: number;
  readonly requestCount: number;
  readonly connectionCount: number;
  readonly durationMs: number;
  /** Whether the fault has met the client at all; a client that never resumes meets no faults of resumes. */
  readonly faultMet: boolean;
  /** The last line that the client wrote. */
  readonly said: string;
}

export interface Playing {
  readonly command: readonly string[];
  readonly workplace: Workplace;
  readonly seed: number;
  readonly limitMs: number;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
}

/** One run of a client: what it was told, and what it did. */
export interface Played {
  readonly result: ScenarioResult;
  readonly record: RunRecord;
  /** Requests that came to the run's proxy. */
  readonly proxiedCount: number;
}

/** Plays a scenario to a client in a lab, a folder and a process group of its own. */
export async function playTo(entry: CatalogueEntry, playing: Playing, folderName: string): Promise<Played> {
  const { workplace, seed, limitMs, cwd, signal, command } = playing;
  await using lab = await startLab({ seed, tls: entry.needs === 'tls', sparePorts: 1 });
  const run = lab.play(entry.scenario);
  await run.ready;
  const folder = await workplace.folderFor(folderName);
  const file = join(folder, 'file.bin');
  const values = {
    url: run.url,
    file,
    folder,
    name: 'file.bin',
    cacert: workplace.cacert,
    sha256: run.versions.at(-1)!.sha256,
  };
  const { end, durationMs, said } = await runIsolated({
    command: fillIn(command, values),
    cwd,
    env: environmentOf(playing.env, { cacert: workplace.cacert, folder, proxyUrl: run.proxy?.url }),
    limitMs,
    signal,
    ...(writesToStdout(command) && { stdoutTo: file }),
  });
  const bytes = await readIfThere(file);
  const proxiedCount = run.proxy?.requests.length ?? 0;
  const words = said.replaceAll(`${folder}/`, '');
  return { result: resultOf(entry, run, end, bytes, durationMs, words), record: run.record, proxiedCount };
}

function resultOf(
  { scenario, family, expect }: CatalogueEntry,
  run: Run,
  end: ProcessEnd,
  bytes: Buffer | undefined,
  durationMs: number,
  said: string,
): ScenarioResult {
  const { record } = run;
  const left = leftOf(
    bytes,
    run.versions.map((version) => version.bytes()),
  );
  const verdict = verdictOf(end, left);
  return {
    scenario: scenario.name,
    family,
    expect,
    verdict,
    judgement: judge(verdict, expect),
    end,
    left,
    byteRatio: round(record.bodyBytesSent / Math.max(1, run.sizeBytes), 100),
    requestCount: record.requests.length,
    connectionCount: record.connections.length,
    durationMs: Math.round(durationMs),
    faultMet: isFaultMet(scenario, record),
    said,
  };
}

function isFaultMet(scenario: Scenario, { requests, connections }: RunRecord): boolean {
  const isHealthy =
    (scenario.requests ?? []).length + (scenario.connections ?? []).length === 0 && scenario.changes === undefined;
  const isBefore = [scenario.refuses, scenario.overflows, scenario.proxy].some((part) => part !== undefined);
  if (isHealthy || isBefore) return true;
  return [...requests, ...connections].some(({ faults }) => faults.length > 0);
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
