/** A fault lab: real sockets, every kind of broken connection on demand, and a record of what clients really did. */
export { catalogue, resized, type ScenarioOverrides, scenarioNamed } from './catalogue.ts';
export type { CatalogueEntry, Expectation } from './catalogue-entry.ts';
export { checkScenario } from './check-scenario.ts';
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
export { type Lab, type LabOptions, type PlayOptions, startLab } from './start-lab.ts';
