/** One attempt of a passage as the wire sees it: its bytes go to the client, or first through the gate of a stream. */
import {
  type Failure,
  failureOf,
  type Attempt as LedgerAttempt,
  type Outcome,
  statusesWithMarkers,
} from '../core/index.ts';
import type { Above, KeptBody, RawHeaders, Sink, SinkControl } from '../http/index.ts';
import type { Clock, Timer } from '../runtime/index.ts';
import type { ClientAnswer } from './client-answer.ts';
import type { StreamSettings } from './config.ts';
import type { AnswerFields } from './fields.ts';
import type { ToldError } from './model-api.ts';
import type { ModelRequest } from './model-request.ts';
import { type GateListener, StreamGate } from './stream-gate.ts';

/** Behind its last word a stream has so long to end, so that its connection can serve again. */
const MAX_AFTERMATH_MS = 1_000;

/** A refusal is read so far, before it is handed on: its words may say that somebody else could do better. */
const MAX_REFUSAL_BYTES = 16_384;

/** The passage that an attempt is made for. */
export interface AttemptOwner {
  readonly answer: ClientAnswer;
  tellAttempt(attempt: LedgerAttempt): void;
  /** Whether an answer with this final status is nobody's last word. */
  refuses(failure: Failure): boolean;
  isRepeatable(): boolean;
  readAnswer(raw: RawHeaders): AnswerFields;
  isUnderstood(status: number, fields: AnswerFields): boolean;
  commit(status: number, fields: AnswerFields): void;
  complete(outcome: Outcome): void;
  /** A refusal has ended; false: it is nobody's last word, and the request goes elsewhere. */
  isLastWord(text: string): boolean;
  failed(error: unknown, failure: Failure | undefined): void;
  brokenOff(failure: Failure | undefined, words: string | undefined): void;
  toldOfError(failure: Failure, told: ToldError): void;
  tooSlow(afterMs: number): Failure;
}

export interface AttemptSettings {
  readonly startedAtMs: number;
  readonly isLastCandidate: boolean;
  readonly stream: StreamSettings;
  readonly asked: ModelRequest | undefined;
  readonly clock: Clock;
  readonly kept: KeptBody | undefined;
  /** In place of the usual wait for headers. */
  readonly headersMs: number | undefined;
}

export class Attempt implements Sink, Above, GateListener {
  readonly #passage: AttemptOwner;
  readonly #settings: AttemptSettings;
  #control: SinkControl | undefined;
  #gate: StreamGate | undefined;
  #status = 0;
  #fields: AnswerFields | undefined;
  #outcome: Outcome = 'complete';
  /** The body of a refusal, held back until its words are known. */
  #refusal: { readonly chunks: Buffer[]; bytes: number } | undefined;
  /** Nothing that still comes is of interest. */
  #isOver = false;
  #aftermath: Timer | undefined;
  isCommitted = false;
  /** Decoding, and what a damaged one means, is the client's. */
  readonly decodesStrictly = true;

  constructor(passage: AttemptOwner, settings: AttemptSettings) {
    this.#passage = passage;
    this.#settings = settings;
  }

  get isUnderstood(): boolean {
    return this.#gate !== undefined;
  }

  // For the layer below.

  get kept(): KeptBody | undefined {
    return this.#settings.kept;
  }

  get headersMs(): number | undefined {
    return this.#settings.headersMs;
  }

  refuses(failure: Failure): boolean {
    return this.#passage.refuses(failure);
  }

  isRepeatable(): boolean {
    return this.#passage.isRepeatable();
  }

  onAttempt(attempt: LedgerAttempt): void {
    this.#passage.tellAttempt(attempt);
  }

  onOutcome(outcome: Outcome): void {
    this.#outcome = outcome;
  }

  // From the wire.

  onStart(control: SinkControl): void {
    this.#control = control;
  }

  onInfo(): void {}

