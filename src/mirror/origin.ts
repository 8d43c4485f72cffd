/** One origin at work: its pool of upstreams, its links, its documents. */
import type { GatewayUpstream, Limits, PoolSettings, PoolSite, ResolvedConfig } from '../gateway/index.ts';
import { resolveConfig } from '../gateway/index.ts';
import { type Client, type ClientOptions, rulesForAttempts } from '../http/index.ts';
import { type Classify, createPool } from '../pool/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { Links, NamedFile } from './links.ts';
import { MIRROR_ATTEMPTS, type ResolvedOrigin } from './options.ts';
import type { ContentPlan, Document, OriginView, Preset } from './plan.ts';
import { presets } from './presets.ts';

/** What stands before the token of a signed link. */
const LINK_MARK = '/~file/';
/** An upstream that does not say within this time where else a file is, does not know. */
const LOOKUP_MS = 10_000;
/** Of a body too long to be kept: what was sent before an attempt failed. */
const ONE_SHOT_BYTES = 65_536;

/** One upstream, with what the pool reads of it beside the gateway's own. */
interface MirrorUpstream extends GatewayUpstream {
  readonly headers: Readonly<Record<string, string>>;
  readonly client: Client;
}

export interface OriginParts {
  readonly client: Client;
  readonly retry: ClientOptions['retry'];
  /** Of one request, its body included; ms. */
  readonly deadlineMs: number | undefined;
  readonly clock: Clock;
  readonly links: Links;
  readonly load: (origin: Origin, content: ContentPlan) => Promise<Document | undefined>;
}

export class Origin implements OriginView {
  readonly name: string;
  readonly preset: Preset;
  readonly presetName: string;
  readonly prefix: string;
  readonly roots: readonly string[];
  readonly site: PoolSite;
  readonly client: Client;
  readonly deadlineMs: number | undefined;
  readonly clock: Clock;
  readonly memory = new Map<string, unknown>();
  readonly #parts: OriginParts;

  constructor(settings: ResolvedOrigin, parts: OriginParts) {
    this.name = settings.name;
    this.presetName = settings.preset;
    this.preset = presets[settings.preset];
    this.prefix = settings.prefix;
    this.client = parts.client;
    this.deadlineMs = parts.deadlineMs;
    this.clock = parts.clock;
    this.#parts = parts;
    this.site = createSite(settings, parts);
    this.roots = this.site.settings.upstreams.map(({ url }) => url.replace(/\/+$/, ''));
  }

  /** The credential of the upstream that an address belongs to; nobody else gets it. */
  credentialFor(address: string): Readonly<Record<string, string>> {
    const { origin } = new URL(address);
    const found = this.site.settings.upstreams.find((one) => one.origin === origin) as MirrorUpstream | undefined;
    return found?.headers ?? {};
  }

  /** Whether what a client proves itself with to this origin is meant for that address, too. */
  isOwn(address: string): boolean {
    const { origin } = new URL(address);
    return this.site.settings.upstreams.some((one) => one.origin === origin);
  }

  load(content: ContentPlan): Promise<Document | undefined> {
    return this.#parts.load(this, content);
  }

  async loadEach({ place, fields }: ContentPlan): Promise<readonly Document[]> {
    if (place.kind !== 'path') return [];
    const headers = { 'accept-encoding': 'identity', ...fields };
    const loads = this.site.settings.upstreams.map(async ({ name }): Promise<Document | undefined> => {
      const mayUse = (one: GatewayUpstream) => one.name === name;
      const answer = await this.site.pool.request(place.path, { headers, mayUse, deadlineMs: LOOKUP_MS });
      const url = answer.ledger.attempts.at(-1)?.hops.at(-1)?.url ?? '';
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      const type = answer.headers['content-type'];
      return answer.statusCode === 200 ? { bytes, contentType: String(type ?? ''), url } : undefined;
    });
    const found = await Promise.all(loads.map((load) => load.catch(() => undefined)));
    return found.filter((one) => one !== undefined);
  }

  async head(path: string, fields: Readonly<Record<string, string>>): ReturnType<OriginView['head']> {
    const headers = { 'accept-encoding': 'identity', ...fields };
    const answer = await this.site.pool.request(path, { method: 'HEAD', headers, redirect: 'manual' });
    answer.body.resume();
    return { status: answer.statusCode, headers: answer.headers };
  }

