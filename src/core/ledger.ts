/**
 * The ledger: the append-only record of one request. Its hops are what went out on the wire, its attempts what was tried;
 * the number in an error, a log line, a header and a metric is this one.
 */
import type { Decision } from './decide.ts';
import type { Failure } from './failure.ts';
import type { OutcomeClass } from './outcome-class.ts';

/** How the end of a body is known. */
export type Integrity = 'digest' | 'length' | 'framing' | 'unverifiable';

/** One request on the wire. */
export interface Hop {
  readonly url: string;
  readonly startedAtMs: number;
  /** First byte asked for by a `Range` of ours; absent for a whole body. */
  readonly fromByte?: number | undefined;
  status?: number | undefined;
  /** The connection had carried a request before. Absent where the transport does not tell. */
  reusedConnection?: boolean | undefined;
  /** The peer's address, where the transport tells. */
  address?: string | undefined;
  /** Body bytes received on this hop, those included that were thrown away. */
  bodyBytes: number;
}

/** One try of the request. */
export interface Attempt {
  /** 1-based. */
  readonly attemptNumber: number;
  readonly startedAtMs: number;
  readonly hops: Hop[];
  /** Under a pool: whom it was made at, and in which round (1-based). */
  readonly upstream?: string | undefined;
  readonly roundNumber?: number | undefined;
  /** Under a pool: what the failure means to it. */
  outcomeClass?: OutcomeClass | undefined;
  /** First byte asked for, where the attempt continues a body. */
  readonly fromByte?: number | undefined;
  endedAtMs?: number | undefined;
  /** Body bytes that the reader had not had before. */
  newBytes: number;
  /** Absent while it runs, and when it ended well. */
  failure?: Failure | undefined;
  /** The beginning of an answer that was not handed on: the text of an error page. */
  answerText?: string | undefined;
  /** What was decided after the failure; its `delayMs` is the wait before the next attempt. */
  decision?: Decision | undefined;
}

export type Outcome = 'open' | 'complete' | 'status' | 'failed' | 'aborted';

/** Attempts recorded in full at the start and at the end of a very long request; between them only counts are kept. */
export const MAX_LEDGER_ATTEMPTS_AT_EACH_END = 256;

export interface Ledger {
  readonly method: string;
  /** Without credentials. */
  readonly url: string;
  /** Times are milliseconds of the clock that the request ran on; only their differences mean something. */
  readonly startedAtMs: number;
  readonly attempts: readonly Attempt[];
  /** All attempts, those left out of `attempts` included. */
  readonly attemptCount: number;
  readonly hopCount: number;
  /** Waits between attempts, in total. */
  readonly waitedMs: number;
  /** Body bytes handed to the reader. */
  readonly deliveredBytes: number;
  /** Body bytes received, over all attempts. */
  readonly receivedBytes: number;
  readonly outcome: Outcome;
  /** Final when the body has ended. */
  readonly integrity: Integrity | undefined;
  readonly endedAtMs: number | undefined;
}

/** The one writer of a ledger. */
export class LedgerBook implements Ledger {
  readonly method: string;
  readonly #rawUrl: string;
  readonly #redact: (url: string) => string;
  readonly startedAtMs: number;
  readonly attempts: Attempt[] = roomForOne();
  attemptCount = 0;
  hopCount = 0;
  waitedMs = 0;
  deliveredBytes = 0;
  receivedBytes = 0;
  outcome: Outcome = 'open';
  integrity: Integrity | undefined = undefined;
  endedAtMs: number | undefined = undefined;
  /** Under a pool: where the attempts are made now. */
  place: { readonly upstream: string; readonly roundNumber: number } | undefined = undefined;

  constructor(method: string, url: string, startedAtMs: number, redact: (url: string) => string) {
    this.method = method;
    this.#rawUrl = url;
    this.#redact = redact;
    this.startedAtMs = startedAtMs;
  }

  /** Redacted when read, not when written: most ledgers are never read. */
  get url(): string {
    return this.#redact(this.#rawUrl);
  }

