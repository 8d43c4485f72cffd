/** What the requests of a gateway rest on: its clock and limits, and the snapshot of the configuration that each keeps. */
import { createHash } from 'node:crypto';
import { type RequestRules, rulesForAttempts } from '../http/index.ts';
import { type CourseRules, createPool, type Pool } from '../pool/index.ts';
import type { Clock, Sweep } from '../runtime/index.ts';
import type { GatewayUpstream, Limits, PoolSettings, ResolvedConfig } from './config.ts';
import type { Memory } from './request-body.ts';
import { createRoute, type Route } from './routes.ts';

export interface Site {
  readonly clock: Clock;
  readonly sweep: Sweep;
  readonly limits: Limits;
  readonly memory: Memory;
}

export interface PoolSite {
  readonly settings: PoolSettings;
  readonly pool: Pool<GatewayUpstream>;
  readonly failoverOn: ReadonlySet<number>;
  /** Where the pool's own table of outcomes does not fit. */
  readonly classify?: CourseRules<GatewayUpstream>['classify'];
  readonly rules: RequestRules;
  inFlight: number;
  readonly fingerprint: string;
}

/** The configuration as one request sees it from its beginning to its end. */
export interface Snapshot {
  readonly generation: number;
  readonly routes: readonly Route[];
  readonly pools: ReadonlyMap<string, PoolSite>;
  readonly readsModels: boolean;
}

/** Pools that have not changed go on with their connections and what is known of their upstreams. @throws ConfigError */
export function createSnapshot(config: ResolvedConfig, before: Snapshot | undefined): Snapshot {
  const pools = new Map<string, PoolSite>();
  for (const settings of config.pools) {
    const known = before?.pools.get(settings.name);
    const fingerprint = fingerprintOf(settings);
    pools.set(settings.name, known?.fingerprint === fingerprint ? known : createPoolSite(settings, fingerprint));
  }
  const routes = config.routes.map(createRoute);
  const readsModels = routes.some((route) => route.readsModel);
  return { generation: (before?.generation ?? 0) + 1, routes, pools, readsModels };
}

/** Credentials are a part of what may change, and stay unreadable in it. */
function fingerprintOf(settings: PoolSettings): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex');
}

function createPoolSite(settings: PoolSettings, fingerprint: string): PoolSite {
  const { upstreams, rounds, ejection, budget, connectMs, headersMs, stream, maxPerUpstream, maxIdleMs, ca } = settings;
  const pool = createPool<GatewayUpstream>(upstreams, {
    rounds,
    ejection,
    budget,
    // A rate that is slow for a download is right for a stream that is made while it is sent.
    timeouts: { connectMs, headersMs, stallMs: stream.idleMs, minBytesPerSecond: 0 },
    connections: { maxPerOrigin: maxPerUpstream, maxIdleMs },
    ...(ca === undefined ? {} : { tls: { ca } }),
  });
  return {
    settings,
    pool,
    failoverOn: new Set(settings.failoverOn),
    rules: rulesForAttempts(pool.client, { replayBufferBytes: ONE_SHOT_BYTES }),
    inFlight: 0,
    fingerprint,
  };
}

/** Of a body that is too long to be kept: what was sent before an attempt failed, for the next to begin with. */
const ONE_SHOT_BYTES = 65_536;
