import { availableParallelism } from 'node:os';
import type { CatalogueEntry } from '../catalogue-entry.ts';
import { certificateAuthority } from '../certificate.ts';
import { type Choice, chooseEntries } from './choose-entries.ts';
import { checkCommand } from './command-form.ts';
import { checkFit, type Need, needsOf, UnfitClientError, whyNot } from './controls.ts';
import { type Playing, playTo, type ScenarioResult } from './play-scenario.ts';
import type { Judgement, Verdict } from './verdict-of.ts';
import { openWorkplace } from './workplace.ts';

export interface ScorecardOptions extends Choice {
  /** For scenarios without a seed of their own. @default 1 */
  readonly seed?: number;
  /** Scenarios played at the same time. @default twice the processors */
  readonly jobs?: number;
  /** How long a client may take for one scenario. @default 60000 */
  readonly limitMs?: number;
  /** Where the command runs. @default the current folder */
  readonly cwd?: string;
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** Ends everything at once; nothing is left behind. */
  readonly signal?: AbortSignal;
  /** Called as results come, in the order in which they do. */
  readonly onResult?: (result: ScenarioResult, doneCount: number, totalCount: number) => void;
}

/** A scenario that was not played, and why. */
export interface LeftOut {
  readonly scenario: string;
  readonly family: string;
  readonly reason: string;
}

/** How a client fares under every scenario. */
export interface Scorecard {
  readonly command: readonly string[];
  readonly seed: number;
  readonly limitMs: number;
  /** In the order of the catalogue. */
  readonly results: readonly ScenarioResult[];
  readonly leftOut: readonly LeftOut[];
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly judgements: Readonly<Record<Judgement, number>>;
}

export const defaultLimitMs = 60_000;

/**
 * Runs a client through scenarios of broken connections, each with a lab, a folder and a process group of its own.
 *
 * @param command program and arguments; `{url}` and `{file}` are replaced, as are `{folder}`, `{name}`, `{cacert}` and
 * `{sha256}`. Without `{file}` the body is taken from stdout.
 * @throws TypeError for a wrong command or choice, UnfitClientError where the client cannot be started or fails a
 * download that nothing disturbs, the signal's reason after an abort.
 * @example
 * const { judgements } = await scorecard(['curl', '-fsS', '--retry', '5', '-o', '{file}', '{url}']);
 */
export async function scorecard(command: readonly string[], options: ScorecardOptions = {}): Promise<Scorecard> {
  checkCommand(command);
  const entries = chooseEntries(options);
  const { seed = 1, limitMs = defaultLimitMs, cwd = process.cwd(), env = process.env, signal } = options;
  await using workplace = await openWorkplace(certificateAuthority);
  const playing: Playing = { command, workplace, seed, limitMs, cwd, env, signal };
  try {
    await checkFit(playing);
  } catch (error) {
    throw isUnstartable(error) ? new UnfitClientError(`it cannot be started: ${(error as Error).message}`) : error;
  }
  const { playable, leftOut } = await sortOut(entries, playing);
  const results = await playAll(playable, playing, options);
  return { command, seed, limitMs, results, leftOut, ...countsOf(results) };
}

async function sortOut(
  entries: readonly CatalogueEntry[],
  playing: Playing,
): Promise<{ readonly playable: readonly CatalogueEntry[]; readonly leftOut: readonly LeftOut[] }> {
  const reasons = new Map<Need, string | undefined>();
  for (const need of new Set(entries.flatMap(needsOf))) reasons.set(need, await whyNot(need, playing));
  const reasonOf = (entry: CatalogueEntry) =>
    needsOf(entry)
      .map((need) => reasons.get(need))
      .find((reason) => reason !== undefined);
  return {
    playable: entries.filter((entry) => reasonOf(entry) === undefined),
    leftOut: entries.flatMap((entry) => {
      const reason = reasonOf(entry);
      return reason === undefined ? [] : [{ scenario: entry.scenario.name, family: entry.family, reason }];
    }),
  };
}

async function playAll(
  entries: readonly CatalogueEntry[],
  playing: Playing,
  { jobs = 2 * availableParallelism(), onResult }: ScorecardOptions,
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  const queue = [...entries.entries()];
  let doneCount = 0;
  // The first that throws stops the others, too, instead of leaving their processes running.
  const stop = new AbortController();
  const signal = playing.signal === undefined ? stop.signal : AbortSignal.any([playing.signal, stop.signal]);
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, entry] = next;
      const { result } = await playTo(entry, { ...playing, signal }, `${index + 1}-${entry.scenario.name}`);
      results[index] = result;
      doneCount += 1;
      onResult?.(result, doneCount, entries.length);
    }
  };
  const workers = Array.from({ length: Math.min(jobs, entries.length) }, work);
  await Promise.all(workers).catch((error: unknown) => stop.abort(error));
  await Promise.allSettled(workers);
  signal.throwIfAborted();
  return results;
}

function countsOf(results: readonly ScenarioResult[]): Pick<Scorecard, 'verdicts' | 'judgements'> {
  const verdicts = { healed: 0, 'failed-safely': 0, hung: 0, corrupt: 0 };
  const judgements = { right: 0, safe: 0, wrong: 0 };
  for (const { verdict, judgement } of results) {
    verdicts[verdict] += 1;
    judgements[judgement] += 1;
  }
  return { verdicts, judgements };
}

function isUnstartable(error: unknown): boolean {
  return ['ENOENT', 'EACCES', 'ENOEXEC', 'E2BIG'].includes((error as NodeJS.ErrnoException).code ?? '');
}
