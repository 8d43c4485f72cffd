/** Where contents come from: what is kept, flights that run, and new ones. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { failureOf, redactUrl } from '../core/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { Cache } from './cache.ts';
import type { CacheRecord } from './cache-record.ts';
import type { Content, Provenance } from './content.ts';
import { writeDigest } from './digests.ts';
import { type Answer, Flight } from './flight.ts';
import { type AskedAs, Freshness } from './freshness.ts';
import { first, type Head, type HeaderRecord } from './head.ts';
import type { KeptContent } from './kept-content.ts';
import type { MirrorListener } from './options.ts';
import type { Origin } from './origin.ts';
import type { ContentPlan, Document } from './plan.ts';
import { fetchFrom, restFrom } from './sources.ts';
import type { SpoolFile } from './spool.ts';

export interface ContentsSettings {
  readonly clock: Clock;
  readonly cache: Cache | undefined;
  readonly staleIfErrorMs: number;
  readonly openFile: () => Promise<SpoolFile>;
  readonly onEvent: MirrorListener | undefined;
}

/** An index that is longer is refused: it must be whole in memory. */
const MAX_DOCUMENT_BYTES = 134_217_728;
/** So long upstreams are waited for where something old could serve. */
const PATIENCE_BEFORE_STALE_MS = 10_000;
/** Of those that were wrong lately; beyond it the oldest is forgotten. */
const MAX_SUSPECTS = 1_024;

/** One request for one content. */
interface Wish {
  readonly origin: Origin;
  readonly plan: ContentPlan;
  readonly key: string;
  readonly asked: AskedAs;
  /** What the client proves itself with; what it gets then is for nobody else. */
  readonly login: Readonly<Record<string, string>> | undefined;
}

interface Kept {
  readonly record: CacheRecord;
  readonly freshness: Freshness;
}

export class Contents {
  readonly #settings: ContentsSettings;
  readonly #flights = new Map<string, Flight>();
  readonly #alone = new Set<Flight>();
  readonly #suspects = new Set<string>();

  constructor(settings: ContentsSettings) {
    this.#settings = settings;
  }

  get flightCount(): number {
    return this.#flights.size + this.#alone.size;
  }

  /** @param request whose credentials and wishes for freshness go along */
  async obtain(origin: Origin, plan: ContentPlan, request?: IncomingMessage): Promise<Content> {
    const wish = wishFor(origin, plan, request);
    if (wish.login !== undefined) return this.#fly(wish, undefined, true);
    const kept = await this.#find(wish);
    if (kept !== undefined && (await this.#isGood(kept, wish))) {
      const content = await this.#openKept(kept, 'hit');
      if (content !== undefined) return content;
    }
    const running = this.#flights.get(wish.key);
    if (running?.isJoinable !== true) return this.#fly(wish, kept, false);
    return await this.#join(running, wish);
  }

  async #join(running: Flight, wish: Wish): Promise<Content> {
    const joined = new Joined(running);
    // Whose answer it is can be seen in its head only.
    await running.head.catch(() => {});
    if (running.isForAll) return joined;
    joined.leave();
    return this.#fly(wish, undefined, true);
  }

  async #find({ key }: Wish): Promise<Kept | undefined> {
    const record = await this.#settings.cache?.find(key);
    return record && { record, freshness: Freshness.revive(this.#settings.clock, record.policy) };
  }

  /** Fresh by the rules, or proven by what the index promises now. */
  async #isGood({ record, freshness }: Kept, { plan, asked }: Wish): Promise<boolean> {
    const isFresh = freshness.answers(asked);
    if (plan.digest === undefined || record.proof === '') return isFresh && plan.digest === undefined;
    // Whoever asks for a file that is proven does not ask for another version of it.
    if (isFresh && plan.place.kind === 'path') return true;
    const digest = await plan.digest().catch(() => undefined);
    return digest === undefined ? isFresh : writeDigest(digest) === record.proof;
  }

