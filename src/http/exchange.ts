/**
 * One dispatch, healed: takes hops to the wire, watches them, joins their bodies, and obeys the decisions of core.
 * It holds no policy. All of it is driven by events; a repeat always starts on a fresh stack.
 */
import {
  checkResume,
  type Decision,
  type Delivery,
  type Failure,
  type FailureKind,
  type Hop,
  MAX_BAD_RESUMES,
  MAX_DRAIN_BYTES,
  MAX_DRAIN_MS,
  MAX_ERROR_BODY_BYTES,
  MAX_REDIRECTS,
  parseLength,
  parsePushback,
  type ResumePlan,
  type ResumeVerdict,
  readableText,
  redactUrl,
  type Step,
  statusVerdict,
} from '../core/index.ts';
import type { Timer } from '../runtime/index.ts';
import { Joiner } from './body-joiner.ts';
import { errorFor } from './error-for.ts';
import {
  alarmFailure,
  badResume,
  changedFailure,
  codingFailure,
  deadlineFailure,
  hopFailure,
  redirectFailure,
  truncatedFailure,
  withMark,
} from './failures.ts';
import { HopHandler, type HopListener } from './hop-handler.ts';
import { isRedirect, redirectRequest, resumeRequest, withBody, withIdempotencyKey } from './hop-request.ts';
import type { Life } from './life.ts';
import { framingOf, Reader } from './reader.ts';
import { type RequestBody, unreadableBody } from './request-body.ts';
import { type PickedFields, pickFields, type RawHeaders } from './response-fields.ts';
import type { Sink, SinkControl } from './sink.ts';
import type { DispatchOptions, HopRoute } from './transport.ts';
import { AttemptWatch, type WatchAlarm, type Watchee, type WatchLimits } from './watch.ts';

/** Fewer connections at once would help. */
const wantFewer: ReadonlySet<FailureKind> = new Set(['proxy-throttled', 'h2-calm', 'too-many-files']);

/** Under an unmodified program nothing healthy may break: undici's own limit stays where we could not try again. */
const UNDICI_TIMEOUT_MS = 300_000;

export class Exchange implements HopListener, SinkControl, Watchee {
  readonly #life: Life;
  readonly #sink: Sink;
  readonly #options: DispatchOptions;
  /** The options of this dispatch are not those that the request began with: `fetch` followed a redirect above us. */
  readonly #isBehindRedirect: boolean;
  readonly #watch: AttemptWatch;
  #hop: HopHandler | undefined;
  #hopRecord: Hop | undefined;
  #wire: DispatchOptions;
  #redirects = 0;
  #follows: boolean;
  #plan: ResumePlan | undefined;
  #joiner: Joiner | undefined;
  /** Absolute offset behind the last byte that the current hop will bring. */
  #hopEndByte: number | undefined;
  /** The length of the whole, by the word of the current hop. */
  #hopTotalBytes: number | undefined;
  /** A whole answer without a length, taken on the strength of its beginning: only its own end shows that it is as long. */
  #hopMustEndInTime = false;
  #attemptStartByte = 0;
  #reader: Reader | undefined;
  #timer: Timer | undefined;
  #isDone = false;
  #isEnding = false;
  #endsWithStatus = false;
  #isSinkFull = false;
  #isDecoderFull = false;
  #hopIsOverlap = false;
  /** Some of the body was joined by comparing an overlap only. */
  #hasOverlapped = false;

  constructor(life: Life, options: DispatchOptions, sink: Sink) {
    this.#life = life;
    this.#sink = sink;
    this.#options = options;
    this.#wire = options;
    this.#isBehindRedirect = options !== life.home;
    this.#follows = life.rules.followRedirects;
    this.#watch = new AttemptWatch(this, life.shared.sweep);
  }

