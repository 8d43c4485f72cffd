import { execFile } from 'node:child_process';
import { type ScenarioResult, type ScorecardColumn, scorecard } from '../lab/index.ts';
import type { ConformanceClient, ConformanceSettings } from './conformance-settings.ts';

export type OnResult = (result: ScenarioResult, doneCount: number, totalCount: number) => void;

/** @throws what `scorecard` throws */
export async function cardOf(
  client: ConformanceClient,
  { entries, seed, jobs, limitMs }: Omit<ConformanceSettings, 'clients'>,
  { signal, onResult }: { readonly signal?: AbortSignal; readonly onResult?: OnResult },
): Promise<ScorecardColumn> {
  const options = {
    entries,
    seed,
    limitMs,
    ...(jobs && { jobs }),
    ...(signal && { signal }),
    ...(onResult && { onResult }),
  };
  const card = await scorecard(client.command, options);
  return { title: client.title, how: client.how, version: await versionOf(client), card };
}

const versionLimitMs = 5_000;

function versionOf({ versionCommand }: ConformanceClient): Promise<string | undefined> {
  if (versionCommand === undefined) return Promise.resolve(undefined);
  const [program = '', ...args] = versionCommand;
  return new Promise((resolve) => {
    execFile(program, args, { timeout: versionLimitMs }, (_error, stdout) => resolve(shortened(stdout)));
  });
}

/** `curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/…` → `curl 7.88.1` */
function shortened(text: string): string | undefined {
  const line = text.split('\n', 1)[0]!.trim();
  return line === '' ? undefined : line.split(/ \(| built on /, 1)[0];
}
