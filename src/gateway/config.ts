/** The configuration, resolved: references read, quantities as numbers, every default filled in. */
import { readFileSync } from 'node:fs';
import { ConfigError, parseDuration, parseSize } from '../core/index.ts';
import { basicAuthorizationOf } from '../http/index.ts';
import type { GatewayConfig, PoolConfig, RouteConfig, UpstreamConfig } from './config-schema.ts';

export interface ListenerSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
}

/** What the pool keeps of an upstream as its own value, and what an attempt needs to go there. */
export interface GatewayUpstream {
  readonly name: string;
  readonly url: string;
  readonly weight: number;
  readonly tier: number;
  readonly inputLimit?: number;
  readonly origin: string;
  readonly host: string;
  /** The path of its URL without a slash at the end, and its query. */
  readonly root: string;
  readonly query: string;
  readonly model: string | undefined;
  /** Name, value, name, value; names in lower case. */
  readonly own: readonly string[];
  readonly ownNames: ReadonlySet<string>;
  readonly hasCredential: boolean;
}

export interface StreamSettings {
  readonly mode: 'error' | 'atomic';
  readonly holdMs: number;
  readonly preambleBytes: number;
  readonly preambleEvents: number;
  readonly atomicBytes: number;
  readonly damagedEvents: 'break' | 'pass';
  readonly firstContentMs: number;
  readonly idleMs: number;
  readonly progressMs: number | undefined;
}

export interface PoolSettings {
  readonly name: string;
  readonly upstreams: readonly GatewayUpstream[];
  readonly rounds: Record<string, number | string>;
  readonly ejection: Record<string, number>;
  readonly connectMs: number;
  readonly headersMs: number;
  readonly deadlineMs: number | undefined;
  readonly maxPerUpstream: number;
  readonly maxIdleMs: number;
  readonly budget: { readonly ratio?: number; readonly capacity?: number };
  readonly stream: StreamSettings;
  readonly failoverOn: readonly number[];
  readonly maxRequests: number;
  readonly ca: string | undefined;
}

export interface Limits {
  readonly connections: number;
  readonly requests: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  readonly replayBytes: number;
  readonly bufferedBytes: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
}

export interface ResolvedConfig {
  readonly listeners: readonly ListenerSettings[];
  readonly admin: { readonly host: string; readonly port: number } | undefined;
  readonly pools: readonly PoolSettings[];
  readonly routes: readonly RouteConfig[];
  readonly limits: Limits;
  readonly drain: { readonly announceMs: number; readonly timeoutMs: number };
  readonly log: { readonly to: string; readonly level: 'all' | 'failures' | 'none' };
}

type Environment = Readonly<Record<string, string | undefined>>;

const MiB = 1_048_576;

/** @throws ConfigError where a reference leads nowhere */
export function resolveConfig(config: GatewayConfig, env: Environment): ResolvedConfig {
  const { limits = {}, drain = {}, log = {}, routes = [{}], admin = '127.0.0.1:9464' } = config;
  const { connections = 10_000, requests = 10_000 } = limits;
  const pools = { ...config.pools, ...(config.upstreams === undefined ? {} : { default: shorthand(config) }) };
  const listen = Array.isArray(config.listen) ? config.listen : [config.listen];
  return {
    listeners: listen.map(resolveListener),
    admin: admin === false ? undefined : parseAddress(admin),
    pools: Object.entries(pools).map(([name, pool]) => resolvePool(name, pool, env)),
    routes,
    limits: {
      connections,
      requests,
      headerBytes: bytes(limits.headerBytes, 32_768),
      bodyBytes: bytes(limits.bodyBytes, 1_024 * MiB),
      replayBytes: bytes(limits.replayBytes, 16 * MiB),
      bufferedBytes: bytes(limits.bufferedBytes, 512 * MiB),
      headersTimeoutMs: ms(limits.headersTimeout, 15_000),
      requestTimeoutMs: ms(limits.requestTimeout, 300_000),
      keepAliveMs: ms(limits.keepAlive, 65_000),
    },
    drain: { announceMs: ms(drain.announce, 0), timeoutMs: ms(drain.timeout, 30_000) },
    log: { to: log.to ?? 'stdout', level: log.level ?? 'all' },
  };
}

/** Without `pools`, a pool's settings stand at the top. */
function shorthand(config: GatewayConfig): PoolConfig {
  const { rounds, ejection, timeouts, connections, budget, stream, failoverOn, maxRequests, tls } = config;
  const given = { rounds, ejection, timeouts, connections, budget, stream, failoverOn, maxRequests, tls };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { upstreams: config.upstreams!, ...set };
}

