/**
 * One dispatch, healed: takes hops to the wire, watches them, joins their bodies, and obeys the decisions of core.
 * It holds no policy. All of it is driven by events; a repeat always starts on a fresh stack.
 *
 * It is long because it is one state machine: every event may come in every state, and its fields change together. What
 * needs only some of them lives beside it: splice (bytes), attempt-limits (clocks), discard (answers nobody reads).
 */
import {
  badResume,
  changedFailure,
  checkResume,
  type Decision,
  type Delivery,
  deadlineFailure,
  errorFor,
  type Failure,
  type Hop,
  MAX_BAD_RESUMES,
  MAX_REDIRECTS,
  parseLength,
  parsePushback,
  type ResumePlan,
  type ResumeVerdict,
  redactUrl,
  type Step,
  statusVerdict,
  unreadableBody,
} from '../core/index.ts';
import type { Clock, Timer } from '../runtime/index.ts';
import { attemptLimits } from './attempt-limits.ts';
import { discard, discardAnswer } from './discard.ts';
import { alarmFailure, codingFailure, hopFailure, redirectFailure, withMark } from './failures.ts';
import { HopHandler, type HopListener } from './hop-handler.ts';
import { isRedirect, redirectRequest, resumeRequest, withBody, withIdempotencyKey } from './hop-request.ts';
import type { Life } from './life.ts';
import { framingOf, Reader } from './reader.ts';
import type { RequestBody } from './request-body.ts';
import { type PickedFields, pickFields, type RawHeaders } from './response-fields.ts';
import type { Sink, SinkControl } from './sink.ts';
import { Splice } from './splice.ts';
import type { DispatchOptions, HopRoute } from './transport.ts';
import { AttemptWatch, type WatchAlarm, type Watchee, type WatchLimits } from './watch.ts';

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
  /** How the bytes of the current hop go on where the reader stands; undefined until its headers have come. */
  #splice: Splice | undefined;
  #attemptStartByte = 0;
  #reader: Reader | undefined;
  #timer: Timer | undefined;
  #isDone = false;
  #isEnding = false;
  #endsWithStatus = false;
  /** The server has said that it answers this over HTTP/1.1 only (RFC 9113, 7: HTTP_1_1_REQUIRED). */
  #needsHttp1 = false;
  #isSinkFull = false;
  #isDecoderFull = false;

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
    if (this.#life.deadlineAtMs !== undefined) this.#life.deadlineListener = this;
    // Between two dispatches of one request (`fetch` follows a redirect above us) nobody heard it.
    if (this.#life.isPastDeadline) this.onDeadline();
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

  #onDecoderRoom(): void {
    if (!this.#isDecoderFull) return;
    this.#isDecoderFull = false;
    if (!this.isPaused) this.#hop?.resume();
  }

  abort(reason: unknown): void {
    if (this.#isDone) return;
    this.#close();
    this.#life.end('aborted');
    this.#sink.onError(
      reason ?? Object.assign(new Error('Request aborted'), { code: 'UND_ERR_ABORTED', name: 'AbortError' }),
    );
  }

  get #clock(): Clock {
    return this.#life.shared.runtime.clock;
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
      if (produced.body !== options.body || produced.contentType !== undefined)
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
    const record = ledger.addHop(attempt, this.#life.urlOf(this.#wire), nowMs, fromByte);
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
      pushbackMs: parsePushback(status === 429 ? fields : withoutRateLimit(fields), runtime.clock.wallMs()),
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
      discardAnswer(hop, fields, this.#life.attempt, this.#clock, () => {});
      return false;
    }
    if (this.#life.isRefused(verdict)) {
      this.#watch.stop();
      discardAnswer(hop, fields, this.#life.attempt, this.#clock, (text) => {
        if (!this.#isDone) this.#obey(verdict, step, text === '' ? undefined : new Error(`the server said: ${text}`));
      });
      return false;
    }
    this.#accept(verdict, step);
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
      discard(hop, fields, this.#clock);
      this.#fail(changedFailure(true, `the answer was HTTP ${before.status} and is now HTTP ${status}`), undefined);
      return true;
    }
    before.codingCheck?.stop();
    this.#reader = reader;
    this.#splice = Splice.first(reader);
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
    this.#splice = Splice.first(reader);
    this.#attemptStartByte = reader.atByte;
    if (reader.representation?.isLive === true) this.#watch.stop();
    if (!this.#sink.onHeaders(status, headers, statusText)) this.#isSinkFull = true;
    return !this.isPaused;
  }

  // Redirects.

  #redirect(hop: HopHandler, status: number, fields: PickedFields): boolean {
    this.#redirects += 1;
    const next = redirectRequest(this.#wire, status, fields.location!);
    discard(hop, fields, this.#clock);
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

  // Resumes.

  #judgeResume(hop: HopHandler, status: number, fields: PickedFields): boolean {
    const reader = this.#reader!;
    const verdict = checkResume(reader.representation!, this.#plan!, reader.atByte, status, fields);
    switch (verdict.kind) {
      case 'join':
        reader.framing = framingOf(fields);
        this.#splice = Splice.part(reader, verdict, () => this.#emitHealed());
        return !this.isPaused;
      case 'reread':
        return this.#reread(hop, fields, verdict);
      case 'complete':
        discard(hop, fields, this.#clock);
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
    discard(hop, fields, this.#clock);
    this.#fail(failure, undefined);
    return true;
  }

  #reread(hop: HopHandler, fields: PickedFields, verdict: ResumeVerdict & { readonly kind: 'reread' }): boolean {
    const reader = this.#reader!;
    if (!verdict.isProven && reader.memory === undefined)
      return this.#refuse(hop, fields, changedFailure(false, 'the ETag is gone'));
    reader.framing = framingOf(fields);
    // The server does not do ranges for this one; asking again would only cost another answer.
    reader.rangesFail = true;
    this.#splice = Splice.reread(reader, verdict, () => this.#emitHealed());
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
    const taken = this.#splice!.take(received);
    switch (taken.kind) {
      case 'deliver':
        return this.#deliver(hop, reader, taken.chunk);
      case 'known':
        return true;
      case 'surplus':
        this.#cutAtEnd(hop);
        return true;
      case 'refuse':
        hop.kill();
        this.#fail(taken.failure, undefined);
        return true;
    }
  }

  #deliver(hop: HopHandler, reader: Reader, chunk: Buffer): boolean {
    const isLast = reader.endByte !== undefined && reader.atByte + chunk.length >= reader.endByte;
    // Behind the last byte nothing is left to join, once it is known to be the last.
    if (!isLast || this.#splice!.mustEndInTime) reader.memory?.add(chunk);
    if (reader.codingCheck?.feed(chunk, () => this.#onDecoderRoom()) === false) this.#isDecoderFull = true;
    reader.atByte += chunk.length;
    this.#life.ledger.deliveredBytes += chunk.length;
    if (!this.#sink.onData(chunk)) this.#isSinkFull = true;
    if (isLast && this.#splice!.bringsMore && !this.#isDone) this.#cutAtEnd(hop);
    return !this.isPaused;
  }

  /** The hop would bring more than was asked for: the caller has it all. */
  #cutAtEnd(hop: HopHandler): void {
    hop.kill();
    this.#complete([], 'length');
  }

  // Ends.

  onHopEnd(hop: HopHandler, trailers: RawHeaders): void {
    const proof = this.#splice!.proveEnd(this.#hopRecord?.status, hop.connection);
    if (typeof proof === 'object') this.#fail(proof, undefined);
    else this.#complete(trailers, proof);
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
    if (this.#reader!.framing !== 'none') ledger.integrity = this.#reader!.hasOverlapped ? 'unverifiable' : integrity;
    attempt.newBytes = this.#newBytes();
    if (!this.#endsWithStatus) this.#life.shared.transport.wentWell(String(this.#wire.origin));
    this.#close();
    const { nowMs } = this.#life;
    attempt.endedAtMs = nowMs;
    if (!this.#life.staysOpen(this.#reader!.status))
      this.#life.end(this.#endsWithStatus ? 'status' : 'complete', nowMs);
    this.#sink.onEnd(trailers);
  }

  // Failures.

  onHopError(hop: HopHandler, error: Error): void {
    if (this.#isDone || this.#isEnding) return;
    if (this.#splice?.hasAll === true) {
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
    const { body } = this.#wire;
    const hasBody = body !== null && body !== undefined;
    return attemptLimits(phase, { life: this.#life, hop: this.#hop, reader: this.#reader, hasBody });
  }

  onAlarm(alarm: WatchAlarm): void {
    const hop = this.#hop;
    hop?.kill();
    if (this.#splice?.hasAll === true) {
      this.#complete([], 'length');
      return;
    }
    const { failure, error } = alarmFailure(alarm);
    this.#fail(failure, error);
  }

  onDeadline(): void {
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
      isCrowded: this.#isCrowded(),
    });
  }

  #accept(failure: Failure, step: Step): void {
    if (step.wantsFewer) this.#life.shared.transport.slowDown(String(this.#wire.origin));
    this.#life.accept(failure, step);
  }

  #isCrowded(): boolean {
    return this.#hop !== undefined && this.#life.shared.transport.isCrowded(String(this.#wire.origin), this.#hop);
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
    this.#accept(failure, step);
    if (decision.kind === 'give-up') {
      this.#giveUp(decision.reason, failure, error);
      return;
    }
    this.#isEnding = false;
    this.#timer = this.#life.shared.runtime.clock.after(decision.delayMs, () => this.#repeat(decision));
  }

  #repeat(decision: Exclude<Decision, { readonly kind: 'give-up' }>): void {
    this.#timer = undefined;
    if (this.#isDone) return;
    const reader = this.#reader;
    this.#plan = decision.kind === 'resume' ? decision.plan : undefined;
    this.#splice = undefined;
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
    this.#send(options, this.#routeAgain(decision));
  }

  /** Sessions of HTTP/2 may go on taking streams that they never send, once one on them has failed. */
  #routeAgain(decision: Decision): HopRoute {
    if (this.#life.ledger.attempts.at(-2)?.failure?.kind === 'h2-needs-http1') this.#needsHttp1 = true;
    if (this.#needsHttp1) return 'fresh-http1';
    const isFresh = decision.kind === 'retry' && decision.onFreshConnection;
    return isFresh || this.#hop?.connection?.isHttp2 === true ? 'fresh' : 'pooled';
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

/** A server that is down may still count: its limit says nothing about when it is up again. */
function withoutRateLimit(fields: PickedFields): PickedFields {
  if (fields.rateLimitReset === undefined) return fields;
  const { rateLimitReset: _reset, ...others } = fields;
  return others;
}
