/** Where contents come from: flights that run, and new ones. */
import type { IncomingMessage } from 'node:http';
import { redactUrl } from '../core/index.ts';
import type { Content, Provenance } from './content.ts';
import { type Answer, Flight } from './flight.ts';
import type { HeaderRecord } from './head.ts';
import type { MirrorListener } from './options.ts';
import type { Origin } from './origin.ts';
import type { ContentPlan, Document } from './plan.ts';
import type { SpoolFile } from './spool.ts';

export interface Obtained {
  readonly content: Content;
  readonly from: Provenance;
}

export interface ContentsSettings {
  readonly openFile: () => Promise<SpoolFile>;
  readonly onEvent: MirrorListener | undefined;
}

/** An index that is longer is refused: it must be whole in memory. */
const MAX_DOCUMENT_BYTES = 134_217_728;

export class Contents {
  readonly #settings: ContentsSettings;
  readonly #flights = new Map<string, Flight>();
  readonly #private = new Set<Flight>();

  constructor(settings: ContentsSettings) {
    this.#settings = settings;
  }

  get flightCount(): number {
    return this.#flights.size + this.#private.size;
  }

  /** @param request whose credentials go along; an answer to such a one is for nobody else */
  obtain(origin: Origin, plan: ContentPlan, request: IncomingMessage | undefined): Obtained {
    const login = request === undefined ? {} : loginOf(request);
    const isPrivate = Object.keys(login).length > 0 && isMeantFor(origin, plan);
    const key = `${origin.name} ${plan.place.kind === 'path' ? plan.place.path : plan.place.url} ${plan.variant}`;
    const running = isPrivate ? undefined : this.#flights.get(key);
    if (running?.isJoinable === true) return { content: running, from: 'joined' };
    const flight: Flight = new Flight({
      open: (how) => this.#open(origin, plan, isPrivate ? login : {}, how),
      digest: plan.digest?.().catch(() => undefined),
      openFile: this.#settings.openFile,
      onEnd: (ended) => {
        if (this.#flights.get(key) === ended) this.#flights.delete(key);
        this.#private.delete(ended);
        this.#tell(origin, plan, ended);
      },
    });
    if (isPrivate) this.#private.add(flight);
    else this.#flights.set(key, flight);
    flight.begin();
    return { content: flight, from: 'miss' };
  }

  async #open(
    origin: Origin,
    plan: ContentPlan,
    login: Readonly<Record<string, string>>,
    { isPastCaches, signal }: { readonly isPastCaches: boolean; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const headers = {
      'accept-encoding': 'identity',
      ...plan.fields,
      ...login,
      ...(isPastCaches ? { 'cache-control': 'no-cache', pragma: 'no-cache' } : {}),
    };
    const { place } = plan;
    if (place.kind === 'path') {
      const sent = await origin.site.pool.request(place.path, { headers, signal });
      const { statusCode, headers: received, body, ledger } = sent;
      return { status: statusCode, headers: received as HeaderRecord, body, ledger };
    }
    const own = { ...origin.credentialFor(place.url), ...headers };
    const answer = await origin.client.request(place.url, { headers: own, signal });
    return {
      status: answer.statusCode,
      headers: answer.headers as HeaderRecord,
      body: answer.body,
      ledger: answer.ledger,
    };
  }

  #tell(origin: Origin, { place }: ContentPlan, { ledger, error, state }: Flight): void {
    const { onEvent } = this.#settings;
    if (onEvent === undefined) return;
    const asked = ledger?.attempts.at(-1)?.hops.at(-1)?.url ?? ledger?.url;
    const url = redactUrl(asked ?? (place.kind === 'path' ? place.path : place.url));
    const message = error instanceof Error ? redactUrl(error.message.split('\n', 1)[0]!) : String(error);
    if (state === 'failed') onEvent({ type: 'trouble', origin: origin.name, url, message });
    const status = ledger?.attempts.at(-1)?.hops.at(-1)?.status ?? 0;
    if (ledger !== undefined)
      onEvent({ type: 'fetch', origin: origin.name, url, status, attempts: ledger.attemptCount });
  }

  /** Whole and in memory; undefined where the upstream has none. */
  async load(origin: Origin, plan: ContentPlan, request?: IncomingMessage): Promise<Document | undefined> {
    const { content } = this.obtain(origin, plan, request);
    const document = await readDocument(content);
    return document?.status === 200 ? document : undefined;
  }
}

/** What a client proves itself with. */
function loginOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const { authorization, cookie } = headers;
  return { ...(authorization === undefined ? {} : { authorization }), ...(cookie === undefined ? {} : { cookie }) };
}

function isMeantFor(origin: Origin, { place }: ContentPlan): boolean {
  return place.kind === 'path' || origin.isOwn(place.url);
}

export interface WholeDocument extends Document {
  readonly status: number;
  readonly headers: HeaderRecord;
}

/** @throws what the content failed with */
export async function readDocument(content: Content): Promise<WholeDocument> {
  const hold = content.hold();
  try {
    const head = await content.head;
    while (content.state === 'open' && content.releasedBytes <= MAX_DOCUMENT_BYTES) await content.news();
    if (content.state === 'failed') throw (content as { readonly error?: unknown }).error;
    if (content.releasedBytes > MAX_DOCUMENT_BYTES)
      throw new Error(`an index of more than ${MAX_DOCUMENT_BYTES} bytes`);
    const parts: Buffer[] = [];
    for (let at = 0; at < content.releasedBytes; ) {
      const part = await content.read(at, content.releasedBytes - at);
      parts.push(part);
      at += part.length;
    }
    const type = head.headers['content-type'];
    const contentType = typeof type === 'string' ? type : (type?.[0] ?? '');
    return { bytes: Buffer.concat(parts), contentType, url: head.url, status: head.status, headers: head.headers };
  } finally {
    hold.release();
  }
}
