import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { UpstreamStatus } from '../pool/index.ts';
import { Sweep, systemRuntime } from '../runtime/index.ts';
import { AccessLog } from './access-log.ts';
import { openAdmin } from './admin.ts';
import { type ResolvedConfig, resolveConfig } from './config.ts';
import { checkConfig } from './config-file.ts';
import type { GatewayConfig } from './config-schema.ts';
import { type Listener, openListener } from './listener.ts';
import { Metrics, statusesOf } from './metrics.ts';
import { Passage, type PassageSite } from './passage.ts';
import { Memory } from './request-body.ts';
import { Roster } from './roster.ts';
import { createSnapshot, type PoolSite, type Snapshot } from './site.ts';

/** A reverse proxy over pools: it serves until it is closed. */
export interface Gateway {
  /** Where clients are served, one for each listener. */
  readonly urls: readonly string[];
  readonly adminUrl: string | undefined;
  /** What is known of the upstreams now. */
  status(): readonly (UpstreamStatus & { readonly pool: string })[];
  /** In the format of Prometheus. */
  metrics(): Promise<string>;
  /**
   * Takes another configuration over, all of it or none: pools that have not changed keep their connections and their
   * health, requests that run keep the old one. Listeners, limits and the log stay as they were.
   *
   * @throws ConfigError; the last good one stays then
   */
  reload(config: GatewayConfig): void;
  /** A configuration could not even be read: the metric tells. */
  reloadFailed(): void;
  /** Lets running requests end within `drain.timeout`; what still runs then is told so. A second call ends all at once. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a gateway and begins to serve.
 *
 * @throws ConfigError naming the field, what must hold and what came; the error of an address that cannot be listened on
 * @example
 * ```ts
 * import { createGateway } from 'reknit/gateway';
 * const gateway = await createGateway({
 *   listen: '127.0.0.1:8080',
 *   upstreams: ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'],
 * });
 * console.log(gateway.urls);
 * await gateway.close();
 * ```
 */
export async function createGateway(config: GatewayConfig): Promise<Gateway> {
  const gateway = new RunningGateway(resolveConfig(checkConfig(config), process.env));
  await gateway.open();
  return gateway;
}

class RunningGateway implements Gateway {
  readonly #config: ResolvedConfig;
  readonly #clock = systemRuntime.clock;
  readonly #sweep = new Sweep(systemRuntime.clock);
  readonly #memory: Memory;
  readonly #site: PassageSite;
  readonly #metrics: Metrics;
  readonly #log: AccessLog;
  readonly #passages = new Roster<Passage>();
  readonly #retired = new Set<PoolSite>();
  #snapshot: Snapshot;
  #listeners: readonly Listener[] = [];
  #admin: Awaited<ReturnType<typeof openAdmin>> | undefined;
  #connections = 0;
  #state: 'serving' | 'draining' | 'closed' = 'serving';
  #lastReloadFailed = false;
  #onIdle: (() => void) | undefined;
  #onClosing: (() => void) | undefined;

