/** One client's request at the mirror: which origin it is for, what it is to it, and its answer. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { failureOf, IntegrityError, redactUrl } from '../core/index.ts';
import {
  bodyOf,
  ClientAnswer,
  faultOf,
  headersOf,
  type Limits,
  type Memory,
  Passage,
  parseTarget,
  type Refusal,
  refusalOf,
  refuse,
  type Snapshot,
  type Target,
} from '../gateway/index.ts';
import type { Clock, Sweep } from '../runtime/index.ts';
import { type Contents, readDocument } from './contents.ts';
import { deliver } from './deliver.ts';
import { first, type Head, type HeaderRecord, passedFields } from './head.ts';
import { HeldVisit } from './held.ts';
import type { MirrorEvent, MirrorListener } from './options.ts';
import type { Origin } from './origin.ts';
import type { ContentPlan, Plan } from './plan.ts';
import type { Rewrites } from './rewrites.ts';

export interface VisitSite {
  readonly clock: Clock;
  readonly sweep: Sweep;
  readonly limits: Limits;
  readonly memory: Memory;
  readonly snapshot: Snapshot;
  readonly origins: readonly Origin[];
  readonly contents: Contents;
  readonly rewrites: Rewrites;
  readonly onEvent: MirrorListener | undefined;
  /** Only this machine is served. */
  readonly isLoopback: boolean;
  status(): object;
  onEnd(visit: Visit): void;
}

type RequestEvent = MirrorEvent & { readonly type: 'request' };

export class Visit {
  readonly #site: VisitSite;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #answer: ClientAnswer;
  readonly #startedAtMs: number;
  readonly #gone = new AbortController();
  #origin: Origin | undefined;
  #target: Target | undefined;
  #outcome: RequestEvent['outcome'] = 'client-left';
  #from = 'none';
  #hasEnded = false;

  constructor(site: VisitSite, request: IncomingMessage, response: ServerResponse) {
    this.#site = site;
    this.#request = request;
    this.#response = response;
    this.#answer = new ClientAnswer(response, site.clock);
    this.#startedAtMs = site.clock.nowMs();
  }