  begin(): void {
    this.#sink.onStart(this);
    if (this.#isDone) return;
    if (this.#life.deadlineAtMs !== undefined) this.#life.onDeadline = () => this.#onDeadline();
    // Between two dispatches of one request (`fetch` follows a redirect above us) nobody heard it.
    if (this.#life.isPastDeadline) this.#onDeadline();
    else this.#send(this.#options, 'pooled');
  }

  // What the consumer does.

  resume(): void {
    if (!this.#isSinkFull) return;
    this.#isSinkFull = false;
    if (!this.isPaused) this.#hop?.resume();
  }

  /** Both the consumer and the check of the content-coding may ask for a pause; neither ends the other's. */
  get isPaused(): boolean {
    return this.#isSinkFull || this.#isDecoderFull;
  }

  readonly #onDecoderRoom = (): void => {
    if (!this.#isDecoderFull) return;
    this.#isDecoderFull = false;
    if (!this.isPaused) this.#hop?.resume();
  };

  abort(reason: unknown): void {
    if (this.#isDone) return;
    this.#close();
    this.#life.end('aborted');
    this.#sink.onError(
      reason ?? Object.assign(new Error('Request aborted'), { code: 'UND_ERR_ABORTED', name: 'AbortError' }),
    );
  }

  // Sending.

  #send(options: DispatchOptions, route: HopRoute): void {
    const { rules } = this.#life;
    // The clocks of the next hop start when it is sent; until then it may wait for a connection.
    this.#watch.stop();
    let wire = options;
    if (options.body !== null && options.body !== undefined) {
      const produced = this.#produceBody();
      if (produced === undefined) return;
      wire = withBody(options, produced.body, produced.contentType);
    }
    if (rules.idempotencyKey !== undefined) wire = withIdempotencyKey(wire, rules.idempotencyKey);
    this.#wire = wire;
    this.#hopRecord = undefined;
    this.#hop = new HopHandler(this);
    this.#life.shared.transport.send(wire, this.#hop, route);
  }

  /** What the caller gave to make bodies with may throw, and ends the request then. */
  #produceBody(): ReturnType<RequestBody['produce']> | undefined {
    try {
      return this.#life.body.produce();
    } catch (error) {
      this.#giveUp('permanent', unreadableBody, error);
      return undefined;
    }
  }

  onHopSent(hop: HopHandler): void {
    const { ledger, attempt, nowMs } = this.#life;
    const plan = this.#plan;
    const fromByte = plan !== undefined && 'fromByte' in plan ? plan.fromByte : undefined;
    const record = ledger.addHop(attempt, `${this.#wire.origin}${this.#wire.path}`, nowMs, fromByte);
    const { connection } = hop;
    if (connection !== undefined) {
      record.reusedConnection = connection.isReused;
      if (connection.address !== undefined) record.address = connection.address;
    }
    this.#hopRecord = record;
    this.#watch.start('headers', nowMs);
  }

  // Headers.

  onHopHeaders(hop: HopHandler, status: number, headers: RawHeaders, statusText: string): boolean {
    if (status < 200) {
      if (this.#reader === undefined) this.#sink.onInfo(status, headers, statusText);
      return true;
    }
    const fields = pickFields(headers);
    if (this.#hopRecord !== undefined) this.#hopRecord.status = status;
    if (this.#life.isWatched) this.#emitResponse(hop, status);
    this.#watch.start('body', this.#life.nowMs);
    if (this.#follows && isRedirect(status, fields.location)) return this.#redirect(hop, status, fields);
    if (this.#plan !== undefined) return this.#judgeResume(hop, status, fields);
    const verdict = this.#judgeStatus(status, fields);
    if (verdict !== undefined && !this.#mayEndWith(verdict, hop, fields)) return true;
    if (this.#reader !== undefined) return this.#beginAgain(hop, status, fields);
    if (this.#lacksProof(hop, fields)) return this.#askOverHttp1(hop);
    return this.#deliverHeaders(status, headers, fields, statusText);
  }

  #judgeStatus(status: number, fields: PickedFields): Failure | undefined {
    if (status < 400 && !this.#life.rules.transientStatuses.has(status)) return undefined;
    const { runtime, policy } = this.#life.shared;
    const verdict = statusVerdict(status, {
      transientStatuses: this.#life.rules.transientStatuses,
      pushbackMs: parsePushback(fields, runtime.clock.wallMs()),
      trustRefusals: policy.retry.trustRefusals,
    });
    return verdict === undefined ? undefined : this.#afterRedirects(verdict);
  }

  /** Whether the answer with this status is the end of the request, given to the caller; else another attempt is on its way. */
  #mayEndWith(verdict: Failure, hop: HopHandler, fields: PickedFields): boolean {
    const step = this.#decide(verdict);
    const isLast = step.decision.kind === 'give-up' && this.#reader === undefined;
    if (!isLast) {
      this.#obey(verdict, step, undefined);
      this.#discardAnswer(hop, fields, () => {});
      return false;
    }
    if (this.#life.rules.throwOnStatus) {
      this.#watch.stop();
      this.#discardAnswer(hop, fields, (text) => {
        if (!this.#isDone) this.#obey(verdict, step, text === '' ? undefined : new Error(`the server said: ${text}`));
      });
      return false;
    }
    this.#life.accept(verdict, step);
    if (this.#life.isWatched && verdict.transient) this.#emitFailure(verdict);
    this.#endsWithStatus = true;
    return true;
  }

  /** The headers were handed over before, and no byte; a second answer may take the place of the first if it looks the same. */
  #beginAgain(hop: HopHandler, status: number, fields: PickedFields): boolean {
    const before = this.#reader!;
    const reader = this.#createReader(status, fields);
    const isAlike =
      status === before.status &&
      reader.startByte === before.startByte &&
      reader.representation?.contentType === before.representation?.contentType &&
      reader.representation?.codings === before.representation?.codings;
    if (!isAlike) {
      this.#discard(hop, fields);
      this.#fail(changedFailure(true, `the answer was HTTP ${before.status} and is now HTTP ${status}`), undefined);
      return true;
    }
    before.codingCheck?.stop();
    this.#reader = reader;
    this.#hopEndByte = reader.endByte;
    return !this.isPaused;
  }

  #lacksProof(hop: HopHandler, fields: PickedFields): boolean {
    const isHttp2 = hop.connection?.isHttp2 === true;
    return (
      this.#life.rules.requireProof &&
      isHttp2 &&
      parseLength(fields.contentLength) === undefined &&
      this.#wire.method === 'GET'
    );
  }

  /** undici cannot see the RST_STREAM that cut a body without a length; HTTP/1.1 framing shows every cut. */
  #askOverHttp1(hop: HopHandler): boolean {
    hop.kill();
    this.#send(this.#options, 'fresh-http1');
    return true;
  }

  #createReader(status: number, fields: PickedFields): Reader {
    const checksCoding = this.#sink.decodesStrictly !== true;
    return new Reader(this.#wire.method, status, fields, {
      mayOverlapBlindly: this.#life.rules.mayOverlapBlindly,
      checksCoding,
    });
  }

  #deliverHeaders(status: number, headers: RawHeaders, fields: PickedFields, statusText: string): boolean {
    const reader = this.#createReader(status, fields);
    this.#reader = reader;
    this.#hopEndByte = reader.endByte;
    this.#attemptStartByte = reader.atByte;
    if (reader.representation?.isLive === true) this.#watch.stop();
    if (!this.#sink.onHeaders(status, headers, statusText)) this.#isSinkFull = true;
    return !this.isPaused;
  }

  // Redirects.

  #redirect(hop: HopHandler, status: number, fields: PickedFields): boolean {
    this.#redirects += 1;
    const next = redirectRequest(this.#wire, status, fields.location!);
    this.#discard(hop, fields);
    if (next === undefined || this.#redirects > MAX_REDIRECTS) {
      this.#fail(
        redirectFailure(
          next === undefined
            ? `an unusable redirect (Location: ${redactUrl(fields.location!)})`
            : `more than ${MAX_REDIRECTS} redirects`,
        ),
        undefined,
      );
    } else if (next.body !== null && next.body !== undefined && !this.#life.body.isReplayable()) {
      this.#giveUp('body-not-replayable', redirectFailure('a redirect that wants the request body again'), undefined);
    } else {
      this.#send(next, 'pooled');
    }
    return true;
  }

  /** Whoever redirected may have acted before (a 303 after a POST): that the next place saw nothing proves nothing then. */
  #afterRedirects(failure: Failure): Failure {
    return this.#redirects === 0 || failure.mayHaveRun ? failure : { ...failure, mayHaveRun: true };
  }

  /** Reads a small rest so that the connection can be kept, and cuts one that is long or does not come. */
  #discard(hop: HopHandler, fields: PickedFields): void {
    if ((parseLength(fields.contentLength) ?? 0) > MAX_DRAIN_BYTES) hop.kill();
    else hop.drain(MAX_DRAIN_BYTES, this.#life.shared.runtime.clock, MAX_DRAIN_MS);
  }

  /** The same for an answer whose beginning says what is wrong. */
  #discardAnswer(hop: HopHandler, fields: PickedFields, onText: (text: string) => void): void {
    const { attempt } = this.#life;
    hop.onFirstBytes = (bytes) => {
      const text = readableText(bytes);
      if (text !== '') attempt.answerText = text;
      onText(text);
    };
    const isLong = (parseLength(fields.contentLength) ?? 0) > MAX_DRAIN_BYTES;
    hop.drain(isLong ? MAX_ERROR_BODY_BYTES : MAX_DRAIN_BYTES, this.#life.shared.runtime.clock, MAX_DRAIN_MS);
  }

  // Resumes.

  #judgeResume(hop: HopHandler, status: number, fields: PickedFields): boolean {
    const reader = this.#reader!;
    const verdict = checkResume(reader.representation!, this.#plan!, reader.atByte, status, fields);
    switch (verdict.kind) {
      case 'join':
        reader.framing = framingOf(fields);
        return this.#join(verdict);
      case 'reread':
        return this.#reread(hop, fields, verdict);
      case 'complete':
        this.#discard(hop, fields);
        this.#complete([], 'length');
        return true;
      case 'changed':
        return this.#refuse(hop, fields, changedFailure(verdict.isCertain, verdict.what));
      case 'bad':
        return this.#refuse(hop, fields, badResume(verdict.what));
      case 'status':
        return this.#refuse(hop, fields, this.#resumeStatusFailure(status, fields));
    }
  }

  /** A resume answered 4xx is a failed attempt (signed URLs expire, middleboxes answer for others), believed when seen twice. */
  #resumeStatusFailure(status: number, fields: PickedFields): Failure {
    const verdict = this.#judgeStatus(status, fields);
    if (verdict?.transient === true) return verdict;
    return { ...badResume(`HTTP ${status}`), status, mark: `resume-status-${status}` };
  }

  #refuse(hop: HopHandler, fields: PickedFields, failure: Failure): boolean {
    this.#discard(hop, fields);
    this.#fail(failure, undefined);
    return true;
  }

