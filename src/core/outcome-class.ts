/**
 * What an attempt's end means to a pool: one table, from the classified failure to a class, and one from the class to what
 * may be done. Evidence in this order: what the failure is, markers in the answer's text, the status.
 */
import type { Failure, FailureKind, Origin } from './failure.ts';

export type OutcomeClass =
  | 'transient'
  | 'throttled'
  | 'slow'
  | 'credential'
  | 'unavailable-here'
  | 'too-big'
  | 'caller'
  | 'cancelled'
  | 'internal';

/** What an upstream's health learns of an outcome: one failed request, or nothing. */
export type HealthEffect = 'charged' | 'neutral';

export interface ClassRow {
  /** What the outcome says something about. */
  readonly scope: 'upstream' | 'key' | 'offer' | 'request' | 'nothing';
  /** Who may be asked at once: any other upstream, only one that takes more input, or nobody: the request stops. */
  readonly nextUpstream: 'any' | 'larger' | 'none';
  /** The same upstream may be asked again in the next round. */
  readonly nextRound: boolean;
  readonly health: HealthEffect;
  readonly why: string;
}

export const outcomeClasses: Readonly<Record<OutcomeClass, ClassRow>> = {
  transient: {
    scope: 'upstream',
    nextUpstream: 'any',
    nextRound: true,
    health: 'charged',
    why: 'The upstream failed now and may be well in a moment.',
  },
  throttled: {
    scope: 'key',
    nextUpstream: 'any',
    nextRound: true,
    health: 'neutral',
    why: 'Saying "not now" is what a healthy upstream under load does; it is not asked before the time that it named.',
  },
  slow: {
    scope: 'upstream',
    nextUpstream: 'any',
    nextRound: false,
    health: 'charged',
    why: 'This request has waited for it once; waiting again would cost the same time for the same silence.',
  },
  credential: {
    scope: 'key',
    nextUpstream: 'any',
    nextRound: false,
    health: 'neutral',
    why: 'A wrong key or an empty account is no illness of the upstream, and no wait mends it.',
  },
  'unavailable-here': {
    scope: 'offer',
    nextUpstream: 'any',
    nextRound: false,
    health: 'neutral',
    why: 'This upstream does not have what was asked for; another one may.',
  },
  'too-big': {
    scope: 'offer',
    nextUpstream: 'larger',
    nextRound: false,
    health: 'neutral',
    why: 'Only an upstream that is declared to take more can do better; any other would hide the real error.',
  },
  caller: {
    scope: 'request',
    nextUpstream: 'none',
    nextRound: false,
    health: 'neutral',
    why: 'The request is wrong and will be wrong everywhere.',
  },
  cancelled: {
    scope: 'nothing',
    nextUpstream: 'none',
    nextRound: false,
    health: 'neutral',
    why: 'Nobody wants the answer any more.',
  },
  internal: {
    scope: 'nothing',
    nextUpstream: 'none',
    nextRound: false,
    health: 'neutral',
    why: 'A mistake on this side: repeating it helps nobody, and no upstream is to blame.',
  },
};

export interface OutcomeFacts {
  /** The beginning of the answer's text, where it was read: error codes stand there that a status does not tell. */
  readonly text?: string | undefined;
  /** The attempt had at least the usual time to answer; without it, a deadline says nothing about the upstream. */
  readonly hadFullTime?: boolean | undefined;
  /** Statuses that are said to be of this upstream only, so that the next may be asked. */
  readonly failoverOn?: ReadonlySet<number> | undefined;
}

/** What an outcome means: its class with the effects, and the failure behind it. */
export interface UpstreamVerdict extends Pick<ClassRow, 'nextUpstream' | 'nextRound' | 'health'> {
  readonly class: OutcomeClass;
  readonly failure: Failure;
  readonly why: string;
}

export interface OutcomeRow {
  readonly kinds?: readonly FailureKind[];
  readonly origins?: readonly Origin[];
  readonly statuses?: readonly number[];
  /** In the text of an answer with one of `statuses`. */
  readonly marker?: RegExp;
  readonly transient?: boolean;
  readonly hadFullTime?: boolean;
  readonly class: OutcomeClass;
  /** Where the class alone would say it wrongly. */
  readonly health?: HealthEffect;
  readonly why: string;
}

