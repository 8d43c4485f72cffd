/**
 * One request's way through the gateway: takes the steps that its course through the pool decides, and hands one answer, or
 * none, to the client. It holds no policy.
 *
 * It is long because it is one state machine over two ends that may break at any time; what needs only one of them lives
 * beside it: the client's answer, the stream's gate, the attempt.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Failure,
  freshState,
  isRepeatable,
  type Attempt as LedgerAttempt,
  type Outcome,
  parseDuration,
} from '../core/index.ts';
import { type DispatchOptions, type KeptBody, type RawHeaders, sendAttempt } from '../http/index.ts';
import type { Course, CourseStep, PoolEvent } from '../pool/index.ts';
import { NOT_WATCHED, type Timer, type Watched } from '../runtime/index.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { ClientAnswer } from './client-answer.ts';
import type { GatewayUpstream } from './config.ts';
import { type AnswerFields, type ClientFields, fieldsFor, readAnswerFields, readClientFields } from './fields.ts';
import { errorFrame, keepAliveComment, type ToldError } from './model-api.ts';
import { ModelRequest } from './model-request.ts';
import { bodyOf, headersOf, type Refusal, refusalOf, refuse } from './refusal.ts';
import { type BodyTaker, hasBody, type ReceivedBody, receiveBody } from './request-body.ts';
import { type Listed, NOT_LISTED } from './roster.ts';
import type { Route } from './routes.ts';
import type { PoolSite, Site, Snapshot } from './site.ts';
import { silence } from './stream-gate.ts';
import { faultOf, parseTarget, type Target } from './target.ts';

/** How a request ended, for the log and the metrics. */
export type PassageOutcome = 'complete' | 'status' | 'refused' | 'failed' | 'broken' | 'client-left';

export interface PassageSite extends Site {
  /** Upstreams hear nothing of the client's connection (`X-Forwarded-…`): it is this machine's own business. */
  readonly isSilentOnClients?: boolean;
  onEvent(passage: Passage, event: PoolEvent): void;
  onEnd(passage: Passage): void;
}

/** Of what an upstream said, kept for markers of its class. */
const MAX_TOLD_CHARACTERS = 2_048;

type Step = CourseStep<GatewayUpstream> & { readonly kind: 'attempt' };

export class Passage implements Watched, Listed, AttemptOwner, BodyTaker {
  readonly #site: PassageSite;
  readonly #snapshot: Snapshot;
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly answer: ClientAnswer;
  readonly startedAtMs: number;
  target: Target | undefined;
  keptBytes = 0;
  #body: ReceivedBody = { kind: 'none' };
  #asked: ModelRequest | undefined;
  #wantsStream = false;
  #route: Route | undefined;
  pool: PoolSite | undefined;
  #fields: ClientFields | undefined;
  readonly #kept: KeptBody = { body: undefined };
  course: Course<GatewayUpstream> | undefined;
  #deadlineAtMs: number | undefined;
  #timer: Timer | undefined;
  #attempt: Attempt | undefined;
  #isAdvancing = false;
  #mustAdvance = false;
  sweepIndex = NOT_WATCHED;
  rosterIndex = NOT_LISTED;
  #heldSinceMs = 0;
  outcome: PassageOutcome | undefined;
  failure: Failure | undefined;
  refusal: Refusal | undefined;
  upstream: string | undefined;

  constructor(site: PassageSite, snapshot: Snapshot, request: IncomingMessage, response: ServerResponse) {
    this.#site = site;
    this.#snapshot = snapshot;
    this.request = request;
    this.#response = response;
    this.startedAtMs = site.clock.nowMs();
    this.#heldSinceMs = this.startedAtMs;
    this.answer = new ClientAnswer(response, site.clock);
  }

  begin(): void {
    const { request } = this;
    this.#response.on('close', this.#onClose);
    const fault = faultOf(request);
    if (fault !== undefined) {
      this.#refuse(fault);
      return;
    }
    this.target = parseTarget(request);
    if (this.target === undefined) {
      this.#refuse(refuse(400, 'invalid-target', 'the request target is not a path of this gateway'));
      return;
    }
    if (!hasBody(request)) {
      this.#route = this.#findRoute(undefined);
      this.#enter();
      return;
    }
    receiveBody(request, this.#site.limits, this.#site.memory, this);
  }

  onBody(received: ReceivedBody | Refusal): void {
    if (this.outcome !== undefined) return;
    if ('status' in received) this.#refuse(received);
    else this.#received(received);
  }

  /** More requests run than may. */
  turnAway(): void {
    this.#response.on('close', this.#onClose);
    this.#refuse(refuse(503, 'too-many-requests', 'the gateway has as many requests as it may: try again', 1_000));
  }

  #received(body: ReceivedBody): void {
    this.#body = body;
    const { readsModels } = this.#snapshot;
    const asked = new ModelRequest(this.request, this.target!.path, body, readsModels);
    this.#asked = asked;
    this.#route = this.#findRoute(readsModels ? asked.model : undefined);
    this.#enter();
  }