  link(base: string, file: NamedFile): string {
    const name = new URL(file.url).pathname.split('/').at(-1) ?? '';
    return `${base}${LINK_MARK}${this.#parts.links.write(this.name, file)}/${name === '' ? 'file' : name}`;
  }

  /** The metadata of a file (PEP 658) is beside it, and has a digest of its own. */
  readLink(path: string): NamedFile | undefined {
    if (!path.startsWith(LINK_MARK)) return undefined;
    const [token = '', name = ''] = path.slice(LINK_MARK.length).split('/');
    const file = this.#parts.links.read(this.name, token);
    if (file === undefined || !URL.canParse(file.url)) return undefined;
    const { pathname } = new URL(file.url);
    if (!name.endsWith('.metadata') || pathname.endsWith('.metadata')) return file;
    const beside = new URL(file.url);
    beside.pathname += '.metadata';
    return { url: beside.href, digest: file.metadataDigest, metadataDigest: undefined };
  }
}

/** The gateway's own defaults, with the patience of a mirror. */
function createSite(settings: ResolvedOrigin, { client, retry }: OriginParts): PoolSite {
  const { pools } = resolved(settings);
  const pool = pools[0] as PoolSettings;
  const upstreams = pool.upstreams.map((upstream): MirrorUpstream => {
    const headers = Object.fromEntries(pairs(upstream.own));
    return { ...upstream, headers, client };
  });
  const { ejection } = pool;
  // One copy may have what the other does not have yet.
  const failoverOn = upstreams.length > 1 ? [404, 410] : [];
  const classify = classifierFor(failoverOn);
  const { maxAttempts = MIRROR_ATTEMPTS, baseDelayMs, maxDelayMs } = retry ?? {};
  const rounds = {
    maxRounds: maxAttempts,
    maxAttempts: maxAttempts * upstreams.length,
    ...(baseDelayMs === undefined ? {} : { baseDelayMs }),
    ...(maxDelayMs === undefined ? {} : { maxDelayMs }),
  };
  return {
    settings: { ...pool, upstreams },
    pool: createPool<GatewayUpstream>(upstreams, { rounds, ejection, failoverOn, classify, budget: mirrorBudget }),
    failoverOn: new Set(failoverOn),
    classify,
    rules: rulesForAttempts(client, { replayBufferBytes: ONE_SHOT_BYTES }),
    inFlight: 0,
    fingerprint: settings.name,
  };
}

/**
 * A registry's refusal is its answer: a tool needs its status and fields (401 with its challenge, 403, 410), which a pool of
 * paid services would rather try elsewhere.
 */
function classifierFor(failoverOn: readonly number[]): Classify<GatewayUpstream> {
  return (_error, { failure }) => {
    const { origin, transient, status = 0 } = failure ?? {};
    const isAnswer = origin === 'status' && transient === false && status >= 400 && status < 500;
    return isAnswer && !failoverOn.includes(status) ? 'caller' : undefined;
  };
}

/** What guards servers from many requests is the limit of connections; the tries of one request are bounded. */
export const mirrorBudget = { ratio: 1, capacity: 1_000 };

function resolved({ upstreams }: ResolvedOrigin): ResolvedConfig {
  const many = upstreams.length;
  return resolveConfig(
    {
      listen: '127.0.0.1:0',
      admin: false,
      log: { level: 'none' },
      limits: { requests: 10_000, bodyBytes: '4GiB', requestTimeout: '1h' },
      upstreams: upstreams.map((url, index) => ({
        url,
        name: many === 1 ? new URL(url).host : `${index + 1}:${new URL(url).host}`,
      })),
      // A pack or a large answer may take long; what matters is that bytes come.
      timeouts: { connect: '10s', headers: '60s', idle: '60s', deadline: 'none' },
    },
    process.env,
  );
}

/** What the gateway's listener and passages are bounded by. */
export function mirrorLimits(settings: ResolvedOrigin): Limits {
  return resolved(settings).limits;
}

function pairs(fields: readonly string[]): readonly (readonly [string, string])[] {
  return fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1]!] as const] : []));
}
