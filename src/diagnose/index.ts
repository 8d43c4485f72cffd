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
export type { Next } from './next-step.ts';
export { type Verdict, verdictOf } from './verdict.ts';