  #join(verdict: ResumeVerdict & { readonly kind: 'join' }): boolean {
    const { skipBytes, compareBytes, endByte, totalBytes } = verdict;
    const mode = compareBytes === 0 ? ({ kind: 'trust' } as const) : ({ kind: 'overlap', compareBytes } as const);
    this.#joiner = skipBytes === 0 ? undefined : new Joiner(skipBytes, mode, this.#reader!.memory);
    this.#hopIsOverlap = mode.kind === 'overlap';
    this.#hopEndByte = endByte;
    this.#hopTotalBytes = totalBytes;
    if (this.#joiner === undefined) this.#joined();
    return !this.isPaused;
  }

  #reread(
    hop: HopHandler,
    fields: PickedFields,
    verdict: { readonly skipBytes: number; readonly isProven: boolean; readonly endByte: number | undefined },
  ): boolean {
    const { memory } = this.#reader!;
    if (!verdict.isProven && memory === undefined) {
      return this.#refuse(hop, fields, changedFailure(false, 'the ETag is gone'));
    }
    this.#hopIsOverlap = false;
    this.#reader!.framing = framingOf(fields);
    // The server does not do ranges for this one; asking again would only cost another answer.
    this.#reader!.rangesFail = true;
    this.#joiner = new Joiner(verdict.skipBytes, { kind: verdict.isProven ? 'trust' : 'digest' }, memory);
    this.#hopEndByte = verdict.endByte;
    const { representation, framing, endByte } = this.#reader!;
    // Where only a part was asked for, what comes behind it is no surprise.
    this.#hopMustEndInTime = !verdict.isProven && framing !== 'length' && endByte === representation?.totalBytes;
    return !this.isPaused;
  }

  // Bytes.

  /** What moved on the wire: the request body first, then the answer's. */
  get movedBytes(): number {
    return (this.#hop?.uploadedBytes ?? 0) + (this.#hopRecord?.bodyBytes ?? 0);
  }

  onHopData(hop: HopHandler, received: Buffer): boolean {
    if (received.length === 0) return true;
    const reader = this.#reader!;
    const { ledger } = this.#life;
    this.#hopRecord!.bodyBytes += received.length;
    ledger.receivedBytes += received.length;
    let chunk = received;
    if (this.#joiner !== undefined) {
      const joined = this.#joinBytes(hop, received);
      if (joined === undefined) return true;
      chunk = joined;
    }
    const room = Math.min(reader.endByte ?? Infinity, this.#hopEndByte ?? Infinity) - reader.atByte;
    if (chunk.length > room && this.#hopMustEndInTime) {
      hop.kill();
      this.#fail(changedFailure(false, `it is longer now than ${reader.endByte} bytes`), undefined);
      return true;
    }
    if (room <= 0) return this.#refuseSurplus(hop, reader);
    if (chunk.length > room) chunk = chunk.subarray(0, room);
    return this.#deliver(hop, reader, chunk);
  }

  /** More than its Content-Range announced: what is behind it is not known to belong there. */
  #refuseSurplus(hop: HopHandler, reader: Reader): boolean {
    if (reader.atByte === reader.endByte) {
      this.#cutAtEnd(hop);
    } else {
      hop.kill();
      this.#fail(badResume('a part longer than announced'), undefined);
    }
    return true;
  }

  #joinBytes(hop: HopHandler, received: Buffer): Buffer | undefined {
    const step = this.#joiner!.feed(received);
    if (step.kind === 'mismatch') {
      hop.kill();
      this.#fail(changedFailure(false, 'bytes that were read before are different now'), undefined);
      return undefined;
    }
    if (!this.#joiner!.isDone) return undefined;
    this.#joiner = undefined;
    if (this.#hopIsOverlap) this.#hasOverlapped = true;
    this.#joined();
    return step.kind === 'deliver' ? step.chunk : undefined;
  }

  /** The answer has proven to be of the same version: from here on its word counts. */
  #joined(): void {
    // A first answer without a length may be followed by one that tells it: now the end can be proven.
    if (this.#hopTotalBytes !== undefined) this.#reader!.learnLength(this.#hopTotalBytes);
    this.#emitHealed();
  }

  #deliver(hop: HopHandler, reader: Reader, chunk: Buffer): boolean {
    const isLast = reader.endByte !== undefined && reader.atByte + chunk.length >= reader.endByte;
    // Behind the last byte nothing is left to join, once it is known to be the last.
    if (!isLast || this.#hopMustEndInTime) reader.memory?.add(chunk);
    if (reader.codingCheck?.feed(chunk, this.#onDecoderRoom) === false) this.#isDecoderFull = true;
    reader.atByte += chunk.length;
    this.#life.ledger.deliveredBytes += chunk.length;
    if (!this.#sink.onData(chunk)) this.#isSinkFull = true;
    if (isLast && this.#hopEndByte !== reader.endByte && !this.#isDone) this.#cutAtEnd(hop);
    return !this.isPaused;
  }

  /** The hop would bring more than was asked for: the caller has it all. */
  #cutAtEnd(hop: HopHandler): void {
    hop.kill();
    this.#complete([], 'length');
  }

  // Ends.

  onHopEnd(hop: HopHandler, trailers: RawHeaders): void {
    const reader = this.#reader!;
    const integrity = this.#proveEnd(hop, reader);
    if (typeof integrity === 'object') this.#fail(integrity, undefined);
    else this.#complete(trailers, integrity);
  }

  #proveEnd(hop: HopHandler, reader: Reader): 'length' | 'framing' | 'unverifiable' | Failure {
    if (reader.framing === 'none') return 'framing';
    if (reader.endByte !== undefined && reader.atByte === reader.endByte && this.#joiner === undefined) return 'length';
    const reset = reader.framing === 'unmarked' ? this.#resetBehindEnd(hop) : undefined;
    if (reset !== undefined) return reset;
    if (this.#joiner !== undefined) {
      // A part has said where it ends; of a whole body, nobody knows whether it was cut or is shorter now.
      if (this.#hopRecord?.status === 206) return truncatedFailure('a part shorter than announced');
      return changedFailure(false, 'the body is now shorter than what was read of it');
    }
    if (reader.endByte !== undefined) return truncatedFailure('a body shorter than announced');
    if (this.#hopEndByte !== undefined && reader.atByte !== this.#hopEndByte)
      return truncatedFailure('a part shorter than announced');
    if (reader.framing === 'chunked') return hop.connection?.isHttp2 === true ? 'unverifiable' : 'framing';
    return 'unverifiable';
  }

  /** undici takes a reset for the end of a body that only the connection's end delimits; the socket knows better. */
  #resetBehindEnd(hop: HopHandler): Failure | undefined {
    const error = hop.connection?.isHttp2 === true ? undefined : hop.connection?.socket?.errored;
    if (error === undefined || error === null) return undefined;
    return hopFailure({ phase: 'body', error, unsent: false, reusedSocket: false, answered: true });
  }

  #complete(trailers: RawHeaders, integrity: 'length' | 'framing' | 'unverifiable'): void {
    const reader = this.#reader!;
    this.#watch.stop();
    this.#isEnding = true;
    const check = reader.codingCheck;
    if (check === undefined) {
      this.#finish(trailers, integrity);
      return;
    }
    check.finish((error) => {
      if (this.#isDone) return;
      if (error === undefined) this.#finish(trailers, integrity);
      else this.#fail(codingFailure(error), error);
    });
  }

  #finish(trailers: RawHeaders, integrity: 'length' | 'framing' | 'unverifiable'): void {
    const { ledger, attempt } = this.#life;
    // Two versions can share the bytes that were compared; only a validator or a digest of all of them is proof.
    if (this.#reader!.framing !== 'none') ledger.integrity = this.#hasOverlapped ? 'unverifiable' : integrity;
    attempt.newBytes = this.#newBytes();
    attempt.endedAtMs = this.#life.nowMs;
    this.#close();
    if (!this.#life.staysOpen(this.#reader!.status)) this.#life.end(this.#endsWithStatus ? 'status' : 'complete');
    this.#sink.onEnd(trailers);
  }

  // Failures.

  onHopError(hop: HopHandler, error: Error): void {
    if (this.#isDone || this.#isEnding) return;
    if (this.#hasAll) {
      this.#complete([], 'length');
      return;
    }
    const phase = !hop.isSent ? 'connect' : this.#hopRecord?.status === undefined ? 'wait' : 'body';
    const failure = hopFailure({
      phase,
      error,
      unsent: !hop.isSent,
      reusedSocket: hop.connection?.isReused ?? false,
      answered: hop.isAnswered,
    });
    this.#fail(withMark(failure, this.#reader?.atByte ?? 0), error);
  }

  limits(phase: 'headers' | 'body'): WatchLimits | undefined {
    const { policy, isGentle } = this.#life.shared;
    if (phase === 'body' && this.#reader?.representation?.isLive === true) return undefined;
    if (phase === 'headers' && this.#waitsForCaller()) return undefined;
    const mayRepeat = this.#mayRepeat(phase);
    const { headersMs, stallMs, minBytesPerSecond } = policy.timeouts;
    if (isGentle && !mayRepeat)
      return { headersMs: UNDICI_TIMEOUT_MS, stallMs: UNDICI_TIMEOUT_MS, minBytesPerSecond: 0 };
    return { headersMs, stallMs, minBytesPerSecond: mayRepeat ? minBytesPerSecond : 0 };
  }

  /** The request body is not sent yet, and not because the server does not read: its source is slow, which is no silence. */
  #waitsForCaller(): boolean {
    const { body } = this.#wire;
    const hop = this.#hop;
    const socket = hop?.connection?.socket;
    if (body === null || body === undefined || hop === undefined || socket === undefined) return false;
    return !hop.isUploaded && hop.connection?.isHttp2 !== true && !socket.writableNeedDrain;
  }

  #mayRepeat(phase: 'headers' | 'body'): boolean {
    const { isRepeatable, body } = this.#life;
    if (!isRepeatable || !body.isReplayable()) return false;
    if (phase === 'headers' || this.#reader === undefined) return true;
    return this.#reader.plan(this.#life.rules.mayOverlapBlindly).kind !== 'impossible';
  }

  onAlarm(alarm: WatchAlarm): void {
    const hop = this.#hop;
    hop?.kill();
    if (this.#hasAll) {
      this.#complete([], 'length');
      return;
    }
    const { failure, error } = alarmFailure(alarm);
    this.#fail(failure, error);
  }

  /** The last byte is there, and only the news of it is missing. */
  get #hasAll(): boolean {
    const reader = this.#reader;
    // By this hop: one that never answered is no news of the end.
    if (reader?.endByte === undefined || this.#hopEndByte === undefined) return false;
    return reader.atByte === reader.endByte && this.#joiner === undefined && !this.#hopMustEndInTime;
  }

  #onDeadline(): void {
    if (this.#isDone) return;
    this.#hop?.kill();
    const phase = this.#hopRecord === undefined ? 'connect' : this.#hopRecord.status === undefined ? 'wait' : 'body';
    const failure =
      this.#timer === undefined ? deadlineFailure(phase) : (this.#life.attempt.failure ?? deadlineFailure(phase));
    this.#giveUp('deadline', failure, undefined);
  }

  #newBytes(): number {
    return this.#reader === undefined ? 0 : this.#reader.atByte - this.#attemptStartByte;
  }

  #delivery(): Delivery {
    const reader = this.#reader;
    if (reader === undefined) return { kind: 'nothing' };
    const plan = reader.plan(this.#life.rules.mayOverlapBlindly);
    if (!reader.hasBytes && reader.status < 300 && reader.representation?.isLive !== true) return { kind: 'headers' };
    return { kind: 'bytes', fromByte: reader.atByte, plan };
  }

  #decide(failure: Failure): Step {
    const reader = this.#reader;
    const newBytes = this.#newBytes();
    return this.#life.decide(failure, {
      newBytes,
      missingBytes: reader?.missingBytes === undefined ? undefined : reader.missingBytes + newBytes,
      isReplayable: this.#options.body === null || this.#options.body === undefined || this.#life.body.isReplayable(),
      delivery: this.#delivery(),
    });
  }

  #fail(observed: Failure, error: unknown): void {
    if (this.#isDone) return;
    const failure = this.#afterRedirects(observed);
    if (failure.kind === 'bad-resume' && this.#reader !== undefined) {
      this.#reader.badResumes += 1;
      if (this.#reader.badResumes >= MAX_BAD_RESUMES) this.#reader.rangesFail = true;
    }
    if (this.#needsRestart(failure)) {
      this.#restart(failure, error);
      return;
    }
    this.#obey(failure, this.#decide(failure), error);
  }

  /** What cannot be continued can still be thrown away, where the consumer is a buffer or a file. */
  #needsRestart(failure: Failure): boolean {
    const reader = this.#reader;
    if (this.#sink.onRestart === undefined || reader === undefined || reader.status >= 300) return false;
    if (failure.kind === 'content-changed' || failure.kind === 'decoding') return true;
    return (
      failure.transient &&
      this.#delivery().kind === 'bytes' &&
      reader.plan(this.#life.rules.mayOverlapBlindly).kind === 'impossible'
    );
  }

  #restart(failure: Failure, error: unknown): void {
    const reader = this.#reader!;
    // The same damage at the same place twice is no accident of the wire.
    const mark = failure.kind === 'decoding' ? { mark: `decoding at ${reader.atByte}` } : {};
    const { mark: _seen, ...rest } = failure;
    const again: Failure = { ...rest, transient: true, ...mark };
    const isAgainAtOnce =
      failure.kind === 'content-changed' && failure.mark !== undefined && this.#life.state.lastMark !== failure.mark;
    if (isAgainAtOnce) {
      // Not yet believed: ask once more before everything is thrown away.
      this.#obey(failure, this.#decide(failure), error);
      return;
    }
    reader.codingCheck?.stop();
    const newBytes = this.#newBytes();
    this.#life.ledger.deliveredBytes = 0;
    this.#reader = undefined;
    this.#plan = undefined;
    this.#hasOverlapped = false;
    this.#life.attempt.newBytes = newBytes;
    this.#isSinkFull = false;
    this.#isDecoderFull = false;
    this.#sink.onRestart?.();
    this.#obey(again, this.#decide(again), error);
  }

  #obey(failure: Failure, step: Step, error: unknown): void {
    this.#watch.stop();
    if (this.#reader !== undefined) this.#life.attempt.newBytes = this.#newBytes();
    if (this.#life.isWatched) this.#emitFailure(failure);
    const { decision } = step;
    this.#life.accept(failure, step);
    if (decision.kind === 'give-up') {
      this.#giveUp(decision.reason, failure, error);
      return;
    }
    this.#isEnding = false;
    if (wantFewer.has(failure.kind)) this.#life.shared.transport.slowDown(String(this.#wire.origin));
    this.#timer = this.#life.shared.runtime.clock.after(decision.delayMs, () => this.#repeat(decision));
  }

  #repeat(decision: Exclude<Decision, { readonly kind: 'give-up' }>): void {
    this.#timer = undefined;
    if (this.#isDone) return;
    const reader = this.#reader;
    this.#plan = decision.kind === 'resume' ? decision.plan : undefined;
    this.#joiner = undefined;
    this.#hopEndByte = undefined;
    this.#hopTotalBytes = undefined;
    this.#hopMustEndInTime = false;
    this.#attemptStartByte = reader?.atByte ?? 0;
    this.#redirects = 0;
    const home = this.#startAgainFrom();
    // What the dead attempt was still reading of a one-shot body can have filled its memory meanwhile.
    if (home.body !== null && home.body !== undefined && !this.#life.body.isReplayable()) {
      const { attempt } = this.#life;
      attempt.decision = { kind: 'give-up', reason: 'body-not-replayable' };
      this.#giveUp('body-not-replayable', attempt.failure!, undefined);
      return;
    }
    this.#life.beginAttempt(decision.kind === 'resume' ? decision.fromByte : undefined);
    const options = this.#plan === undefined ? home : resumeRequest(home, this.#plan, reader!.representation!);
    this.#send(options, decision.kind === 'retry' && decision.onFreshConnection ? 'fresh' : 'pooled');
  }

  /** A redirect is followed again from the original URL: signed URLs expire, and a broken mirror may be replaced. */
  #startAgainFrom(): DispatchOptions {
    const { home } = this.#life;
    const isSameRequest = home.method === 'GET' && this.#options.method === 'GET';
    if (this.#isBehindRedirect && isSameRequest) {
      this.#follows = true;
      return home;
    }
    // Once the consumer has the headers of the final answer, a redirect can only be meant for us.
    if (this.#reader !== undefined) this.#follows = true;
    return this.#options;
  }

  #giveUp(reason: Parameters<typeof errorFor>[0], failure: Failure, error: unknown): void {
    const { ledger } = this.#life;
    const place = { atByte: this.#reader?.atByte ?? 0, totalBytes: this.#reader?.endByte };
    const { attempt } = this.#life;
    attempt.failure ??= failure;
    attempt.decision ??= { kind: 'give-up', reason };
    if (this.#life.isWatched) this.#life.emit({ type: 'give-up', reason, failure });
    this.#close();
    this.#life.end('failed');
    this.#sink.onError(errorFor(reason, failure, error, ledger, place, this.#life.nowMs));
  }

  /** Nothing is left behind: no timer, no watch, no hop. */
  #close(): void {
    this.#isDone = true;
    if (this.#reader !== undefined) this.#life.attempt.newBytes = this.#newBytes();
    this.#watch.stop();
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#isEnding) this.#reader?.codingCheck?.stop();
    this.#hop?.kill();
  }

  // Events.

  #emitResponse(hop: HopHandler, status: number): void {
    const reused = hop.connection === undefined ? {} : { reusedConnection: hop.connection.isReused };
    this.#life.emit({ type: 'response', status, ...reused });
  }

  #emitFailure(failure: Failure): void {
    const total = this.#reader?.endByte;
    const place = { atByte: this.#reader?.atByte ?? 0, ...(total === undefined ? {} : { totalBytes: total }) };
    this.#life.emit({ type: 'failure', failure, ...place });
  }

  #emitHealed(): void {
    if (!this.#life.isWatched) return;
    const how = this.#plan?.kind === 'overlap' ? 'overlap' : this.#reader!.rangesFail ? 'reread' : 'range';
    this.#life.emit({ type: 'healed', atByte: this.#reader!.atByte, how });
  }
}
