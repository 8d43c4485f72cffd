/** The laws of DESIGN section 10, checked on one run. Each breach is a sentence; no sentence, no breach. */
import { bodyOf } from './consumers.ts';
import { findUnjustifiedEnd } from './justify.ts';
import { effectBody, readRange } from './model-server.ts';
import type { Run } from './run-schedule.ts';
import type { ServedHop } from './virtual-transport.ts';

export function findBreaches(run: Run, isPatient: boolean): string[] {
  const { sight, thrown, neverEnds } = run;
  if (thrown !== undefined) return [`thrown past every handler: ${String((thrown as Error).stack ?? thrown)}`];
  if (neverEnds) return ['it never ends'];
  if (sight.endings !== 1) return [`the consumer was told the end ${sight.endings} times`];
  return [
    ...sight.breaches,
    ...checkBytes(run),
    ...checkEffects(run),
    ...checkLedger(run),
    ...checkTime(run),
    ...checkBudget(run),
    ...(isPatient ? findUnjustifiedEnd(run) : []),
  ];
}

/** Law 1: every byte of one representation exactly once, or an error. */
function checkBytes(run: Run): string[] {
  const { sight, schedule, transport, server } = run;
  const { body } = sight;
  const isComplete = sight.ending.kind === 'complete';
  if (schedule.request.method === 'HEAD') return body.length === 0 ? [] : ['a HEAD brought bytes'];
  if (sight.status === undefined) return body.length === 0 ? [] : ['bytes without headers'];
  const lastHop = transport.served.at(-1)!;
  if (sight.status >= 300) return checkOneAnswer(body, lastHop.answer?.body ?? body, isComplete);
  const wholes = server.versions.map((version) => sliceFor(version, sight.status!, schedule.request.range));
  // What an acting request is answered with, unless a redirect made a GET of it.
  if (isAct(schedule.request.method)) wholes.push(effectBody);
  const isPrefix = wholes.some((whole) => body.equals(whole.subarray(0, body.length)));
  const isWhole = wholes.some((whole) => body.equals(whole));
  if (isWhole || (isPrefix && !isComplete)) return [];
  const { integrity } = sight.ledger ?? {};
  // Two undecidable cases, and both must be said: an end that nothing marks, and versions that share what was compared.
  if (isPrefix && integrity === 'unverifiable' && transport.served.some((hop) => hop.endedUnseen)) return [];
  if (isPrefix) return [`a body of ${body.length} bytes was called complete (${integrity})`];
  if (isJoinOfIslands(run, body, wholes) && (!isComplete || integrity === 'unverifiable')) return [];
  return [`a mixture of versions (${body.length} bytes, ${integrity ?? 'not complete'})`];
}

