/** The general form: an operation that consumes as it downloads (an unpacker, a parser), tried again as a whole. */
import {
  type Decision,
  decideAfterFailure,
  type EventListener,
  errorFor,
  type Failure,
  failureOf,
  freshState,
  GaveUpError,
  type GiveUpReason,
  isReknitError,
  type Ledger,
  LedgerBook,
  type ReknitEvent,
  redactUrl,
} from '../core/index.ts';
import { sleep, systemRuntime } from '../runtime/index.ts';
import { type Client, type ClientOptions, createClientShared, PooledClient } from './client.ts';
import { eventChannel } from './event-channel.ts';
import type { Operation, Shared } from './life.ts';

export interface OperationContext {
  /** 1-based. */
  readonly attemptNumber: number;
  readonly signal: AbortSignal;
  /** Its requests share the operation's ledger, attempts and budget: N attempts are N, never N times N. */
  readonly client: Client;
}

export interface RetryOperationOptions extends ClientOptions {
  /** Whose connections and budget to use. @default a client made for this operation */
  readonly client?: Client;
  readonly signal?: AbortSignal | undefined;
  /** For the ledger and for messages. @default 'operation' */
  readonly name?: string;
  /** What the ledger and messages call the operation's method. @default 'RETRY' */
  readonly method?: string;
}

/**
 * Tries an operation again when the failure *under* its error is a transient one of the network, however it was wrapped;
 * never when the consumer itself failed: a corrupt archive is not downloaded eight times.
 *
 * @throws what the operation threw, if its failure is not of the network; GaveUpError after the last attempt
 * @example
 * ```ts
 * import { retry } from 'reknit';
 * const text = await retry(async ({ client }) => (await client.fetch('https://example.com/')).text());
 * console.log(text.length);
 * ```
 */
export async function retry<T>(
  operation: (context: OperationContext) => Promise<T> | T,
  options: RetryOperationOptions = {},
): Promise<T> {
  const { client, signal, name = 'operation', method = 'RETRY', ...clientOptions } = options;
  const owner =
    client instanceof PooledClient
      ? client
      : new PooledClient(createClientShared(clientOptions, systemRuntime, { isGentle: false }));
  try {
    // A given client tells its own listener; ours hears the decisions made here.
    const onEvent = owner === client ? options.onEvent : undefined;
    return await new Trials(owner, { method, name, signal, onEvent }).run(operation);
  } finally {
    if (owner !== client) await owner.destroy();
  }
}

interface TrialsSettings {
  readonly method: string;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: EventListener | undefined;
}

class Trials {
  readonly #shared: Shared;
  readonly #client: PooledClient;
  readonly #operation: Operation & { readonly ledger: LedgerBook };
  readonly #signal: AbortSignal | undefined;
  readonly #startedAtMs: number;

  readonly #onEvent: EventListener | undefined;

  constructor(client: PooledClient, { method, name, signal, onEvent }: TrialsSettings) {
    this.#shared = client.shared;
    this.#client = client;
    this.#signal = signal;
    this.#onEvent = onEvent;
    this.#startedAtMs = this.#nowMs;
    const { deadlineMs } = this.#shared.policy.timeouts;
    this.#operation = {
      ledger: new LedgerBook(method, name, this.#startedAtMs, redactUrl),
      state: freshState,
      deadlineAtMs: deadlineMs === undefined ? undefined : this.#startedAtMs + deadlineMs,
    };
  }

