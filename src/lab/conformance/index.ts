/** Any client, run through the catalogue: healed, failed safely, hung, or corrupt. */
export { type Choice, chooseEntries, leastSizeBytes } from './choose-entries.ts';
export { checkCommand, type Placeholders } from './command-form.ts';
export { UnfitClientError } from './controls.ts';
export { describeScorecard, type ScorecardColumn } from './describe-scorecard.ts';
export type { ScenarioResult } from './play-scenario.ts';
export { MissingPeerError, type Preset, presets } from './presets.ts';
export { type PageFacts, renderScorecards } from './render-scorecards.ts';
export { defaultLimitMs, type LeftOut, type Scorecard, type ScorecardOptions, scorecard } from './scorecard.ts';
export type { Judgement, Left, ProcessEnd, Verdict } from './verdict-of.ts';
export { remarksOn, verdictWords } from './words.ts';
