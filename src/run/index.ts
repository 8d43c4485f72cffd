export type { Recogniser, ToolName } from './recogniser.ts';
export { run } from './run.ts';
export type { Ended, Judgement, RunEvent, RunReason, RunResult } from './run-events.ts';
export { defaultMaxAttempts, type RunOptions } from './run-options.ts';
export type { ViaOption } from './via.ts';
