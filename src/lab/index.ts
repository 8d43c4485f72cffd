/** A fault lab: real sockets, every kind of broken connection on demand, and a record of what clients really did. */
export { catalogue, resized, type ScenarioOverrides, scenarioNamed } from './catalogue.ts';
export type { CatalogueEntry, Expectation } from './catalogue-entry.ts';
export { checkScenario } from './check-scenario.ts';
export {
  type Choice,
  checkCommand,
  chooseEntries,
  defaultLimitMs,
  describeScorecard,
  type Judgement,
  type Left,
  type LeftOut,
  leastSizeBytes,
  MissingPeerError,
  type PageFacts,
  type Placeholders,
  type Preset,
  type ProcessEnd,
  presets,
  remarksOn,
  renderScorecards,
  type ScenarioResult,
  type Scorecard,
  type ScorecardColumn,
  type ScorecardOptions,
  scorecard,
  UnfitClientError,
  type Verdict,
  verdictWords,
} from './conformance/index.ts';
export type {
  DnsFault,
  DnsPlan,
  DnsQueryRecord,
  DnsRule,
  LabDns,
  Lookup,
} from './dns/plan.ts';
export { expectWords } from './expect-words.ts';
export {
  type FailoverFault,
  type FailoverTiming,
  failoverFaults,
  fallbackModel,
  fullTiming,
  primaryModel,
} from './failover/faults.ts';
export type { FailoverScore, FailoverVerdict } from './failover/judge.ts';
export { type FailoverSystem, type FailoverUpstreams, playFailover } from './failover/play.ts';
export type * from './front/plan.ts';
export { startFront } from './front/start-front.ts';
export { loadFrontRules, parseFrontRules } from './front-file.ts';
export type * from './kernel/plan.ts';
export { kernelAbilities, startKernelLab } from './kernel/start-kernel-lab.ts';
export {
  modelStream,
  type StreamFormat,
  type StreamPlan,
  type StreamTrouble,
  streamCatalogue,
  textOf,
  tokenAt,
} from './model-streams.ts';
export type { LabProxy, ProxyFault, ProxyPlan, ProxyRequestRecord } from './proxy-plan.ts';
export type {
  AnswerEnd,
  AnswerRecord,
  ConnectionRecord,
  EffectRecord,
  RequestRecord,
  RunRecord,
} from './record.ts';
export type { Run, RunVersion } from './run.ts';
export type * from './scenario.ts';
export { http2Codes } from './scenario.ts';
export { loadScenarios, parseScenarios } from './scenario-file.ts';
export { ScenarioFileError } from './scenario-file-document.ts';
export { type Lab, type LabOptions, type PlayOptions, startLab } from './start-lab.ts';
