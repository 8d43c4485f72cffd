/**
 * Law 9: once faults stop, requests succeed. With attempts and budget without end, and neither deadline nor abort, a
 * request may fail only for a reason that the schedule itself gives; here those reasons are, by what the server did.
 */
import { IntegrityError, isReknitError } from '../../src/core/index.ts';
import type { Run } from './run-schedule.ts';
import type { Fault, Lie } from './schedule.ts';

const transient: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export function findUnjustifiedEnd(run: Run): string[] {
  const { sight } = run;
  if (sight.ending.kind === 'complete') return isStatusJustified(run) ? [] : [`it ended with HTTP ${sight.status}`];
  const { error } = sight.ending as { readonly error: unknown };
  if (!isReknitError(error))
    return hasFault(run, (fault) => fault.kind === 'redirect' && fault.to === 'nowhere')
      ? []
      : [`a foreign error: ${String(error)}`];
  const reason = reasonOf(error);
  return isJustified(run, reason) ? [] : [`it gave up without cause: ${error.message.split('\n')[0]} [${reason}]`];
}

function reasonOf(error: object): string {
  if (error instanceof IntegrityError) return 'integrity';
  const { reason, code } = error as { readonly reason?: string; readonly code?: string };
  if (reason !== undefined) return reason;
  return { ERR_REKNIT_CONTENT_CHANGED: 'content-changed', ERR_REKNIT_DEADLINE: 'deadline' }[code ?? ''] ?? String(code);
}

function hasFault({ transport, schedule }: Run, fits: (fault: Fault) => boolean): boolean {
  return schedule.faults.slice(0, transport.sends).some(fits);
}

function countLies({ transport }: Run, ...hows: readonly Lie[]): number {
  return transport.served.filter(
    ({ fault, answer }) => fault.kind === 'lie' && answer !== undefined && hows.includes(fault.how),
  ).length;
}

function isStatusJustified(run: Run): boolean {
  const { status } = run.sight;
  if (status === undefined || status < 300) return true;
  if (status === 416) return run.schedule.request.range !== undefined;
  if (status < 400) return true;
  if (!transient.has(status)) return true;
  return run.transport.served.at(-1)?.answer?.headers.includes('120') === true;
}

function isJustified(run: Run, reason: string): boolean {
  const { schedule, transport, sight } = run;
  const { representation, request } = schedule;
  const served = transport.served;
  const versions = new Set(served.map((hop) => hop.answer?.versionIndex).filter((index) => index !== undefined));
  const unseen = served.filter((hop) => hop.endedUnseen).length;
  const permanentStatuses = served.filter(
    ({ answer }) => answer !== undefined && answer.status >= 400 && !transient.has(answer.status),
  ).length;
  const tellsNoLength = served.some(({ answer }) => answer?.status === 200 && answer.framing !== 'length');
  switch (reason) {
    case 'content-changed':
      return (
        versions.size > 1 ||
        countLies(run, 'other-etag') > 0 ||
        countLies(run, 'other-total', 'unsatisfied-at-place') + unseen > 1 ||
        // Where no length was told before, the lie is believed, and the truth after it is the change.
        (tellsNoLength && countLies(run, 'other-total') > 0)
      );
    case 'deterministic':
      return permanentStatuses > 1;
    case 'permanent':
      return (
        permanentStatuses > 0 ||
        hasFault(run, (fault) => fault.kind === 'connect-error' && fault.code === 'CERT_HAS_EXPIRED') ||
        hasFault(run, (fault) => fault.kind === 'redirect') ||
        request.body === 'failing-factory'
      );
    case 'attempts-exhausted':
      return (
        hasFault(run, (fault) => fault.kind === 'connect-error' && fault.code === 'ENOTFOUND') ||
        (tellsNoLength && countLies(run, 'other-total') > 0)
      );
    case 'pushback-too-long':
      return hasFault(run, (fault) => fault.kind === 'status' && fault.retryAfter === '120');
    case 'not-resumable':
      return isNotResumable(run);
    case 'may-have-run':
      return request.method === 'POST' && !request.idempotencyKey;
    case 'body-not-replayable':
      return request.body.endsWith('one-shot') && request.bodyBytes > request.replayBufferBytes;
    default:
      return false;
  }

  function isNotResumable({ schedule: { consumer } }: Run): boolean {
    const isPart = sight.status === 206 && request.range !== undefined;
    const hasValidator = representation.validator === 'strong' || representation.validator === 'date';
    const rangesFail =
      representation.ranges === 'ignored' ||
      representation.ranges === 'refused' ||
      served.filter(({ fault }) => fault.kind === 'lie').length > 1;
    if (sight.status !== undefined && sight.status >= 300) return true;
    if (request.method !== 'GET') return true;
    if (consumer.kind === 'whole') return false;
    if (isPart) return rangesFail;
    return !hasValidator && tellsNoLength && !request.mayOverlapBlindly;
  }
}