  #findRoute(model: string | undefined): Route | undefined {
    const { method = 'GET', headers } = this.request;
    const { host, path } = this.target!;
    const facts = { host, path, method, headers, model };
    for (const route of this.#snapshot.routes) if (route.fits(facts)) return route;
    return undefined;
  }

  /** The request is known; its way through the pool begins. */
  #enter(): void {
    const route = this.#route;
    if (route === undefined) {
      this.#refuse(refuse(404, 'no-route', 'no route of the gateway fits this request'));
      return;
    }
    const pool = this.#snapshot.pools.get(route.pool)!;
    if (pool.inFlight >= pool.settings.maxRequests) {
      this.#refuse(refuse(503, 'pool-full', `the pool ${route.pool} has as many requests as it may: try again`, 1_000));
      return;
    }
    this.pool = pool;
    pool.inFlight += 1;
    this.#describe(route);
    const { method = 'GET' } = this.request;
    const { path } = this.target!;
    this.course = pool.pool.begin({
      operation: `${method} ${path}`,
      method,
      target: this.target!.target,
      deadlineAtMs: this.#deadlineAtMs,
      isRepeatable: () => this.isRepeatable(),
      isReplayable: () => this.#body.kind !== 'stream' || (this.#kept.body?.isReplayable() ?? true),
      mayUse: undefined,
      onEvent: this.#onEvent,
      classify: pool.classify,
      failoverOn: pool.failoverOn,
    });
    if (this.#wantsStream) this.#site.sweep.add(this);
    this.#advance();
  }