  async #openKept({ record, freshness }: Kept, from: Provenance): Promise<KeptContent | undefined> {
    const content = await this.#settings.cache!.openBody(record);
    const { status, bytes, url } = record;
    return content?.as({ status, headers: freshness.headers, lengthBytes: bytes, url }, from);
  }

  #fly(wish: Wish, kept: Kept | undefined, isAlone: boolean): Flight {
    const { key, origin, plan } = wish;
    const { cache } = this.#settings;
    const isKept = cache !== undefined && wish.login === undefined;
    const flight: Flight = new Flight({
      open: (how) => this.#open(wish, how.isPastCaches ? undefined : kept, how),
      continueElsewhere: (broken) => restFrom(origin, plan, broken),
      digest: plan.digest?.().catch(() => undefined),
      isSuspect: this.#suspects.has(key),
      isKept,
      isWholeWanted: plan.role === 'index',
      openFile: this.#settings.openFile,
      onEnd: (ended) => {
        this.#judge(key, ended);
        this.#tell(wish, ended);
        const keeping = isKept && !isAlone ? this.#keep(wish, ended) : undefined;
        // Of an index a client may want the newest.
        if (keeping === undefined || plan.role === 'index') this.#forget(key, ended);
        else void keeping.then(() => this.#forget(key, ended));
      },
    });
    if (isAlone) this.#alone.add(flight);
    else this.#flights.set(key, flight);
    flight.begin();
    return flight;
  }

  /** What was wrong is asked for past caches the next time. */
  #judge(key: string, { error, proof }: Flight): void {
    if (proof !== undefined) this.#suspects.delete(key);
    if ((error as { readonly code?: unknown } | undefined)?.code !== 'ERR_REKNIT_INTEGRITY') return;
    this.#suspects.add(key);
    if (this.#suspects.size > MAX_SUSPECTS) this.#suspects.delete([...this.#suspects][0]!);
  }

  async #open(
    wish: Wish,
    kept: Kept | undefined,
    how: { readonly isPastCaches: boolean; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const { origin, plan, login = {} } = wish;
    const conditions = kept === undefined ? {} : kept.freshness.conditions();
    try {
      const mayServeStale = kept !== undefined && this.#staleBoundMs(kept) >= kept.freshness.staleMs;
      const deadlineMs = mayServeStale ? PATIENCE_BEFORE_STALE_MS : undefined;
      const answer = await fetchFrom(origin, plan, { ...how, fields: { ...login, ...conditions }, deadlineMs });
      if (answer.status !== 304 || kept === undefined) return answer;
      answer.body.resume();
      const renewed = await this.#renew(wish, kept, answer);
      return renewed ?? (await fetchFrom(origin, plan, { ...how, fields: login }));
    } catch (error) {
      const stale = how.signal.aborted || kept === undefined ? undefined : await this.#stale(kept, error);
      if (stale === undefined) throw error;
      return stale;
    }
  }

  async #renew({ asked }: Wish, { record, freshness }: Kept, answer: Answer): Promise<Answer | undefined> {
    const renewed = freshness.renewed(asked, answer.headers);
    const content = renewed && (await this.#openKept({ record, freshness: renewed }, 'revalidated'));
    if (renewed === undefined || content === undefined) return undefined;
    if (renewed.isStorable) void this.#settings.cache!.store({ ...record, policy: renewed.toStored() }, undefined);
    return { ...(await asAnswer(content)), ledger: answer.ledger };
  }

  /** RFC 5861: better an old answer than none, where the user says so. */
  async #stale(kept: Kept, error: unknown): Promise<Answer | undefined> {
    const isLate = (error as { readonly code?: unknown }).code === 'ERR_REKNIT_DEADLINE';
    const mayServe = isLate || failureOf(error)?.transient === true;
    if (kept.freshness.staleMs > this.#staleBoundMs(kept) || !mayServe) return undefined;
    const content = await this.#openKept(kept, 'stale');
    return content && (await asAnswer(content));
  }

  /** Negative where the user does not want it. */
  #staleBoundMs({ freshness }: Kept): number {
    const { staleIfErrorMs } = this.#settings;
    if (staleIfErrorMs === 0) return -1;
    const told = /(?:^|[\s,])stale-if-error=(\d+)/.exec(first(freshness.headers, 'cache-control') ?? '')?.[1];
    return Math.max(staleIfErrorMs, Number(told ?? 0) * 1_000);
  }

  #forget(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    this.#alone.delete(flight);
  }

  /** Undefined where it is not for others, or not good enough. */
  #keep({ asked, key }: Wish, flight: Flight): Promise<void> | undefined {
    const { cache, clock, staleIfErrorMs } = this.#settings;
    const { state, from, sha256, ledger, proof, spool, isForAll } = flight;
    if (cache === undefined || state !== 'whole' || from !== 'miss' || !isForAll || sha256 === undefined)
      return undefined;
    if (proof === undefined && ledger?.integrity === 'unverifiable') return undefined;
    const keeping = flight.keep(async () => {
      const head = await flight.head;
      const freshness = Freshness.of(clock, asked, head.status, head.headers);
      const isUseful = proof !== undefined || freshness.staleMs < 0 || Object.keys(freshness.conditions()).length > 0;
      if (head.status !== 200 || !freshness.isStorable || !(isUseful || staleIfErrorMs > 0)) return;
      const file = await spool.settled();
      if (spool.diskError !== undefined) return;
      const body = file === undefined ? { bytes: await spool.whole() } : { file };
      const { url } = head;
      const policy = freshness.toStored();
      const record = { key, url, status: 200, sha256, bytes: spool.length, proof: writeDigest(proof), policy };
      await cache.store(record, body);
    });
    return cache.inBackground(keeping);
  }

  #tell({ origin, plan: { place } }: Wish, { ledger, error, state, isAbandoned }: Flight): void {
    const { onEvent } = this.#settings;
    if (onEvent === undefined) return;
    const lastHop = ledger?.attempts.at(-1)?.hops.at(-1);
    const url = redactUrl(lastHop?.url ?? (place.kind === 'path' ? place.path : place.url));
    const message = error instanceof Error ? redactUrl(error.message.split('\n', 1)[0]!) : String(error);
    if (ledger !== undefined)
      onEvent({ type: 'fetch', origin: origin.name, url, status: lastHop?.status ?? 0, attempts: ledger.attemptCount });
    if (state === 'failed' && !isAbandoned) onEvent({ type: 'trouble', origin: origin.name, url, message });
  }

  /** Whole and in memory; undefined where the upstream has none. */
  async load(origin: Origin, plan: ContentPlan): Promise<Document | undefined> {
    const document = await readDocument(await this.obtain(origin, plan));
    return document.status === 200 ? document : undefined;
  }
}