  onHeaders(status: number, headers: RawHeaders): boolean {
    if (this.#isOver) return true;
    const passage = this.#passage;
    const fields = passage.readAnswer(headers);
    this.#status = status;
    this.#fields = fields;
    const { asked, stream, clock } = this.#settings;
    const api = passage.isUnderstood(status, fields) ? asked?.api : undefined;
    if (api !== undefined) {
      this.#gate = new StreamGate(api, stream, clock.nowMs(), this);
      return true;
    }
    // The client was told that a stream of events comes.
    if (passage.answer.isStarted) {
      this.#fail(notTheAnnounced(status));
      return true;
    }
    if (statusesWithMarkers.has(status) && !fields.isEncoded) {
      this.#refusal = { chunks: [], bytes: 0 };
      return true;
    }
    this.isCommitted = true;
    passage.commit(status, fields);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    if (this.#refusal !== undefined) {
      this.#refusal.chunks.push(chunk);
      this.#refusal.bytes += chunk.length;
      return this.#refusal.bytes <= MAX_REFUSAL_BYTES || this.#handRefusalOn();
    }
    const gate = this.#gate;
    const goesOn =
      gate === undefined ? this.#passage.answer.write(chunk) : gate.take(chunk, this.#settings.clock.nowMs());
    if (!goesOn) this.#passage.answer.onRoom(this.#resume);
    return goesOn;
  }

  readonly #resume = (): void => this.#control?.resume();

  #handRefusalOn(): boolean {
    const { chunks } = this.#refusal!;
    this.#refusal = undefined;
    this.isCommitted = true;
    this.#passage.commit(this.#status, this.#fields!);
    return chunks.length === 0 || this.onData(Buffer.concat(chunks));
  }

  onEnd(): void {
    this.#aftermath?.cancel();
    if (this.#isOver) return;
    if (this.#gate !== undefined) {
      this.#gate.end();
      return;
    }
    if (this.#refusal !== undefined) {
      const text = Buffer.concat(this.#refusal.chunks).toString('utf8', 0, MAX_REFUSAL_BYTES);
      if (!this.#passage.isLastWord(text)) {
        this.#isOver = true;
        return;
      }
      this.#handRefusalOn();
    }
    this.#isOver = true;
    this.#passage.complete(this.#outcome);
  }

  onError(error: unknown): void {
    this.#aftermath?.cancel();
    if (this.#isOver) return;
    const failure = failureOf(error);
    if (this.#gate !== undefined && failure !== undefined) {
      this.#gate.broke(failure);
      return;
    }
    this.#isOver = true;
    if (this.isCommitted) this.#passage.brokenOff(failure, undefined);
    else this.#passage.failed(error, failure);
  }

  // From the gate.

  onCommit(): void {
    this.isCommitted = true;
    const fields = this.#fields!;
    // The gate may add a last word: neither the length nor the framing of the upstream is that of the answer.
    this.#passage.commit(this.#status, { ...fields, passed: withoutLength(fields.passed), isUnmarked: false });
  }

  onEvents(bytes: Buffer): boolean {
    return this.#passage.answer.write(bytes);
  }

  onWhole(): void {
    this.#isOver = true;
    // Its connection may serve again when it ends by itself.
    this.#aftermath = this.#settings.clock.after(MAX_AFTERMATH_MS, () => this.#control?.abort(undefined), 'idle');
    this.#passage.complete('complete');
  }

  onTold(failure: Failure, told: ToldError, event: Buffer): void {
    this.leave();
    if (this.isCommitted) this.#passage.brokenOff(failure, event.toString('utf8'));
    else this.#passage.toldOfError(failure, told);
  }

  onBroken(failure: Failure): void {
    this.#fail(failure);
  }

  // From above.

  check(nowMs: number): void {
    if (this.#isOver) return;
    const { isLastCandidate, stream, startedAtMs } = this.#settings;
    if (!this.isCommitted && !isLastCandidate && nowMs - startedAtMs >= stream.firstContentMs)
      this.#fail(this.#passage.tooSlow(stream.firstContentMs));
    else this.#gate?.check(nowMs);
  }

  #fail(failure: Failure): void {
    this.leave();
    if (this.isCommitted) this.#passage.brokenOff(failure, undefined);
    else this.#passage.failed(undefined, failure);
  }

  /** Nobody wants its answer any more: its connection is cut. */
  leave(): void {
    this.#isOver = true;
    this.#aftermath?.cancel();
    this.#control?.abort(undefined);
  }
}

function withoutLength(fields: readonly string[]): string[] {
  return fields.filter((_, index) => fields[index - (index % 2)]!.toLowerCase() !== 'content-length');
}

function notTheAnnounced(status: number): Failure {
  return {
    origin: 'http',
    phase: 'wait',
    kind: 'suspicious',
    transient: true,
    mayHaveRun: true,
    what: `HTTP ${status} without a stream of events, where one was asked for`,
  };
}
