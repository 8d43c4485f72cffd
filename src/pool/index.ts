export type { OutcomeClass, TrailEntry } from '../core/index.ts';
export type { Course, CourseStep } from './course.ts';
export type { PoolEvent, PoolEventListener } from './events.ts';
export type { Classify, ClassifyFacts } from './judge.ts';
export type { UpstreamStatus } from './member.ts';
export type { PoolOptions, PoolRequestOptions } from './options.ts';
export {
  createPool,
  createPoolOn,
  type Pool,
  type PoolFetchInit,
  type PoolResponse,
  type PoolSendOptions,
  type RunOptions,
  type RunResult,
  trailOf,
} from './pool.ts';
export type { CourseRules } from './rules.ts';
export type { OperationContext, PoolOperation } from './run-attempt.ts';
export type { Upstream, UpstreamSpec } from './upstream.ts';
