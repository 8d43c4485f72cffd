import type { Failure, FailureKind, Phase } from './failure.ts';
import type { FailureRow, ProxyMatch, SignatureMatch } from './failure-row.ts';
import { failureTable } from './failure-table.ts';
import { redactUrl } from './redact.ts';
import { isObject, type ProxyAnswer, readProperty, type Signature, signatureOf } from './signature.ts';

/** What the transport knew when its attempt failed. */
export interface Observation {
  readonly phase: Phase;
  readonly error: unknown;
  /** No byte of the request was written. */
  readonly unsent: boolean;
  /** The attempt used a connection that had served before. */
  readonly reusedSocket: boolean;
  /** A byte of an answer to this request was read. */
  readonly answered: boolean;
  /** A status is judged by `statusVerdict`, never here. */
  readonly status?: never;
}

/**
 * Classifies an error at the socket, once. Only for errors that the transport handed over: what a consumer of the body
 * threw is a consumer's failure whatever its code says; ask `failureOf` about that one.
 *
 * A failure that was tagged below wins over every wrap above it. Otherwise the innermost known signature of the `cause`
 * chain decides; an `AggregateError` counts as its most telling member. What no row knows is `unknown` and not transient:
 * nothing is repeated on a guess.
 */
export function classify(observation: Observation): Failure {
  const tagged = failureOf(observation.error);
  if (tagged !== undefined) return withoutBorrowedProof(tagged, observation);

  const finding = findIn(observation.error, observation.phase, new Set(), 0);
  if (finding === undefined) return unknownFailure(observation);
  const { row, signature } = finding;
  const phase = phaseFrom(finding, observation);
  return {
    origin: row.failure.origin,
    phase,
    kind: row.failure.kind,
    transient: row.failure.transient,
    // Whoever answered has read something: no signature outweighs that.
    mayHaveRun: mayHaveBeenSent(observation) && (observation.answered || !finding.isProvenUnsent),
    ...(signature.code === undefined ? {} : { code: signature.code }),
    ...(signature.proxy === undefined ? {} : proxyFacts(signature.proxy)),
    ...(isStaleSocket(row, phase, observation) ? { staleSocket: true } : {}),
    what: row.failure.what,
  };
}

/** The row that decides about this error, for whoever wants to show its *why*; `undefined` if none knows it. */
export function rowOf(error: unknown, phase: Phase): FailureRow | undefined {
  return findIn(error, phase, new Set(), 0)?.row;
}

const tag = Symbol.for('reknit.failure');

/**
 * Fixes the verdict on an error, so that whoever wraps it later cannot change it. A later tag on the same object
 * replaces the first. A frozen error stays untagged.
 *
 * Tag an error of one's own, with the transport's as its cause: undici hands one and the same error object to every
 * request that a dying connection takes along.
 */
export function tagFailure(error: object, failure: Failure): void {
  try {
    // A symbol from the registry: two copies of this package in one process recognise each other's tags.
    Reflect.defineProperty(error, tag, { value: failure, enumerable: false, configurable: true, writable: true });
  } catch {
    // A proxy may throw here. Its error is then classified by what it shows, like any other.
  }
}

/** The failure that was tagged on this error or on the nearest of its causes. */
export function failureOf(error: unknown): Failure | undefined {
  let link = error;
  for (let depth = 0; depth < MAX_CHAIN && isObject(link); depth += 1) {
    const tagged = readProperty(link, tag);
    if (isFailure(tagged)) return tagged;
    link = readProperty(link, 'cause');
  }
  return undefined;
}

function isFailure(value: unknown): value is Failure {
  return isObject(value) && typeof (value as Partial<Failure>).kind === 'string';
}

/** Also the bound against cycles: a chain of causes longer than this is read no further. */
const MAX_CHAIN = 16;
/** Members of one `AggregateError` that are read: one per address of a host, and no host has more. */
const MAX_MEMBERS = 64;

const staleKinds: ReadonlySet<FailureKind> = new Set(['reset', 'closed']);

function isBeforeSending(phase: Phase): boolean {
  return phase === 'resolve' || phase === 'connect' || phase === 'tls';
}

/**
 * The proof "not run" belongs to the request for which it was found. A tagged error that reaches a second request of the
 * same connection keeps its verdict, but not that proof, unless it is a failure to connect, which is the same for all.
 */
function withoutBorrowedProof(tagged: Failure, observation: Observation): Failure {
  if (tagged.mayHaveRun || !mayHaveBeenSent(observation)) return tagged;
  if (isBeforeSending(tagged.phase) && !observation.answered) return tagged;
  return { ...tagged, mayHaveRun: true };
}

/** While a connection serves, an error of connecting comes from elsewhere: the source of the request body, say. */
function contradicts(claimed: Phase, observed: Phase): boolean {
  return isBeforeSending(claimed) && (observed === 'send' || observed === 'body');
}

/** System calls that prove their phase, whatever the row. */
const phaseOfSyscall: ReadonlyMap<string | undefined, Phase> = new Map([
  ['getaddrinfo', 'resolve'],
  ['connect', 'connect'],
]);

function claimedPhase(row: FailureRow, { syscall }: Signature): Phase | undefined {
  return row.failure.phase ?? phaseOfSyscall.get(syscall);
}