  constructor(config: ResolvedConfig) {
    this.#config = config;
    this.#memory = new Memory(config.limits.bufferedBytes);
    this.#snapshot = createSnapshot(config, undefined);
    this.#log = new AccessLog(config.log, this.#clock);
    this.#metrics = new Metrics(() => ({
      snapshot: this.#snapshot,
      connections: this.#connections,
      bufferedBytes: this.#memory.usedBytes,
      lastReloadFailed: this.#lastReloadFailed,
    }));
    this.#site = {
      clock: this.#clock,
      sweep: this.#sweep,
      limits: config.limits,
      memory: this.#memory,
      onEvent: (passage, event) => {
        const pool = passage.pool!.settings.name;
        this.#metrics.onEvent(pool, event);
        this.#log.onEvent(pool, passage, event);
      },
      onEnd: this.#onEnd,
    };
  }

  async open(): Promise<void> {
    const handlers = { onRequest: this.#onRequest, onConnection: this.#onConnection };
    try {
      for (const settings of this.#config.listeners)
        this.#listeners = [...this.#listeners, await openListener(settings, this.#config.limits, handlers)];
      if (this.#config.admin !== undefined)
        this.#admin = await openAdmin(this.#config.admin, {
          isReady: () => this.isReady,
          metrics: () => this.metrics(),
          metricsType: this.#metrics.registry.contentType,
          status: () => ({ generation: this.#snapshot.generation, state: this.#state, upstreams: this.status() }),
        });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  get adminUrl(): string | undefined {
    return this.#admin?.url;
  }

  /** Serving, and somebody in every pool could be asked. */
  get isReady(): boolean {
    if (this.#state !== 'serving') return false;
    return [...this.#snapshot.pools.values()].every(({ pool }) =>
      pool.status().some(({ weight, state }) => weight > 0 && state !== 'ejected'),
    );
  }

  status(): readonly (UpstreamStatus & { readonly pool: string })[] {
    return statusesOf(this.#snapshot);
  }

  metrics(): Promise<string> {
    return this.#metrics.registry.metrics();
  }

  readonly #onConnection = (socket: Socket): boolean => {
    this.#connections += 1;
    socket.once('close', () => {
      this.#connections -= 1;
    });
    return this.#connections <= this.#config.limits.connections;
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (this.#state !== 'serving') response.shouldKeepAlive = false;
    const passage = new Passage(this.#site, this.#snapshot, request, response);
    this.#passages.add(passage);
    if (this.#passages.size > this.#config.limits.requests) passage.turnAway();
    else passage.begin();
  };

  readonly #onEnd = (passage: Passage): void => {
    const nowMs = this.#clock.nowMs();
    this.#passages.delete(passage);
    this.#metrics.onEnd(passage, nowMs);
    this.#log.onEnd(passage, nowMs);
    const { pool } = passage;
    if (pool !== undefined && pool.inFlight === 0 && this.#retired.delete(pool)) void pool.pool.close();
    if (this.#passages.size === 0) this.#onIdle?.();
  };

  reload(config: GatewayConfig): void {
    const before = this.#snapshot;
    try {
      this.#snapshot = createSnapshot(resolveConfig(checkConfig(config), process.env), before);
      this.#lastReloadFailed = false;
    } catch (error) {
      this.#lastReloadFailed = true;
      throw error;
    }
    const kept = new Set(this.#snapshot.pools.values());
    for (const pool of before.pools.values()) {
      if (kept.has(pool)) continue;
      if (pool.inFlight > 0) this.#retired.add(pool);
      else void pool.pool.close();
    }
    this.#log.say({ generation: this.#snapshot.generation }, 'configuration taken over');
  }

  reloadFailed(): void {
    this.#lastReloadFailed = true;
  }

  async drain(): Promise<void> {
    if (this.#state !== 'serving') return await this.close();
    this.#state = 'draining';
    const { announceMs, timeoutMs } = this.#config.drain;
    if (announceMs > 0) await this.#wait(announceMs);
    for (const listener of this.#listeners) listener.stopAccepting();
    await this.#untilIdle(timeoutMs);
    for (const passage of this.#passages.all()) passage.shutDown();
    await this.#untilIdle(LAST_WORDS_MS);
    // A request may be on its way on a connection that looks idle; the answer to it says that it was the last.
    for (const listener of this.#listeners) listener.closeIdle();
    await this.close();
  }

  /** Ends early when everything is to end at once. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      this.#onClosing = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #untilIdle(maxMs: number): Promise<void> {
    if (this.#passages.size === 0) return Promise.resolve();
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
    this.#onClosing?.();
    this.#onIdle?.();
    for (const listener of this.#listeners) {
      listener.stopAccepting();
      listener.closeAll();
    }
    await this.#untilIdle(LAST_WORDS_MS);
    this.#sweep.stop();
    await this.#admin?.close();
    const pools = [...this.#snapshot.pools.values(), ...this.#retired];
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
    this.#log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** For errors that are written to streams that end by force. */
const LAST_WORDS_MS = 500;