function isAct(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function checkOneAnswer(body: Buffer, whole: Buffer, isComplete: boolean): string[] {
  const isRight = body.equals(isComplete ? whole : whole.subarray(0, body.length));
  return isRight ? [] : [`the body of the one answer was broken: ${body.length} of ${whole.length} bytes`];
}

function sliceFor(version: Buffer, status: number, range: string | undefined): Buffer {
  if (status !== 206) return version;
  const asked = readRange(range, version.length);
  return typeof asked === 'object' ? version.subarray(asked.first, asked.last + 1) : version;
}

/** The beginning of one version and the end of the next, joined where both are alike. */
function isJoinOfIslands({ schedule, sight }: Run, body: Buffer, wholes: readonly Buffer[]): boolean {
  if (!schedule.changes.some(({ how }) => how === 'islands')) return false;
  if (schedule.representation.validator === 'strong' || schedule.representation.validator === 'date') return false;
  const overlapped = sight.ledger?.attempts.some(
    ({ decision }) => decision?.kind === 'resume' && decision.plan.kind === 'overlap',
  );
  if (overlapped !== true) return false;
  for (let at = 0; at < body.length; ) {
    const next = Math.max(...wholes.map((whole) => commonUpTo(body, whole, at)));
    if (next === at) return false;
    at = next;
  }
  return true;
}

function commonUpTo(left: Buffer, right: Buffer, from: number): number {
  let at = from;
  while (at < left.length && at < right.length && left[at] === right[at]) at += 1;
  return at;
}

/** Law 2: what may have run and is not repeatable goes out once; no body that the server takes for whole is short. */
function checkEffects({ schedule, transport }: Run): string[] {
  const { method, body, bodyBytes, idempotencyKey } = schedule.request;
  if (!isAct(method)) return [];
  const breaches: string[] = [];
  const acting = transport.served.filter((hop) => hop.request.method === method);
  if (method === 'POST' && !idempotencyKey) {
    const ran = acting.filter(mayHaveRun).length;
    if (ran > 1) breaches.push(`a POST may have run ${ran} times`);
  }
  const whole = body === 'none' ? Buffer.alloc(0) : bodyOf(bodyBytes);
  for (const hop of acting) {
    if (hop.isBodyWhole && !hop.body.equals(whole)) {
      breaches.push(
        `send ${hop.sendIndex} brought ${hop.body.length} of ${whole.length} body bytes, and called them whole`,
      );
    }
  }
  return breaches;
}

/** A redirect that wants the same request elsewhere has not run it; a 303, or a 301 that turns a POST to a GET, may have. */
function mayHaveRun({ answer, isRefused }: ServedHop): boolean {
  return !isRefused && answer?.status !== 307 && answer?.status !== 308;
}

/** Law 3: the ledger says what the server saw. */
function checkLedger({ sight, transport, schedule }: Run): string[] {
  const { ledger } = sight;
  if (ledger === undefined)
    return sight.isAborted || schedule.request.body === 'failing-factory' ? [] : ['there is no ledger'];
  const breaches: string[] = [];
  const hops = ledger.attempts.flatMap((attempt) => attempt.hops);
  if (ledger.hopCount !== transport.served.length) {
    breaches.push(`the ledger counts ${ledger.hopCount} hops, the server ${transport.served.length}`);
  }
  for (const [index, served] of transport.served.entries()) {
    const hop = hops[index];
    if (hop?.status !== served.answer?.status && hop?.status !== undefined && !(served.answer === undefined))
      breaches.push(`hop ${index} has another status`);
    if ((hop?.bodyBytes ?? 0) > served.sentBytes) breaches.push(`hop ${index} counts more bytes than were sent`);
    if (hop !== undefined && hop.startedAtMs !== served.atMs) breaches.push(`hop ${index} has another time`);
  }
  const numbers = ledger.attempts.map((attempt) => attempt.attemptNumber);
  if (numbers.some((number, index) => number !== index + 1)) breaches.push(`attempts are numbered ${numbers.join()}`);
  if (ledger.attemptCount !== ledger.attempts.length) breaches.push('attempts are lost');
  const expected =
    sight.ending.kind === 'complete' ? ['complete', 'status'] : sight.isAborted ? ['aborted'] : ['failed'];
  if (!expected.includes(ledger.outcome))
    breaches.push(`the outcome is ${ledger.outcome}, not ${expected.join(' or ')}`);
  if (schedule.consumer.kind !== 'whole') {
    const newBytes = ledger.attempts.reduce((sum, attempt) => sum + attempt.newBytes, 0);
    if (schedule.consumer.kind !== 'fetch' && ledger.deliveredBytes !== sight.bytes)
      breaches.push(`${ledger.deliveredBytes} bytes are called delivered, ${sight.bytes} were`);
    if (schedule.consumer.kind !== 'fetch' && newBytes !== sight.bytes)
      breaches.push(`attempts gained ${newBytes} bytes, ${sight.bytes} were delivered`);
  }
  return breaches;
}

/** Law 4: nothing after the deadline, and nothing left behind. Waits are as long as was decided, never shorter than was told. */
function checkTime({ sight, schedule, transport, leftAtEnd, client }: Run): string[] {
  const breaches: string[] = [];
  const { deadlineMs } = schedule.request;
  const endedAtMs = sight.endedAtMs!;
  if (deadlineMs !== undefined && endedAtMs > deadlineMs)
    breaches.push(`it ended at ${endedAtMs} ms, past its deadline`);
  const late = transport.served.find((hop) => hop.atMs > endedAtMs || hop.atMs > (deadlineMs ?? Infinity));
  if (late !== undefined) breaches.push(`a request was sent at ${late.atMs} ms, after the end or the deadline`);
  if (leftAtEnd!.busy > 0) breaches.push(`${leftAtEnd!.busy} timers hold the process after the end`);
  if (leftAtEnd!.watched > 0) breaches.push('an attempt is watched after the end');
  // The sweep's own timer, and one for each answer whose short rest is still being read.
  if (leftAtEnd!.idle > 1 + leftAtEnd!.open) breaches.push(`${leftAtEnd!.idle} idle timers are left after the end`);
  if (transport.open > 0)
    breaches.push(`${transport.open} hops were never settled: their connections are held for ever`);
  if (client.clock.pending > 0 || client.clock.idle > 0 || client.shared.sweep.size > 0)
    breaches.push('a timer is left for ever');
  return [...breaches, ...checkWaits(sight)];
}

function checkWaits({ ledger }: Run['sight']): string[] {
  const breaches: string[] = [];
  for (const [index, attempt] of (ledger?.attempts ?? []).entries()) {
    const { decision, failure, endedAtMs } = attempt;
    if (decision === undefined || decision.kind === 'give-up') continue;
    const next = ledger!.attempts[index + 1];
    if (next !== undefined && next.startedAtMs - endedAtMs! !== decision.delayMs)
      breaches.push(`wait ${index + 1} was not as decided`);
    if (decision.delayMs < (failure?.pushbackMs ?? 0))
      breaches.push(`wait ${index + 1} is shorter than the server asked for`);
  }
  return breaches;
}

/** Law 5: retries that gained nothing stay within the budget, and within the attempts in a row. */
function checkBudget({ sight, schedule }: Run): string[] {
  const attempts = sight.ledger?.attempts ?? [];
  const { capacity, maxAttempts } = schedule.policy;
  let charged = 0;
  let earned = 1;
  let row = 1;
  const breaches: string[] = [];
  for (const { decision, newBytes } of attempts) {
    if (decision === undefined || decision.kind === 'give-up') continue;
    if (decision.because === 'progress') earned += 1;
    if (decision.because === 'stale-connection' || newBytes > 0) {
      if (newBytes > 0) row = 1;
      continue;
    }
    charged += 1;
    row += 1;
    if (row > maxAttempts) breaches.push(`${row} attempts in a row of at most ${maxAttempts}`);
  }
  if (charged > capacity + 0.2 * earned + 1e-9) breaches.push(`${charged} retries on a budget of ${capacity}`);
  return breaches;
}