function phaseFrom({ row, signature }: Finding, observation: Observation): Phase {
  const claimed = claimedPhase(row, signature) ?? observation.phase;
  return contradicts(claimed, observation.phase) && !observation.unsent ? observation.phase : claimed;
}

function isStaleSocket(row: FailureRow, phase: Phase, { reusedSocket, answered }: Observation): boolean {
  return reusedSocket && !answered && staleKinds.has(row.failure.kind) && !isBeforeSending(phase);
}

function mayHaveBeenSent({ phase, unsent, answered }: Observation): boolean {
  return answered || !(unsent || isBeforeSending(phase));
}

function unknownFailure(observation: Observation): Failure {
  const { error, phase } = observation;
  const { code, message, name } = signatureOf(error);
  const text = redactUrl(message.trim().split('\n', 1)[0] || name || 'no reason was given');
  return {
    origin: 'unknown',
    phase,
    kind: 'unknown',
    transient: false,
    mayHaveRun: mayHaveBeenSent(observation),
    ...(code === undefined ? {} : { code }),
    what: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text,
  };
}

/** Characters of an unknown error's message that a failure repeats. */
const MAX_TEXT = 200;

function proxyFacts({ status, pushbackMs }: ProxyAnswer): Pick<Failure, 'status' | 'pushbackMs'> {
  return pushbackMs === undefined ? { status } : { status, pushbackMs };
}

interface Finding {
  readonly row: FailureRow;
  readonly signature: Signature;
  /** The signatures themselves prove that the server did not act; of an `AggregateError`, every member does. */
  readonly isProvenUnsent: boolean;
}

/** The innermost known signature: the deepest cause first, then outward. */
function findIn(error: unknown, phase: Phase, seen: Set<object>, depth: number): Finding | undefined {
  if (!isObject(error) || seen.has(error) || depth >= MAX_CHAIN) return undefined;
  seen.add(error);
  const deeper =
    findIn(readProperty(error, 'cause'), phase, seen, depth + 1) ??
    mostTelling(membersOf(error).map((member) => findIn(member, phase, seen, depth + 1)));
  const signature = signatureOf(error);
  const row = failureTable.find(({ match }) => fits(match, signature, phase));
  if (row === undefined) return deeper;
  if (deeper === undefined) return { row, signature, isProvenUnsent: provesUnsent(row, signature, phase) };
  // "The pending stream has been canceled", caused by a reset: the reset is what happened, the proof is in the wrap.
  return row.failure.unsent === true ? { ...deeper, isProvenUnsent: true } : deeper;
}

function provesUnsent(row: FailureRow, signature: Signature, phase: Phase): boolean {
  const claimed = claimedPhase(row, signature);
  return (
    row.failure.unsent === true || (claimed !== undefined && isBeforeSending(claimed) && !contradicts(claimed, phase))
  );
}

function membersOf(error: object): readonly unknown[] {
  const members = readProperty(error, 'errors');
  return Array.isArray(members) ? members.slice(0, MAX_MEMBERS) : [];
}

/** How far each kind of connect failure got: who was refused has met a host, who found no route has met nobody. */
const tellingOrder: readonly FailureKind[] = [
  'reset',
  'closed',
  'refused',
  'timed-out',
  'connect-timeout',
  'unreachable',
];

/**
 * One address of several may be hopeless (no IPv6 here) while the others only failed this time: what may pass counts
 * before what will not, then what got further.
 */
function mostTelling(findings: readonly (Finding | undefined)[]): Finding | undefined {
  const known = findings.filter((finding) => finding !== undefined);
  const [best] = known.toSorted((left, right) => rank(left) - rank(right));
  if (best === undefined) return undefined;
  return { ...best, isProvenUnsent: findings.every((finding) => finding?.isProvenUnsent === true) };
}

function rank({ row }: Finding): number {
  const index = tellingOrder.indexOf(row.failure.kind);
  return (row.failure.transient ? 0 : 100) + (index === -1 ? tellingOrder.length : index);
}

function fits(match: SignatureMatch, signature: Signature, phase: Phase): boolean {
  const { codes, names, syscalls, messagePattern, phases, h2Codes, tlsReasons, proxy } = match;
  const speaksByText = (codes ?? h2Codes ?? tlsReasons ?? proxy) === undefined;
  return (
    !(speaksByText && signature.code !== undefined) &&
    (codes === undefined || listHas(codes, signature.code)) &&
    (names === undefined || listHas(names, signature.name)) &&
    (syscalls === undefined || listHas(syscalls, signature.syscall)) &&
    (messagePattern === undefined || messagePattern.test(signature.message)) &&
    (phases === undefined || phases.includes(phase)) &&
    (h2Codes === undefined || listHas(h2Codes, signature.h2Code)) &&
    (tlsReasons === undefined || listHas(tlsReasons, signature.tlsReason)) &&
    (proxy === undefined || isAnsweredSo(proxy, signature.proxy))
  );
}

function listHas(list: readonly string[], value: string | undefined): boolean {
  return (
    value !== undefined &&
    list.some((entry) => (entry.endsWith('*') ? value.startsWith(entry.slice(0, -1)) : value === entry))
  );
}

function isAnsweredSo(match: ProxyMatch, answer: ProxyAnswer | undefined): boolean {
  if (answer === undefined || answer.status < match.fromStatus || answer.status > match.toStatus) return false;
  return match.otherTunnels === undefined || (match.otherTunnels === 'some') === answer.openTunnels > 0;
}