  #describe(route: Route): void {
    const { headers, rawHeaders, socket } = this.request;
    this.#asked?.goesBy(route);
    this.#wantsStream = this.#asked?.wantsStream === true;
    const place = { address: socket.remoteAddress ?? '', host: headers.host ?? '', isSecure: 'encrypted' in socket };
    const told = this.#site.isSilentOnClients === true ? undefined : place;
    this.#fields = readClientFields(rawHeaders, headers.connection, told);
    const { settings } = this.pool!;
    const asked = headers['x-reknit-timeout'];
    const askedMs = typeof asked === 'string' ? parseDuration(asked) : undefined;
    const deadlineMs = Math.min(settings.deadlineMs ?? Number.POSITIVE_INFINITY, askedMs ?? Number.POSITIVE_INFINITY);
    this.#deadlineAtMs = Number.isFinite(deadlineMs) ? this.startedAtMs + deadlineMs : undefined;
  }

  // Steps.

  /** One loop, no recursion: an attempt may fail before it has begun. */
  #advance(): void {
    this.#mustAdvance = true;
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (this.#mustAdvance && this.outcome === undefined) {
      this.#mustAdvance = false;
      this.#obey(this.course!.next());
    }
    this.#isAdvancing = false;
  }

  #obey(step: CourseStep<GatewayUpstream>): void {
    switch (step.kind) {
      case 'attempt':
        this.#try(step);
        return;
      case 'wait':
        this.#timer = this.#site.clock.after(step.delayMs, () => this.#advance());
        return;
      case 'give-up':
        this.#refuse(refusalOf(step.error));
    }
  }

  #try(step: Step): void {
    const course = this.course!;
    const { pool, settings, rules } = this.pool!;
    const { isLastCandidate, startedAtMs } = step;
    const deadlineAtMs = this.#deadlineAtMs;
    const hasAllTime = isLastCandidate && deadlineAtMs !== undefined;
    const attempt = new Attempt(this, {
      startedAtMs,
      isLastCandidate,
      stream: settings.stream,
      asked: this.#asked,
      clock: this.#site.clock,
      kept: this.#body.kind === 'stream' ? this.#kept : undefined,
      headersMs: hasAllTime ? Math.max(0, deadlineAtMs - startedAtMs) : undefined,
    });
    this.#attempt = attempt;
    this.upstream = step.upstream.name;
    const operation = { ledger: course.ledger, state: freshState, deadlineAtMs, above: attempt };
    sendAttempt(step.upstream.client ?? pool.client, operation, rules, this.#wireFor(step.upstream.value), attempt);
  }

  #wireFor(upstream: GatewayUpstream): DispatchOptions {
    const { path, query } = this.target!;
    const strip = this.#route!.stripPrefix;
    const own = strip !== undefined && path.startsWith(strip) ? path.slice(strip.length) || '/' : path;
    const search = upstream.query === '' || query === '' ? upstream.query + query : `${upstream.query}&${query}`;
    const headers = fieldsFor(this.#fields!, upstream, this.#wantsStream);
    return {
      origin: upstream.origin,
      path: `${upstream.root}${own}${search === '' ? '' : `?${search}`}`,
      method: (this.request.method ?? 'GET') as DispatchOptions['method'],
      headers,
      body: this.#bodyFor(upstream, headers) as never,
    };
  }

  #bodyFor({ model }: GatewayUpstream, headers: string[]): unknown {
    const body = this.#body;
    switch (body.kind) {
      case 'none':
        return null;
      case 'whole':
        return (model === undefined ? undefined : this.#asked?.withModel(model)) ?? body.bytes;
      case 'stream':
        if (body.lengthBytes !== undefined) headers.push('content-length', String(body.lengthBytes));
        return body.source;
    }
  }

  // What an attempt tells.

  tellAttempt(attempt: LedgerAttempt): void {
    this.course!.tellAttempt(attempt);
  }

  /** Sending it again does no harm. */
  isRepeatable(): boolean {
    const { method = 'GET', headers } = this.request;
    const hasIdempotencyKey = headers['idempotency-key'] !== undefined;
    const declared = this.#route!.repeatable;
    return isRepeatable({ method, declared, hasIdempotencyKey }) || (declared ?? this.#asked?.isInference === true);
  }

  /** A client that was told of a stream can be given no other status any more. */
  refuses(failure: Failure): boolean {
    return this.answer.isStarted || !this.course!.isFinal(failure);
  }

  /** Whether the answer is a stream whose events must be read. */
  isUnderstood(status: number, fields: AnswerFields): boolean {
    const isStream = fields.contentType?.toLowerCase().startsWith('text/event-stream') === true;
    return isStream && status === 200 && !fields.isEncoded && this.#asked?.api !== undefined;
  }

  readAnswer(raw: RawHeaders): AnswerFields {
    return readAnswerFields(raw);
  }

  /** From here on the client sees this answer and no other. */
  commit(status: number, fields: AnswerFields): void {
    this.course!.answered();
    this.#stopHolding();
    if (this.answer.isStarted) return;
    const hasBody = this.request.method !== 'HEAD' && status !== 204 && status !== 304;
    const { passed } = fields;
    this.#addOwnFields(passed);
    this.answer.start({ status, fields: passed, isUnmarked: fields.isUnmarked && hasBody });
  }

  #addOwnFields(fields: string[]): void {
    const { course, upstream } = this;
    if (course === undefined) return;
    fields.push('x-reknit-attempts', String(course.ledger.attemptCount), 'x-reknit-rounds', String(course.roundNumber));
    if (upstream !== undefined) fields.push('x-reknit-upstream', upstream);
  }

  complete(outcome: Outcome): void {
    if (this.outcome !== undefined) return;
    const failure = this.course!.ledger.attempts.at(-1)?.failure;
    if (outcome === 'status' && failure !== undefined) {
      this.failure = failure;
      this.course!.handedOn(failure);
      this.#end('status');
    } else {
      this.course!.succeeded();
      this.#end('complete');
    }
    this.answer.end();
  }

  isLastWord(text: string): boolean {
    const course = this.course!;
    const attempt = course.ledger.attempts.at(-1);
    const failure = attempt?.failure;
    if (this.outcome !== undefined || attempt === undefined || failure === undefined) return true;
    attempt.answerText = text.slice(0, MAX_TOLD_CHARACTERS);
    if (course.isFinal(failure)) return true;
    this.failed(undefined, failure);
    return false;
  }

  /** The attempt failed before the client has seen anything of it. */
  failed(error: unknown, failure: Failure | undefined): void {
    if (this.outcome !== undefined) return;
    this.course!.failed(error, failure);
    this.#advance();
  }

  /** The client has seen a part: nobody else's answer can take its place. */
  brokenOff(failure: Failure | undefined, words: string | undefined): void {
    if (this.outcome !== undefined) return;
    this.failure = failure;
    this.course!.brokenOff(failure, 'live-body');
    this.#end('broken');
    const { answer } = this;
    if (this.#asked === undefined || !this.#attempt!.isUnderstood) answer.cut();
    else answer.cutAfter(words ?? this.#errorFrame(failure?.what ?? 'the upstream broke off', 'upstream_broke_off'));
  }

  #errorFrame(message: string, code: string): string {
    return errorFrame(this.#asked!.api!, { message, code });
  }

  /** A stream's first word is an error: it becomes a status, or goes elsewhere. */
  toldOfError(failure: Failure, told: ToldError): void {
    if (this.outcome !== undefined) return;
    const course = this.course!;
    const attempt = course.ledger.attempts.at(-1);
    if (attempt !== undefined) attempt.answerText = told.text.slice(0, MAX_TOLD_CHARACTERS);
    if (!course.isFinal(failure)) {
      this.failed(undefined, failure);
      return;
    }
    this.failure = failure;
    course.handedOn(failure);
    this.#answerWith({ status: told.status, code: 'upstream_error', message: told.message }, 'status', told.text);
  }

  // Ends.

  #refuse(refusal: Refusal): void {
    this.refusal = refusal;
    this.#answerWith(refusal, this.course === undefined ? 'refused' : 'failed');
  }

  #answerWith(refusal: Refusal, outcome: PassageOutcome, asItCame?: string): void {
    const { answer } = this;
    this.#end(outcome);
    if (answer.isEnded || this.#response.destroyed) return;
    if (answer.isStarted) {
      answer.cutAfter(this.#errorFrame(refusal.message, refusal.code));
      return;
    }
    const body = asItCame ?? bodyOf(refusal, this.#asked?.api);
    const fields = headersOf(refusal, body);
    this.#addOwnFields(fields);
    // What the client still sends is not read: its connection cannot serve again.
    if (!this.request.complete && this.#body.kind !== 'whole') fields.push('connection', 'close');
    answer.start({ status: refusal.status, fields, isUnmarked: false });
    answer.end(this.request.method === 'HEAD' ? undefined : body);
  }

  #end(outcome: PassageOutcome): void {
    this.outcome ??= outcome;
    this.#timer?.cancel();
    this.#stopHolding();
  }

  /** The client has gone, or has everything. */
  readonly #onClose = (): void => {
    if (this.outcome === undefined) {
      this.#end('client-left');
      this.#attempt?.leave();
      this.course?.cancelled();
    } else if (!this.answer.isEnded) this.#attempt?.leave();
    this.#kept.body?.release();
    this.#site.memory.giveBack(this.keptBytes);
    if (this.pool !== undefined) this.pool.inFlight -= 1;
    this.#site.onEnd(this);
  };

  /** Ends it from this side: the gateway shuts down. */
  shutDown(): void {
    if (this.outcome !== undefined) return;
    this.#attempt?.leave();
    this.course?.cancelled();
    const refusal = refuse(503, 'gateway_shutting_down', 'the gateway is shutting down: try again', 1_000);
    if (this.answer.isStarted && !(this.#attempt?.isUnderstood ?? this.#wantsStream)) {
      this.#end('broken');
      this.answer.cut();
    } else this.#answerWith(refusal, this.answer.isStarted ? 'broken' : 'failed');
  }

  // A stream that is held back.

  check(nowMs: number): void {
    const attempt = this.#attempt;
    if (!this.answer.isStarted || attempt?.isCommitted !== true) this.#keepAlive(nowMs);
    attempt?.check(nowMs);
  }

  #keepAlive(nowMs: number): void {
    const { holdMs } = this.pool!.settings.stream;
    if (nowMs - this.#heldSinceMs < holdMs) return;
    this.#heldSinceMs = nowMs;
    if (!this.answer.isStarted) {
      const fields = ['content-type', 'text/event-stream; charset=utf-8', 'cache-control', 'no-cache'];
      this.#addOwnFields(fields);
      this.answer.start({ status: 200, fields, isUnmarked: false });
    }
    this.answer.write(keepAliveComment);
  }

  /** Its clocks go on until it has ended. */
  #stopHolding(): void {
    if (this.outcome !== undefined) this.#site.sweep.delete(this);
  }

  readonly #onEvent = (event: PoolEvent): void => this.#site.onEvent(this, event);

  /** An attempt that is silent for too long while another upstream could use the time. */
  tooSlow(afterMs: number): Failure {
    return silence(`no model output within ${afterMs} ms`);
  }
}