  beginAttempt(nowMs: number, fromByte?: number): Attempt {
    this.attemptCount += 1;
    const attempt = new AttemptEntry(this.attemptCount, nowMs, fromByte, this.place);
    this.attempts.push(attempt);
    if (this.attempts.length > 2 * MAX_LEDGER_ATTEMPTS_AT_EACH_END) {
      this.attempts.splice(MAX_LEDGER_ATTEMPTS_AT_EACH_END, 1);
    }
    return attempt;
  }

  addHop(attempt: Attempt, url: string, nowMs: number, fromByte: number | undefined): Hop {
    this.hopCount += 1;
    const hop = new HopEntry(url, this.#redact, nowMs, fromByte);
    attempt.hops.push(hop);
    return hop;
  }

  end(outcome: Outcome, nowMs: number): void {
    if (this.outcome !== 'open') return;
    this.outcome = outcome;
    this.endedAtMs = nowMs;
    const last = this.attempts.at(-1);
    if (last !== undefined) last.endedAtMs ??= nowMs;
  }

  toJSON(): Ledger {
    const { method, url, startedAtMs, attempts, attemptCount, hopCount, waitedMs, deliveredBytes, receivedBytes } =
      this;
    const { outcome, integrity, endedAtMs } = this;
    return {
      method,
      url,
      startedAtMs,
      attempts,
      attemptCount,
      hopCount,
      waitedMs,
      deliveredBytes,
      receivedBytes,
      outcome,
      integrity,
      endedAtMs,
    };
  }
}

/**
 * An array that grows from nothing takes room for sixteen at its first element, and most requests have one attempt of one
 * hop. The ledgers of `fetch` live as long as its responses do: to the next full collection (docs/benchmarks.md).
 */
function roomForOne<T>(): T[] {
  const list = [undefined as T];
  list.pop();
  return list;
}

/** All fields are there from the beginning: one that is added later costs a store of its own beside the object. */
class AttemptEntry implements Attempt {
  readonly attemptNumber: number;
  readonly startedAtMs: number;
  readonly hops: Hop[] = roomForOne();
  readonly upstream: string | undefined;
  readonly roundNumber: number | undefined;
  outcomeClass: OutcomeClass | undefined = undefined;
  readonly fromByte: number | undefined;
  endedAtMs: number | undefined = undefined;
  newBytes = 0;
  failure: Failure | undefined = undefined;
  answerText: string | undefined = undefined;
  decision: Decision | undefined = undefined;

  constructor(attemptNumber: number, startedAtMs: number, fromByte: number | undefined, place: LedgerBook['place']) {
    this.attemptNumber = attemptNumber;
    this.startedAtMs = startedAtMs;
    this.fromByte = fromByte;
    this.upstream = place?.upstream;
    this.roundNumber = place?.roundNumber;
  }
}

class HopEntry implements Hop {
  readonly #rawUrl: string;
  readonly #redact: (url: string) => string;
  readonly startedAtMs: number;
  readonly fromByte: number | undefined;
  status: number | undefined = undefined;
  reusedConnection: boolean | undefined = undefined;
  address: string | undefined = undefined;
  bodyBytes = 0;

  constructor(url: string, redact: (url: string) => string, startedAtMs: number, fromByte: number | undefined) {
    this.#rawUrl = url;
    this.#redact = redact;
    this.startedAtMs = startedAtMs;
    this.fromByte = fromByte;
  }

  get url(): string {
    return this.#redact(this.#rawUrl);
  }

  toJSON(): Hop {
    const { url, startedAtMs, bodyBytes, fromByte, status, reusedConnection, address } = this;
    return {
      url,
      startedAtMs,
      ...(fromByte === undefined ? {} : { fromByte }),
      ...(status === undefined ? {} : { status }),
      ...(reusedConnection === undefined ? {} : { reusedConnection }),
      ...(address === undefined ? {} : { address }),
      bodyBytes,
    };
  }
}