/** The first row that fits decides. */
export const outcomeRows: readonly OutcomeRow[] = [
  { kinds: ['aborted'], class: 'cancelled', why: 'The caller left, or a client was closed under its requests.' },
  { origins: ['caller'], class: 'caller', why: 'The request cannot be sent, or its body cannot be read.' },
  { origins: ['consumer'], class: 'internal', why: 'The code that reads the answer failed.' },
  {
    kinds: ['too-many-files'],
    class: 'throttled',
    why: 'This machine is at its limit; the upstream is not to blame, and a pause helps.',
  },
  { origins: ['local'], class: 'internal', why: 'This machine failed.' },
  {
    marker: /insufficient_quota|exceeded your current quota|credit balance|billing_hard_limit/i,
    statuses: [400, 401, 402, 403, 429],
    class: 'credential',
    why: 'An empty account is often reported as 429, and no pause fills it.',
  },
  {
    marker: /invalid_api_key|api[ _]key not valid|incorrect api key/i,
    statuses: [400, 401, 403],
    class: 'credential',
    why: 'Some providers report a wrong key as 400.',
  },
  {
    marker: /context_length_exceeded|maximum context length|prompt is too long/i,
    statuses: [400, 413, 422],
    class: 'too-big',
    why: 'Too long for this model; one with a larger window may take it.',
  },
  {
    marker: /model_not_found|unsupported_country_region_territory/i,
    statuses: [400, 403, 404],
    class: 'unavailable-here',
    why: 'This upstream does not serve that model, or not to this place.',
  },
  {
    kinds: ['throttled', 'proxy-throttled', 'h2-calm'],
    class: 'throttled',
    why: 'The upstream, or the way to it, wants fewer requests.',
  },
  {
    kinds: ['headers-timeout', 'stall', 'trickle'],
    class: 'slow',
    why: 'The request was sent, and nothing, or too little, came back in the time that is usual.',
  },
  {
    kinds: ['timed-out'],
    origins: ['clock'],
    hadFullTime: true,
    class: 'slow',
    why: 'The deadline ended it after the usual time had passed: a silent upstream must not hide behind deadlines.',
  },
  {
    kinds: ['timed-out'],
    origins: ['clock'],
    class: 'slow',
    health: 'neutral',
    why: 'The deadline left less than the usual time; that is no fault of the upstream.',
  },
  {
    kinds: ['decoding', 'digest-mismatch'],
    class: 'transient',
    why: 'The bytes were damaged on the way; a new answer has new bytes.',
  },
  { kinds: ['proxy-auth'], class: 'credential', why: 'The proxy wants a login that we do not have.' },
  {
    transient: true,
    class: 'transient',
    why: 'The failure table or the caller calls it transient: refused, reset, cut, 408, 425, 5xx.',
  },
  {
    statuses: [401, 402, 403, 407],
    origins: ['status'],
    class: 'credential',
    why: 'The key is not accepted, or not paid for.',
  },
  { statuses: [413], origins: ['status'], class: 'too-big', why: 'More than this upstream takes (RFC 9110, 15.5.14).' },
  {
    statuses: [410, 421, 451],
    origins: ['status'],
    class: 'unavailable-here',
    why: 'Gone, misdirected, or legally unavailable here; another upstream may have it.',
  },
  {
    statuses: [501, 505, 506, 507, 508, 510, 511, 525, 526],
    origins: ['status'],
    class: 'unavailable-here',
    why: 'The server cannot do this, and says that it is its own limit.',
  },
  {
    origins: ['status'],
    class: 'caller',
    why: 'Every other status that no wait changes is about the request (400, 404, 409, 415, 422).',
  },
  {
    kinds: ['content-changed', 'bad-resume'],
    class: 'unavailable-here',
    why: 'The rest of an answer that was begun is gone; that is no illness.',
  },
  { origins: ['unknown'], class: 'internal', why: 'Nothing is repeated on a guess.' },
  {
    origins: ['dns', 'tcp', 'tls', 'proxy', 'http', 'resume', 'integrity', 'decoder', 'clock'],
    class: 'unavailable-here',
    health: 'charged',
    why: 'A wrong certificate or broken protocol will not pass in this request, and the upstream is not fit to serve.',
  },
];

/** Statuses whose answer's text may say something else than they do. */
export const statusesWithMarkers: ReadonlySet<number> = new Set(
  outcomeRows.flatMap(({ marker, statuses = [] }) => (marker === undefined ? [] : statuses)),
);

/** What a failure means to a pool. */
export function verdictOf(failure: Failure, facts: OutcomeFacts = {}): UpstreamVerdict {
  if (failure.origin === 'status' && failure.status !== undefined && facts.failoverOn?.has(failure.status) === true)
    return verdictAs('unavailable-here', failure);
  const row = outcomeRows.find((candidate) => fits(candidate, failure, facts));
  return row === undefined
    ? verdictAs('internal', failure)
    : { ...verdictAs(row.class, failure), health: row.health ?? outcomeClasses[row.class].health, why: row.why };
}

/** The verdict for a class that somebody named. */
export function verdictAs(outcomeClass: OutcomeClass, failure: Failure): UpstreamVerdict {
  const { nextUpstream, nextRound, health, why } = outcomeClasses[outcomeClass];
  return { class: outcomeClass, nextUpstream, nextRound, health, why, failure };
}

function fits(row: OutcomeRow, failure: Failure, facts: OutcomeFacts): boolean {
  return (
    (row.kinds === undefined || row.kinds.includes(failure.kind)) &&
    (row.origins === undefined || row.origins.includes(failure.origin)) &&
    (row.statuses === undefined || (failure.status !== undefined && row.statuses.includes(failure.status))) &&
    (row.marker === undefined || (facts.text !== undefined && row.marker.test(facts.text))) &&
    (row.transient === undefined || row.transient === failure.transient) &&
    (row.hadFullTime === undefined || row.hadFullTime === (facts.hadFullTime ?? false))
  );
}
