import type { CauseId } from './cause-list.ts';
import type { ExperimentId } from './experiment-list.ts';

/** What an experiment shows where one cause is the reason: how often each outcome comes, as weights, and why. */
export interface LikelihoodRow {
  readonly cause: CauseId;
  readonly experiment: ExperimentId;
  readonly weights: Readonly<Record<string, number>>;
  readonly why: string;
}
