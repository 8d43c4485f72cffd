/** A healing mirror: it listens, finds the origin that a request is for, and obeys what its preset plans. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, unlink } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { ConfigError, createBudget, show } from '../core/index.ts';
import { defaultStateFolder, LocalError } from '../download/index.ts';
import { createRoute, type Limits, type Listener, Memory, openListener, type Snapshot } from '../gateway/index.ts';
import { type Client, createClientBelow } from '../http/index.ts';
import type { UpstreamStatus } from '../pool/index.ts';
import { type Clock, Sweep, systemRuntime } from '../runtime/index.ts';
import { ownTarget } from './absolute-form.ts';
import { Cache } from './cache.ts';
import { Contents } from './contents.ts';
import { Links } from './links.ts';
import { type MirrorOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { mirrorBudget, mirrorLimits, Origin } from './origin.ts';
import { Rewrites } from './rewrites.ts';
import type { SpoolFile } from './spool.ts';
import { Visit, type VisitSite } from './visit.ts';

/** An origin as clients find it. */
export interface MirroredOrigin {
  readonly name: string;
  readonly preset: string;
  /** What a tool is pointed at: `http://127.0.0.1:PORT/pypi/simple/`. */
  readonly url: string;
  /** Without credentials. */
  readonly upstreams: readonly string[];
  /** How to point tools there, for people. */
  readonly hints: readonly string[];
}

export interface MirrorStatus {
  readonly origins: readonly { readonly name: string; readonly upstreams: readonly UpstreamStatus[] }[];
  readonly requestsInProgress: number;
  readonly fetchesInProgress: number;
  readonly connections: number;
  readonly cache: { readonly folder: string; readonly usedBytes: number | undefined } | undefined;
}

/** A mirror on a local address: it serves until it is closed. */
export interface Mirror extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly origins: readonly MirroredOrigin[];
  /**
   * What a tool must be pointed at.
   *
   * @param name of an origin; the preset's name where it was given none
   * @throws ConfigError where there is no such origin
   */
  urlFor(name: string): string;
  /** Lets running requests end within `timeoutMs`, then closes. @default 30_000 */
  drain(timeoutMs?: number): Promise<void>;
  /** What is going on: upstreams and their health, requests, what is kept. */
  status(): MirrorStatus;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/**
 * Creates a mirror in front of package registries and other origins, and begins to serve.
 *
 * @throws ConfigError naming the field, what must hold and what came; the error of an address that cannot be listened on
 * @example
 * ```ts
 * import { createMirror } from 'reknit/mirror';
 * await using mirror = await createMirror({ origins: [{ preset: 'pypi' }, { preset: 'npm' }] });
 * console.log(mirror.urlFor('pypi'), mirror.urlFor('npm'));
 * ```
 */
export async function createMirror(options: MirrorOptions): Promise<Mirror> {
  const resolved = resolveOptions(options);
  const mirror = new RunningMirror(resolved, await openCache(resolved));
  await mirror.open();
  return mirror;
}

/** A folder that the user has not named may be missing: the mirror works without. @throws LocalError */
async function openCache(options: ResolvedOptions): Promise<Cache | undefined> {
  const { cacheDirectory, maxCacheBytes, onEvent } = options;
  if (cacheDirectory === false) return undefined;
  const folder = cacheDirectory ?? join(defaultStateFolder(), 'mirror');
  const onTrouble = (doing: string, error: unknown) =>
    onEvent?.({ type: 'trouble', origin: '', url: folder, message: `cannot ${doing}: ${(error as Error).message}` });
  try {
    return await Cache.open({ folder, maxBytes: maxCacheBytes, clock: systemRuntime.clock, onTrouble });
  } catch (error) {
    if (cacheDirectory !== undefined)
      throw new LocalError(`Cannot keep answers in ${folder}: ${(error as Error).message}`, error);
    onTrouble('keep answers', error);
    return undefined;
  }
}

class RunningMirror implements Mirror {
  readonly #options: ResolvedOptions;
  readonly #clock: Clock = systemRuntime.clock;
  readonly #sweep = new Sweep(systemRuntime.clock);
  readonly #client: Client;
  readonly #limits: Limits;
  readonly #contents: Contents;
  readonly #origins: readonly Origin[];
  readonly #site: VisitSite;
  readonly #visits = new Set<Visit>();
  #listener: Listener | undefined;
  #folder: Promise<string> | undefined;
  #connections = 0;
  #state: 'serving' | 'draining' | 'closed' = 'serving';
  #onIdle: (() => void) | undefined;

  readonly #cache: Cache | undefined;