function resolveListener(listener: GatewayConfig['listen'] & unknown): ListenerSettings {
  const { address, tls } = (typeof listener === 'string' ? { address: listener } : listener) as {
    readonly address: string;
    readonly tls?: { readonly cert: string; readonly key: string };
  };
  const files = tls && { cert: readBytes(tls.cert, 'tls.cert'), key: readBytes(tls.key, 'tls.key') };
  return { ...parseAddress(address), tls: files };
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(text) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function resolvePool(name: string, pool: PoolConfig, env: Environment): PoolSettings {
  const { rounds = {}, ejection = {}, timeouts = {}, connections = {}, budget = {}, stream = {} } = pool;
  const { maxConsecutiveFailures, errorRatio, minRequests } = ejection;
  return {
    name,
    upstreams: pool.upstreams.map((upstream) => resolveUpstream(upstream, env)),
    rounds: present({
      maxRounds: rounds.max,
      maxAttempts: rounds.maxAttempts,
      baseDelayMs: ms(rounds.baseDelay),
      maxDelayMs: ms(rounds.maxDelay),
      maxPushbackMs: ms(rounds.maxPushback),
      maxUnreachedMs: ms(rounds.unreached),
      gate: rounds.gate,
      within: rounds.within,
    }),
    ejection: present({
      ...{ maxConsecutiveFailures, errorRatio, minRequests },
      windowMs: ms(ejection.window),
      baseMs: ms(ejection.base),
      maxMs: ms(ejection.max),
      slowStartMs: ms(ejection.slowStart),
    }),
    connectMs: ms(timeouts.connect, 3_000),
    headersMs: ms(timeouts.headers, 30_000),
    deadlineMs: timeouts.deadline === 'none' ? undefined : ms(timeouts.deadline, 600_000),
    maxPerUpstream: connections.maxPerUpstream ?? 256,
    maxIdleMs: ms(connections.maxIdle, 4_000),
    budget: present(budget),
    stream: {
      mode: stream.mode ?? 'error',
      holdMs: ms(stream.hold, 10_000),
      preambleBytes: bytes(stream.preambleBytes, 262_144),
      preambleEvents: stream.preambleEvents ?? 64,
      atomicBytes: bytes(stream.atomicBytes, 16 * MiB),
      damagedEvents: stream.damagedEvents ?? 'break',
      firstContentMs: ms(timeouts.firstContent, 30_000),
      idleMs: ms(timeouts.idle, 60_000),
      progressMs: timeouts.progress === 'none' ? undefined : ms(timeouts.progress),
    },
    failoverOn: pool.failoverOn ?? [],
    maxRequests: pool.maxRequests ?? 4_096,
    ca: pool.tls === undefined ? undefined : readBytes(pool.tls.ca, 'tls.ca').toString(),
  };
}

function resolveUpstream(given: string | UpstreamConfig, env: Environment): GatewayUpstream {
  const spec: UpstreamConfig = typeof given === 'string' ? { url: given } : given;
  const url = new URL(spec.url);
  const own: string[] = [];
  for (const [name, value] of Object.entries(spec.headers ?? {}))
    own.push(name.toLowerCase(), typeof value === 'string' ? value : readSecret(value, env));
  const { credential } = spec;
  if (credential !== undefined) {
    const { header = 'authorization' } = credential;
    const { scheme = header.toLowerCase() === 'authorization' ? 'Bearer' : '' } = credential;
    own.push(header.toLowerCase(), `${scheme} ${readSecret(credential, env)}`.trim());
  } else if (url.username !== '' || url.password !== '') {
    own.push('authorization', basicAuthorizationOf(url));
  }
  url.username = '';
  url.password = '';
  const names = new Set(own.filter((_, index) => index % 2 === 0));
  return {
    name: spec.name ?? url.host,
    url: url.href,
    weight: spec.weight ?? 1,
    tier: spec.tier ?? 0,
    ...(spec.inputLimit === undefined ? {} : { inputLimit: spec.inputLimit }),
    origin: url.origin,
    host: url.host,
    root: url.pathname.replace(/\/$/, ''),
    query: url.search.slice(1),
    model: spec.model,
    own,
    ownNames: names,
    hasCredential: ['authorization', 'x-api-key', 'api-key'].some((name) => names.has(name)),
  };
}

function readSecret(reference: { readonly env?: string; readonly file?: string }, env: Environment): string {
  const { env: variable, file } = reference;
  const text = variable === undefined ? readBytes(file!, 'credential').toString() : env[variable];
  const where = variable === undefined ? `file ${file}` : `environment variable ${variable}`;
  const value = text?.trim() ?? '';
  if (value === '') throw new ConfigError(`Cannot use the ${where} as it must hold a credential: received nothing`);
  if (!/^[\x20-\x7e]+$/.test(value))
    throw new ConfigError(`Cannot use the ${where} as a credential must be one line of printable characters`);
  return value;
}

function readBytes(path: string, field: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`Cannot read the file of ${field}: ${(error as Error).message}`);
  }
}

function ms(text: string | undefined): number | undefined;
function ms(text: string | undefined, fallback: number): number;
function ms(text: string | undefined, fallback?: number): number | undefined {
  return text === undefined ? fallback : parseDuration(text);
}

function bytes(value: string | number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  return typeof value === 'number' ? value : parseSize(value)!;
}

function present<T extends object>(values: T): { [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: NonNullable<T[K]> };
}
