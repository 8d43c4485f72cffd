/** What an answer is worth, in the words of core: pure but for what the reader notes down. */
import {
  badResume,
  changedFailure,
  checkResume,
  type Failure,
  parsePushback,
  type ResumePlan,
  type ResumeVerdict,
  type StatusFacts,
  statusVerdict,
} from '../core/index.ts';
import type { Reader } from './reader.ts';
import type { PickedFields } from './response-fields.ts';

type StatusRules = Pick<StatusFacts, 'transientStatuses' | 'trustRefusals'>;

export function judgeStatus(
  status: number,
  fields: PickedFields,
  rules: StatusRules,
  nowWallMs: number,
): Failure | undefined {
  if (status < 400 && !rules.transientStatuses.has(status)) return undefined;
  return statusVerdict(status, { ...rules, pushbackMs: parsePushback(fields, nowWallMs) });
}

/** Attaches the reader to the answer of a resume, or says why it must not be. */
export function judgeResume(
  reader: Reader,
  plan: ResumePlan,
  status: number,
  fields: PickedFields,
  statusFailure: Failure | undefined,
): Failure | undefined {
  const verdict = checkResume(reader.representation!, plan, reader.atByte, status, reader.comparable(fields));
  switch (verdict.kind) {
    case 'complete':
      reader.noteComplete();
      return undefined;
    case 'join':
    case 'reread':
      return reader.attach(verdict, fields) ? undefined : changedFailure(false, 'the ETag is gone');
    case 'changed':
    case 'bad':
    case 'status':
      return failureFor(verdict, status, statusFailure);
  }
}

function failureFor(
  verdict: Extract<ResumeVerdict, { readonly kind: 'changed' | 'bad' | 'status' }>,
  status: number,
  statusFailure: Failure | undefined,
): Failure {
  if (verdict.kind === 'changed') return changedFailure(verdict.isCertain, verdict.what);
  if (verdict.kind === 'bad') return badResume(verdict.what);
  if (statusFailure?.transient === true) return statusFailure;
  // Signed URLs expire and middleboxes answer for others: a refusal of a resume is believed when it is seen twice.
  return { ...badResume(`HTTP ${status}`), status, mark: `resume-status-${status}` };
}

/** The headers were handed over before, and no byte: a second answer takes the place of the first if it looks the same. */
export function isAlike(before: Reader, next: Reader): boolean {
  return (
    next.status === before.status &&
    next.startByte === before.startByte &&
    next.representation?.contentType === before.representation?.contentType &&
    next.representation?.codings === before.representation?.codings
  );
}