  constructor(options: ResolvedOptions, cache: Cache | undefined) {
    this.#options = options;
    this.#cache = cache;
    const budget = createBudget(mirrorBudget);
    const connections = { maxPerOrigin: options.maxPerOrigin };
    this.#client = createClientBelow({ ...options.client, connections }, systemRuntime, budget);
    this.#limits = mirrorLimits(options.origins[0]!);
    const { onEvent, staleIfErrorMs } = options;
    const openFile = () => cache?.openFile() ?? this.#openFile();
    this.#contents = new Contents({ clock: this.#clock, cache, staleIfErrorMs, openFile, onEvent });
    const links = new Links(cache?.linkKey ?? randomBytes(32));
    const parts = {
      clock: this.#clock,
      client: this.#client,
      retry: options.client.retry,
      deadlineMs: options.client.timeouts?.deadlineMs,
    };
    const load: ConstructorParameters<typeof Origin>[1]['load'] = (origin, content) =>
      this.#contents.load(origin, content);
    this.#origins = options.origins.map((one) => new Origin(one, { ...parts, links, load }));
    this.#site = {
      clock: this.#clock,
      sweep: this.#sweep,
      limits: this.#limits,
      memory: new Memory(this.#limits.bufferedBytes),
      snapshot: this.#snapshot(),
      origins: this.#origins,
      contents: this.#contents,
      rewrites: new Rewrites(),
      onEvent,
      isLoopback: isLoopback(options.host),
      status: () => this.status(),
      onEnd: (visit) => this.#onEnd(visit),
    };
  }

  #snapshot(): Snapshot {
    const routes = this.#origins.map(({ name, prefix, preset, presetName }) => {
      const path = prefix + preset.mount;
      return createRoute({ path, stripPrefix: path, pool: name, api: presetName === 'generic' ? 'auto' : 'bytes' });
    });
    const pools = new Map(this.#origins.map((origin) => [origin.name, origin.site]));
    return { generation: 1, routes, pools, readsModels: false };
  }

  async open(): Promise<void> {
    const { host, port } = this.#options;
    try {
      this.#listener = await openListener({ host, port, tls: undefined }, this.#limits, {
        onRequest: this.#onRequest,
        onConnection: this.#onConnection,
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get url(): string {
    return this.#listener?.url ?? '';
  }

  get origins(): readonly MirroredOrigin[] {
    return this.#origins.map(({ name, presetName, preset, prefix, roots }) => {
      const url = preset.toolUrl(this.url + prefix);
      return { name, preset: presetName, url, upstreams: roots, hints: preset.hints(url, roots[0]!) };
    });
  }

  status(): MirrorStatus {
    const cache = this.#cache;
    return {
      origins: this.#origins.map(({ name, site }) => ({ name, upstreams: site.pool.status() })),
      requestsInProgress: this.#visits.size,
      fetchesInProgress: this.#contents.flightCount,
      connections: this.#connections,
      cache: cache && { folder: cache.folder, usedBytes: cache.usedBytes },
    };
  }

  urlFor(name: string): string {
    const found = this.origins.find((one) => one.name === name) ?? this.origins.find(({ preset }) => preset === name);
    if (found !== undefined) return found.url;
    const known = this.origins.map((one) => one.name).join(', ');
    throw new ConfigError(`Cannot find the URL as name must be one of ${known}: received ${show(name)}`);
  }

  /** A file without a name: nothing is left of it, however the process ends. */
  async #openFile(): Promise<SpoolFile> {
    this.#folder ??= makeFolder();
    const path = join(await this.#folder, randomBytes(8).toString('hex'));
    const handle = await open(path, 'wx+', 0o600);
    await unlink(path);
    return { handle, path: undefined };
  }

  readonly #onConnection = (socket: Socket): boolean => {
    this.#connections += 1;
    socket.once('close', () => {
      this.#connections -= 1;
    });
    return this.#connections <= this.#limits.connections;
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (this.#state !== 'serving') response.shouldKeepAlive = false;
    request.url = ownTarget(request.url ?? '', this.#origins);
    const visit = new Visit(this.#site, request, response);
    this.#visits.add(visit);
    visit.begin();
  };

  #onEnd(visit: Visit): void {
    this.#visits.delete(visit);
    if (this.#visits.size === 0) this.#onIdle?.();
  }

  async drain(timeoutMs = 30_000): Promise<void> {
    if (this.#state !== 'serving') return await this.close();
    this.#state = 'draining';
    this.#listener?.stopAccepting();
    this.#listener?.closeIdle();
    await this.#untilIdle(timeoutMs);
    await this.close();
  }

  #untilIdle(maxMs: number): Promise<void> {
    if (this.#visits.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.after(maxMs, resolve);
      this.#onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#onIdle?.();
    this.#listener?.stopAccepting();
    this.#listener?.closeAll();
    this.#sweep.stop();
    await Promise.all(this.#origins.map(({ site }) => site.pool.destroy()));
    await this.#client.destroy();
    await this.#cache?.close();
    const folder = await this.#folder?.catch(() => undefined);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Where nothing is kept, long answers still need a place until everybody has them. */
async function makeFolder(): Promise<string> {
  const parent = join(defaultStateFolder(), 'mirror');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return await mkdtemp(join(parent, 'spool-'));
}

export function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
}
