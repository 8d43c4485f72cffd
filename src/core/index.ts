export { delayCapMs, jitteredDelayMs } from './back-off.ts';
export { type Budget, type BudgetOptions, createBudget } from './budget.ts';
export {
  type Circuit,
  type CircuitFacts,
  type ClosedCircuit,
  countsOf,
  type EjectedCircuit,
  freshCircuit,
  isOutlier,
  isProbeDue,
  rampOf,
  returnProbe,
  takeProbe,
} from './circuit.ts';
export { classify, failureOf, type Observation, rowOf, tagFailure } from './classify.ts';
export {
  type Decision,
  type Delivery,
  decideAfterFailure,
  type FailureFacts,
  freshState,
  type GiveUpReason,
  type Reason,
  type RequestState,
  type Step,
} from './decide.ts';
export {
  type EndProbeAnswer,
  type EndProbeVerdict,
  type EndValidators,
  endProbeRange,
  judgeEndProbe,
} from './end-probe.ts';
export { errorFor } from './error-for.ts';
export {
  ConfigError,
  ContentChangedError,
  DeadlineError,
  GaveUpError,
  IntegrityError,
  isReknitError,
  ReknitError,
  type ReknitErrorCode,
} from './errors.ts';
export { describeEvent, type EventDetails, type EventListener, type ReknitEvent } from './events.ts';
export type { Failure, FailureKind, Origin, Phase } from './failure.ts';
export type { FailureRow } from './failure-row.ts';
export { failureTable } from './failure-table.ts';
export {
  type ContentRange,
  contentCodings,
  isStrongEntityTag,
  mediaType,
  parseContentRange,
  parseEntityTag,
  parseLength,
  parseRange,
  parseUnsatisfiedRange,
  type RequestedRange,
} from './fields.ts';
export { chooseFinal, comeBackMs, type FinalCandidate, poolErrorFor } from './final-error.ts';
export {
  type AttemptHealth,
  type AttemptStart,
  freshTicket,
  type HealthStep,
  type HealthTicket,
  settleHealth,
} from './health-ticket.ts';
export { parseHttpDate } from './http-date.ts';
export { type Attempt, type Hop, type Integrity, type Ledger, LedgerBook, type Outcome } from './ledger.ts';
export { ledgerOf, rememberLedger } from './ledger-of.ts';
export { badResume, changedFailure, deadlineFailure, truncatedFailure, unreadableBody } from './observed-failures.ts';
export {
  type ConnectionOptions,
  checkOption,
  checkStatuses,
  MAX_TIMER_MS,
  type OptionRow,
  optionRows,
  type PolicyOptions,
  type RetryOptions,
  resolvePolicy,
  show,
  type TimeoutOptions,
} from './options.ts';
export {
  type ClassRow,
  type HealthEffect,
  type OutcomeClass,
  type OutcomeFacts,
  type OutcomeRow,
  outcomeClasses,
  outcomeRows,
  statusesWithMarkers,
  type UpstreamVerdict,
  verdictAs,
  verdictOf,
} from './outcome-class.ts';
export { type Candidate, MAX_TIER, nextLatencyMs, planOrder } from './plan-order.ts';
export {
  type ConnectionLimits,
  MAX_BAD_RESUMES,
  MAX_DRAIN_BYTES,
  MAX_DRAIN_MS,
  MAX_ERROR_BODY_BYTES,
  MAX_REDIRECTS,
  OVERLAP_BYTES,
  type Policy,
  type RetryPolicy,
  type Timeouts,
} from './policy.ts';
export {
  type EjectionPolicy,
  type PoolPolicy,
  type PoolPolicyOptions,
  poolOptionRows,
  type RoundPolicy,
  resolvePoolPolicy,
} from './pool-policy.ts';
export { type PushbackFields, parsePushback } from './pushback.ts';
export { heldForMs, MAX_PUSHBACK_MEMORY_MS, type PushbackMemory, rememberPushback } from './pushback-memory.ts';
export { parseDuration, parseSize } from './quantities.ts';
export { isSecretHeader, redactUrl } from './redact.ts';
export { isIdempotentMethod, isRepeatable } from './repeatable.ts';
export { type RequestOptions, type RequestRules, requestOptionNames, resolveRequestRules } from './request-rules.ts';
export {
  bodyLength,
  checkResume,
  describeRepresentation,
  isLiveType,
  planResume,
  type Representation,
  type ResponseFields,
  type ResumeFacts,
  type ResumePlan,
  type ResumeVerdict,
} from './resume.ts';
export {
  beginRequest,
  beginRound,
  beginVisit,
  decideInPool,
  endVisit,
  type PoolDecision,
  type PoolFacts,
  type PoolState,
} from './round-gate.ts';
export {
  type BodyPlace,
  describeCauses,
  describeFailure,
  describeGiveUp,
  describeReason,
  formatBytes,
  formatDuration,
  groupDigits,
  readableText,
} from './sentences.ts';
export { http2CodeNames } from './signature.ts';
export { defaultTransientStatuses, type StatusFacts, statusPhrase, statusVerdict } from './status.ts';
export { type TrailEntry, trailOfLedger } from './trail.ts';