/** A flight that somebody else has begun. */
class Joined implements Content {
  readonly #flight: Flight;
  #hold: ReturnType<Flight['hold']> | undefined;
  readonly from = 'joined';

  constructor(flight: Flight) {
    this.#flight = flight;
    // Until the reader has a hold of its own.
    this.#hold = flight.hold();
  }

  leave(): void {
    this.#hold?.release();
    this.#hold = undefined;
  }

  get head(): Promise<Head> {
    return this.#flight.head;
  }

  get state() {
    return this.#flight.state;
  }

  get error(): unknown {
    return this.#flight.error;
  }

  get releasedBytes(): number {
    return this.#flight.releasedBytes;
  }

  get lengthBytes(): number | undefined {
    return this.#flight.lengthBytes;
  }

  read(at: number, maxBytes: number): Buffer | Promise<Buffer> {
    return this.#flight.read(at, maxBytes);
  }

  news(): Promise<void> {
    return this.#flight.news();
  }

  hold() {
    const hold = this.#hold ?? this.#flight.hold();
    this.#hold = undefined;
    return hold;
  }
}

function wishFor(origin: Origin, plan: ContentPlan, request: IncomingMessage | undefined): Wish {
  const { place, variant, fields } = plan;
  const key = `${origin.name} ${place.kind === 'path' ? `${origin.roots[0]}${place.path}` : place.url} ${variant}`;
  const { authorization, cookie, 'cache-control': control, pragma } = request?.headers ?? {};
  const login = present({ authorization, cookie });
  const isMeant = place.kind === 'path' || origin.isOwn(place.url);
  const asked = { url: key, headers: { ...fields, ...present({ 'cache-control': control, pragma }) } };
  return { origin, plan, key, asked, login: Object.keys(login).length > 0 && isMeant ? login : undefined };
}

function present(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

async function asAnswer(content: KeptContent): Promise<Answer> {
  const { status, headers, url } = await content.head;
  const told = { ...headers, 'content-length': String(content.lengthBytes) };
  return { status, headers: told, body: Readable.from(partsOf(content)), ledger: undefined, url, from: content.from };
}

async function* partsOf(content: Content): AsyncGenerator<Buffer> {
  const hold = content.hold();
  try {
    for (let at = 0; at < content.releasedBytes; ) {
      const part = await content.read(at, content.releasedBytes - at);
      yield part;
      at += part.length;
    }
  } finally {
    hold.release();
  }
}

export interface WholeDocument extends Document {
  readonly status: number;
  readonly headers: HeaderRecord;
}

/** @throws what the content failed with */
export async function readDocument(content: Content): Promise<WholeDocument> {
  const hold = content.hold();
  try {
    const { headers, status, url } = await content.head;
    while (content.state === 'open' && content.releasedBytes <= MAX_DOCUMENT_BYTES) await content.news();
    if (content.state === 'failed') throw content.error;
    if (content.releasedBytes > MAX_DOCUMENT_BYTES)
      throw new Error(`an index of more than ${MAX_DOCUMENT_BYTES} bytes`);
    const parts: Buffer[] = [];
    for (let at = 0; at < content.releasedBytes; ) {
      const part = await content.read(at, content.releasedBytes - at);
      parts.push(part);
      at += part.length;
    }
    return { bytes: Buffer.concat(parts), contentType: first(headers, 'content-type') ?? '', url, status, headers };
  } finally {
    hold.release();
  }
}
