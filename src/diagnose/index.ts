export { diagnose } from './diagnose.ts';
export { DIAGNOSE_DEFAULTS, type DiagnoseOptions } from './diagnose-options.ts';
export type { DiagnoseEvent, Diagnosis, Measured, ShownConnection, ShownRequest, Step } from './diagnosis.ts';
export {
  type Explained,
  type ExplainedCause,
  type ExplainSource,
  type Explanation,
  explain,
  type Repeat,
  type Unexplained,
} from './explain.ts';
export type { Depth, ExplainRow, Join, Tool } from './explain-row.ts';
export { explainTable } from './explain-table.ts';
export type { CauseFamily, CauseId } from './inference/cause-list.ts';
export { causes } from './inference/cause-list.ts';
export { type ExperimentId, experiments } from './inference/experiment-list.ts';
export type { CauseEvidence, NamedCause, Settler, Verdict as DiagnosisVerdict } from './inference/judge.ts';
export { likelihoods } from './inference/posterior.ts';
export type { Next } from './next-step.ts';
export { type Advice, adviseFor } from './report/advise.ts';
export { describeDiagnosis, describeStep } from './report/describe.ts';
export { describeExplanation } from './report/describe-explanation.ts';
export { renderDiagnosisPage } from './report/page.ts';
export { type Verdict, verdictOf } from './verdict.ts';