  get #nowMs(): number {
    return this.#shared.runtime.clock.nowMs();
  }

  async run<T>(operation: (context: OperationContext) => Promise<T> | T): Promise<T> {
    for (let attemptNumber = 1; ; attemptNumber += 1) {
      this.#signal?.throwIfAborted();
      const stop = new AbortController();
      const signal = this.#signal === undefined ? stop.signal : AbortSignal.any([this.#signal, stop.signal]);
      try {
        const value = await operation({ attemptNumber, signal, client: this.#client.forOperation(this.#operation) });
        this.#operation.ledger.end('complete', this.#nowMs);
        return value;
      } catch (error) {
        // What the operation left running would compete with its next try.
        stop.abort(error);
        await this.#waitAfter(error);
      }
    }
  }

  /** Returns when the operation may be tried again, or throws. */
  async #waitAfter(error: unknown): Promise<void> {
    if (this.#signal?.aborted === true) throw this.#signal.reason;
    const failure = failureOf(error);
    if (failure === undefined || !isWorthRepeating(failure) || !mayBeginAnew(error)) {
      this.#operation.ledger.end('failed', this.#nowMs);
      throw error;
    }
    const step = decideAfterFailure(this.#shared.policy.retry, this.#operation.state, again(failure), {
      nowMs: this.#nowMs,
      deadlineAtMs: this.#operation.deadlineAtMs,
      random: this.#shared.runtime.random,
      newBytes: 0,
      missingBytes: undefined,
      // The caller said so by calling `retry`.
      isRepeatable: true,
      isReplayable: true,
      delivery: { kind: 'nothing' },
      hasBudget: this.#shared.budget.hasOne(),
      isCrowded: false,
    });
    this.#record(failure, step.decision);
    if (step.decision.kind === 'give-up') this.#giveUp(step.decision.reason, failure, error);
    this.#operation.state = step.state;
    if (step.isCharged) this.#shared.budget.spend();
    const { delayMs } = step.decision;
    this.#operation.ledger.waitedMs += delayMs;
    await sleep(this.#shared.runtime.clock, delayMs, this.#signal);
  }

  /** The requests below have ended; what is decided here about the operation belongs to its last attempt. */
  #record(failure: Failure, decision: Decision): void {
    const { ledger } = this.#operation;
    const attempt = ledger.attempts.at(-1);
    const isNews = attempt?.failure === undefined;
    if (attempt !== undefined) {
      attempt.failure ??= failure;
      attempt.decision = decision;
    }
    const about = { method: ledger.method, url: ledger.url, attemptNumber: ledger.attemptCount };
    if (isNews) this.#emit({ ...about, type: 'failure', failure, atByte: ledger.deliveredBytes });
    if (decision.kind !== 'give-up') this.#emit({ ...about, type: 'wait', delayMs: decision.delayMs, decision });
    else if (isNews) this.#emit({ ...about, type: 'give-up', reason: decision.reason, failure });
  }

  #emit(event: ReknitEvent): void {
    this.#onEvent?.(event);
    this.#shared.onEvent?.(event);
    if (eventChannel.hasSubscribers) eventChannel.publish(event);
  }

  #giveUp(reason: Parameters<typeof errorFor>[0], failure: Failure, error: unknown): never {
    const ledger: Ledger = this.#operation.ledger;
    this.#operation.ledger.end('failed', this.#nowMs);
    throw errorFor(
      reason,
      failure,
      error,
      ledger,
      { atByte: ledger.deliveredBytes, totalBytes: undefined },
      this.#nowMs,
    );
  }
}

/** A content that changed under a stream is new from its beginning: the operation begins there, too. */
function isWorthRepeating(failure: Failure): boolean {
  return failure.transient || failure.kind === 'content-changed';
}

/** What a request of the operation gave up for, and a new one can do better: it asks from the start. */
const mendedByBeginningAnew: ReadonlySet<GiveUpReason> = new Set([
  'content-changed',
  'live-body',
  'not-resumable',
  'body-not-replayable',
]);

/**
 * A request that gave up for good gave up for the operation: its attempts, budget and deadline are the same ones, and one
 * that may have run must not be sent again by another name.
 */
function mayBeginAnew(error: unknown): boolean {
  let link: unknown = error;
  for (let depth = 0; depth < MAX_LINKS && typeof link === 'object' && link !== null; depth += 1) {
    if (isReknitError(link))
      return link instanceof GaveUpError ? mendedByBeginningAnew.has(link.reason) : link.code !== 'ERR_REKNIT_DEADLINE';
    link = (link as { readonly cause?: unknown }).cause;
  }
  return true;
}

const MAX_LINKS = 16;

function again(failure: Failure): Failure {
  const { mark: _mark, ...rest } = failure;
  return { ...rest, transient: true, mayHaveRun: false };
}