  begin(): void {
    this.#response.on('close', () => {
      this.#gone.abort(new Error('the client has gone'));
      // A passage tells by itself when it is over.
      if (this.#from !== 'passed') this.#end();
    });
    this.#run().catch((error: unknown) => this.#refuse(refusalFor(error)));
  }

  async #run(): Promise<void> {
    const fault = faultOf(this.#request);
    if (fault !== undefined) {
      this.#refuse(fault);
      return;
    }
    const target = parseTarget(this.#request);
    this.#target = target;
    if (target === undefined || /^https?:/i.test(this.#request.url ?? '')) {
      this.#refuse(refuse(400, 'invalid-target', 'the request target is not a path of this mirror'));
      return;
    }
    const strange = strangerIn(this.#request, target, this.#site.isLoopback);
    if (strange !== undefined) {
      this.#refuse(strange);
      return;
    }
    if (target.path === '/~status') {
      this.#tellStatus();
      return;
    }
    const origin = this.#site.origins.find(
      ({ prefix }) => target.path === prefix || target.path.startsWith(`${prefix}/`),
    );
    if (origin === undefined) {
      const known = this.#site.origins.map(({ prefix }) => `${prefix}/`).join(', ');
      this.#refuse(refuse(404, 'no-origin', `nothing is mirrored there: what is, is below ${known}`));
      return;
    }
    this.#origin = origin;
    const { method = 'GET', headers } = this.#request;
    const path = target.path.slice(origin.prefix.length) || '/';
    const plan = await origin.preset.plan({ method, path, query: target.query, headers }, origin);
    await this.#obey(plan, origin);
  }

  async #obey(plan: Plan, origin: Origin): Promise<void> {
    switch (plan.kind) {
      case 'refuse':
        this.#refuse(plan.refusal);
        return;
      case 'pass':
        this.#pass();
        return;
      case 'answer':
        this.#tellHead(plan.status, plan.headers);
        return;
      case 'held':
        this.#from = 'held';
        await new HeldVisit(this.#site, origin, this.#request, this.#answer, this.#gone.signal).run(
          this.#pathAtUpstream(origin),
        );
        this.#outcome = 'complete';
        return;
      case 'content':
        // What is only looked at is not fetched for it.
        if (this.#request.method === 'HEAD' && plan.content.place.kind === 'path' && plan.content.role === 'artifact')
          this.#pass();
        else if (plan.content.role === 'index') await this.#sendIndex(plan.content, origin);
        else await this.#sendArtifact(plan.content, origin);
    }
  }

  #tellStatus(): void {
    const body = `${JSON.stringify(this.#site.status())}\n`;
    this.#outcome = 'complete';
    this.#answer.start({ status: 200, fields: ['content-type', 'application/json'], isUnmarked: false });
    this.#answer.end(this.#request.method === 'HEAD' ? undefined : body);
  }

  #tellHead(status: number, headers: HeaderRecord): void {
    const fields = passedFields({ status, headers, lengthBytes: undefined, url: '' });
    const length = first(headers, 'content-length');
    if (length !== undefined) fields.push('content-length', length);
    this.#outcome = 'complete';
    this.#answer.start({ status, fields, isUnmarked: false });
    this.#answer.end();
  }

  #pathAtUpstream(origin: Origin): string {
    const { path, query } = this.#target!;
    return `${path.slice(origin.prefix.length + origin.preset.mount.length) || '/'}${query === '' ? '' : `?${query}`}`;
  }

  /** The gateway's own way: hop by hop fields, credentials, bodies, failover, healing. */
  #pass(): void {
    this.#from = 'passed';
    const { clock, sweep, limits, memory, snapshot } = this.#site;
    const site = {
      ...{ clock, sweep, limits, memory, isSilentOnClients: true, onEvent: () => {} },
      onEnd: ({ outcome, answer }: Passage) => {
        this.#outcome =
          outcome === 'broken' || outcome === 'client-left' || outcome === 'refused' ? outcome : 'complete';
        this.#end(answer);
      },
    };
    new Passage(site, snapshot, this.#request, this.#response).begin();
  }

  async #sendArtifact(plan: ContentPlan, origin: Origin): Promise<void> {
    const content = await this.#site.contents.obtain(origin, plan, this.#request);
    const { signal } = this.#gone;
    const delivered = await deliver({ request: this.#request, answer: this.#answer, content, signal });
    this.#from = content.from;
    this.#outcome = delivered;
  }

  async #sendIndex(plan: ContentPlan, origin: Origin): Promise<void> {
    const content = await this.#site.contents.obtain(origin, plan, this.#request);
    const document = await readDocument(content);
    const { from } = content;
    this.#from = from;
    if (this.#gone.signal.aborted) return;
    const isFound = document.status === 200 && plan.rewrite !== undefined;
    const { bytes, contentType } = isFound
      ? this.#site.rewrites.of(document, plan.rewrite!, this.#base(origin), origin)
      : document;
    const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
    const { status, headers, url } = document;
    const head: Head = { status, headers, lengthBytes: bytes.length, url };
    const fields = passedFields(head, notOfTheRewritten);
    if (contentType !== '') fields.push('content-type', contentType);
    fields.push('x-reknit-cache', from);
    this.#outcome = 'complete';
    if (status === 200) fields.push('etag', etag);
    if (status === 200 && hasVersion(this.#request, etag)) {
      this.#answer.start({ status: 304, fields, isUnmarked: false });
      this.#answer.end();
      return;
    }
    fields.push('content-length', String(bytes.length));
    this.#answer.start({ status, fields, isUnmarked: false });
    if (this.#request.method !== 'HEAD') this.#answer.write(bytes);
    this.#answer.end();
  }

  /** Where this client sees the origin: links must lead it back the way it came. */
  #base(origin: Origin): string {
    const { host } = this.#request.headers;
    return `http://${host}${origin.prefix}`;
  }

  #refuse(refusal: Refusal): void {
    const answer = this.#answer;
    if (this.#outcome === 'client-left') this.#outcome = 'refused';
    if (answer.isEnded || this.#response.destroyed) return;
    if (answer.isStarted) {
      answer.cut();
      return;
    }
    const body = bodyOf(refusal, undefined);
    const fields = headersOf(refusal, body);
    if (!this.#request.complete) fields.push('connection', 'close');
    answer.start({ status: refusal.status, fields, isUnmarked: false });
    answer.end(this.#request.method === 'HEAD' ? undefined : body);
  }

  #end(answer = this.#answer): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#site.onEvent?.({
      type: 'request',
      origin: this.#origin?.name,
      method: this.#request.method ?? 'GET',
      target: redactUrl(this.#target?.target ?? ''),
      status: answer.status,
      bytes: answer.bytes,
      durationMs: this.#site.clock.nowMs() - this.#startedAtMs,
      outcome: this.#outcome,
      from: this.#from,
    });
    this.#site.onEnd(this);
  }
}

/** A page in a browser of this machine is not its user: neither by a name of its own for us, nor by our address. */
function strangerIn({ method, headers }: IncomingMessage, { host }: Target, isLoopback: boolean): Refusal | undefined {
  const isOurs = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
  if (isLoopback && !isOurs)
    return refuse(421, 'foreign-host', 'this mirror serves its own machine, by its loopback names only');
  const isCrossSite = headers['sec-fetch-site'] === 'cross-site' && method !== 'GET' && method !== 'HEAD';
  return isCrossSite ? refuse(403, 'cross-site', 'a page of another site must not act here') : undefined;
}

/** What the upstream sent was wrong: it is no fault of ours, and none of the client's. */
function refusalFor(error: unknown): Refusal {
  const refusal = refusalOf(error);
  // Nobody has it: that is an answer.
  const { origin, status = 0, transient = true } = failureOf(error) ?? {};
  if (origin === 'status' && !transient && status >= 400 && status < 500) return { ...refusal, status };
  if (error instanceof IntegrityError) return { ...refusal, status: 502, code: 'integrity' };
  return error instanceof SyntaxError ? { ...refusal, status: 502, code: 'unreadable-index' } : refusal;
}

/** They describe what the upstream sent, and not what was made of it. */
const notOfTheRewritten: ReadonlySet<string> = new Set([
  'etag',
  'content-type',
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'last-modified',
]);

function hasVersion({ headers }: IncomingMessage, etag: string): boolean {
  return headers['if-none-match']?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) === true;
}
