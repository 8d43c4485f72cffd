/** Takes hops to the wire: our own agents, their proxies, their connections, and the limit per origin. */
import type { Socket } from 'node:net';
import { Agent, Client, type Dispatcher, Pool } from 'undici';
import type { Policy } from '../core/index.ts';
import type { Clock } from '../runtime/index.ts';
import { type Connect, createConnect, type TlsOptions } from './connect.ts';
import { type ConnectionFacts, HopHandler, NewFaceHopHandler } from './hop-handler.ts';
import { type OpenConnection, OpenConnections } from './open-connections.ts';
import type { ForwardProxy, ProxyRules } from './proxy-rules.ts';
import { headerOf, type RequestHeaders, withHeaders } from './request-headers.ts';
import { Slots } from './slots.ts';
import { createTunnelConnect, TunnelCount } from './tunnel.ts';

export type DispatchOptions = Dispatcher.DispatchOptions;

/** How one hop wants to be sent. */
export type HopRoute = 'pooled' | 'fresh' | 'fresh-http1';

export interface Transport {
  send(options: DispatchOptions, hop: HopHandler, route: HopRoute): void;
  /** Upgrades and CONNECT: taken to the origin without any healing. */
  pass(options: DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** The origin, or the proxy in front of it, wants fewer of us at once. */
  slowDown(origin: string): void;
  /** A request to the origin has ended well. */
  wentWell(origin: string): void;
  /** Hops beside this one are with the origin, or with the proxy in front of it. */
  isCrowded(origin: string, hop: HopHandler): boolean;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

export interface TransportSettings {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly tls: TlsOptions | undefined;
  readonly socketPath: string | undefined;
  readonly proxyFor: ProxyRules;
}

/** Where connections of ours are counted: an origin, or a proxy. */
interface Place {
  readonly slots: Slots;
  readonly open: OpenConnections;
}

interface Route {
  readonly proxy: ForwardProxy | undefined;
  readonly isTunnel: boolean;
  readonly place: Place;
  readonly slots: Slots;
  /** The pool that the agent made last for the origin; once it is closed, the agent makes another. */
  pool: Pool | undefined;
}

export class AgentTransport implements Transport {
  readonly #settings: TransportSettings;
  readonly #pooled: Agent;
  #fresh: Agent | undefined;
  #freshHttp1: Agent | undefined;
  /** Connections for one request each. */
  readonly #alone = new Set<Client>();
  /** Some origin gets fewer requests at once than the policy allows. */
  #isLowered = false;
  readonly #routes = new Map<string, Route>();
  readonly #places = new Map<string, Place>();
  readonly #tunnels = new Map<string, TunnelCount>();

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    const { connections } = settings.policy;
    this.#pooled = this.#createAgent(connections.keepAlive ? 1 : 0, connections.http2, (origin, pool) => {
      const route = this.#routes.get(origin);
      if (route !== undefined) route.pool = pool;
    });
  }

  send(options: DispatchOptions, hop: HopHandler, route: HopRoute): void {
    const origin = String(options.origin);
    const known = this.#routes.get(origin) ?? this.#addRoute(origin);
    if (known.slots.tryTake()) this.#start(options, hop, route, known);
    else this.#wait(options, hop, route, known);
  }

  /** Apart: the scope of a closure is made whenever its function is called, and hardly any request waits. */
  #wait(options: DispatchOptions, hop: HopHandler, route: HopRoute, known: Route): void {
    known.slots.take(() => this.#start(options, hop, route, known));
  }

  #start(options: DispatchOptions, hop: HopHandler, route: HopRoute, { slots, proxy, isTunnel, pool }: Route): void {
    // Given up while it was waiting: nothing was sent, nothing is held.
    if (hop.isDead) {
      slots.release();
      return;
    }
    hop.onSettled = slots.release;
    const handler = hop as unknown as Dispatcher.DispatchHandler;
    const isHttp2 = this.#settings.policy.connections.http2;
    const routed = proxy !== undefined && !isTunnel ? throughProxy(options, proxy) : options;
    if (route === 'fresh' && isHttp2) this.#sendAlone(routed, hop, slots);
    // Past the agent, which would look up what is known here.
    else if (route === 'pooled' && routed === options && pool?.closed === false) pool.dispatch(options, handler);
    else this.#agentFor(route).dispatch(routed, handler);
  }

  /** A session of HTTP/2 serves many requests, and would be the same broken one: a fresh connection is one of its own. */
  #sendAlone(options: DispatchOptions, hop: HopHandler, slots: Slots): void {
    const client = this.#createClient(new URL(String(options.origin)), this.#clientOptions(1, true), true);
    this.#alone.add(client);
    hop.onSettled = () => {
      slots.release();
      this.#alone.delete(client);
      // What is left of it may be a session that never ends.
      void client.destroy();
    };
    client.dispatch(options, hop as unknown as Dispatcher.DispatchHandler);
  }

  pass(options: DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const origin = String(options.origin);
    if (!this.#routes.has(origin)) this.#addRoute(origin);
    this.#pooled.dispatch(options, handler);
  }

  slowDown(origin: string): void {
    this.#isLowered = true;
    this.#routes.get(origin)?.slots.lower();
  }

  wentWell(origin: string): void {
    if (!this.#isLowered) return;
    let isLowered = false;
    this.#routes.get(origin)?.slots.wentWell();
    for (const { slots } of this.#routes.values()) isLowered ||= slots.isLowered;
    this.#isLowered = isLowered;
  }

  isCrowded(origin: string, hop: HopHandler): boolean {
    const used = this.#routes.get(origin)?.slots.used ?? 0;
    return used > (hop.isSettled ? 0 : 1);
  }

  async close(): Promise<void> {
    // Who has destroyed the client has closed it as well.
    await Promise.all(this.#agents.filter((agent) => !agent.destroyed).map((agent) => agent.close()));
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.destroy()));
  }

  get #agents(): readonly (Agent | Client)[] {
    return [this.#pooled, this.#fresh, this.#freshHttp1, ...this.#alone].filter((agent) => agent !== undefined);
  }

  #agentFor(route: HopRoute): Agent {
    if (route === 'pooled') return this.#pooled;
    if (route === 'fresh') {
      this.#fresh ??= this.#createAgent(0, this.#settings.policy.connections.http2);
      return this.#fresh;
    }
    this.#freshHttp1 ??= this.#createAgent(0, false);
    return this.#freshHttp1;
  }

  #addRoute(origin: string): Route {
    const target = new URL(origin);
    const proxy = this.#settings.socketPath === undefined ? this.#settings.proxyFor(target) : undefined;
    // Unencrypted requests go to the proxy in absolute form (RFC 9112, 3.2.2): many proxies refuse CONNECT to port 80.
    const isTunnel = proxy !== undefined && target.protocol === 'https:';
    const name = proxy === undefined ? origin : placeOf(proxy.url.origin);
    const place = this.#places.get(name) ?? this.#createPlace();
    this.#places.set(name, place);
    const route = { proxy, isTunnel, place, slots: place.slots, pool: undefined };
    this.#routes.set(origin, route);
    return route;
  }

  #createPlace(): Place {
    const { policy, clock } = this.#settings;
    return { slots: new Slots(policy.connections.maxPerOrigin, () => clock.nowMs()), open: new OpenConnections() };
  }

  #createAgent(pipelining: 0 | 1, http2: boolean, onPool?: (origin: string, pool: Pool) => void): Agent {
    const { policy } = this.#settings;
    return new Agent({
      ...this.#clientOptions(pipelining, http2),
      factory: (origin: string | URL, options: object) => {
        const pool = new Pool(String(origin), {
          ...options,
          connections: http2 ? null : policy.connections.maxPerOrigin,
          factory: (own: URL, clientOptions: object) => this.#createClient(own, clientOptions, http2),
        } as Pool.Options);
        onPool?.(String(origin), pool);
        return pool;
      },
    } as Agent.Options);
  }

  #clientOptions(pipelining: 0 | 1, allowH2: boolean): Client.Options {
    const { maxIdleMs } = this.#settings.policy.connections;
    // Our own clocks are finer: undici's tick every half second.
    const clocks = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: maxIdleMs, keepAliveMaxTimeout: maxIdleMs };
    return { pipelining, allowH2, ...clocks };
  }

  #createClient(origin: URL, options: object, http2: boolean): Client {
    // Requests in absolute form go to the proxy's own address.
    const place = this.#routes.get(origin.origin)?.place ?? this.#places.get(placeOf(origin.origin))!;
    return new ObservedClient(origin, options, this.#connectFor(origin.origin, http2), place);
  }

  #connectFor(origin: string, http2: boolean): Connect {
    const { policy, clock, tls, socketPath } = this.#settings;
    const settings = { connectMs: policy.timeouts.connectMs, http2, tls, socketPath };
    const { proxy, isTunnel } = this.#routes.get(origin) ?? { proxy: undefined, isTunnel: false };
    if (proxy === undefined || !isTunnel) return createConnect(settings, clock);
    const count = this.#tunnels.get(proxy.url.origin) ?? new TunnelCount(clock);
    this.#tunnels.set(proxy.url.origin, count);
    const toProxy = createConnect({ ...settings, http2: false }, clock);
    const toOrigin = createConnect(settings, clock);
    return createTunnelConnect({ proxy, count, connectMs: settings.connectMs, toProxy, toOrigin }, clock);
  }
}

function placeOf(proxyOrigin: string): string {
  return `proxy ${proxyOrigin}`;
}

function throughProxy(options: DispatchOptions, proxy: ForwardProxy): DispatchOptions {
  const origin = String(options.origin);
  const host = headerOf(options.headers as RequestHeaders, 'host') ?? new URL(origin).host;
  const set = { host, 'proxy-authorization': proxy.authorization };
  return {
    ...options,
    origin: proxy.url.origin,
    path: `${origin}${options.path}`,
    headers: withHeaders(options.headers as RequestHeaders, new Set(['host', 'proxy-authorization']), set),
  };
}

/** A connection that tells the hops on it whether they are its first, and is counted while it is open. */
class ObservedClient extends Client implements OpenConnection {
  #facts: ConnectionFacts = { socket: undefined, isReused: true, address: undefined, isHttp2: false };
  #hasServed = false;
  /** Undefined while none is open. */
  #socket: Socket | undefined;

  constructor(origin: URL, options: object, connect: Connect, { slots, open }: Place) {
    super(origin, {
      ...options,
      connect: ((connectOptions: Parameters<Connect>[0], callback: Parameters<Connect>[1]) => {
        open.makeRoom(slots.limit);
        open.add(this);
        connect(connectOptions, (error, socket) => {
          if (socket === null) open.delete(this);
          else this.#begin(socket, open);
          callback(error, socket);
        });
      }) as never,
    } as Client.Options);
  }

  get isIdle(): boolean {
    return this.#socket !== undefined && this.stats.size === 0;
  }

  /** undici's `close` and `destroy` are for good; this one serves again, over another connection. */
  closeConnection(): void {
    this.#socket?.destroy();
  }

  #begin(socket: Socket, open: OpenConnections): void {
    this.#socket = socket;
    socket.once('close', () => {
      this.#socket = undefined;
      open.delete(this);
    });
    const isHttp2 = (socket as { readonly alpnProtocol?: unknown }).alpnProtocol === 'h2';
    this.#facts = { socket, isReused: true, address: socket.remoteAddress, isHttp2 };
    this.#hasServed = false;
  }

  override dispatch(options: DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof HopHandler) handler.onBeforeSend = this.#describe;
    return super.dispatch(options, handler);
  }

  /** One function for all hops of the connection, and one answer for all but the first. */
  readonly #describe = (): ConnectionFacts => {
    if (this.#hasServed) return this.#facts;
    this.#hasServed = true;
    return { ...this.#facts, isReused: false };
  };
}

/** A dispatcher of somebody else's, under a bare interceptor: no limit, no fresh connections, no view of sockets. */
export class ForeignTransport implements Transport {
  readonly #dispatch: Dispatcher['dispatch'];

  constructor(dispatch: Dispatcher['dispatch']) {
    this.#dispatch = dispatch;
  }

  send(options: DispatchOptions, hop: HopHandler): void {
    this.#dispatch(options, new NewFaceHopHandler(hop) as unknown as Dispatcher.DispatchHandler);
  }

  pass(options: DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#dispatch(options, handler);
  }

  slowDown(): void {}

  wentWell(): void {}

  isCrowded(): boolean {
    return false;
  }

  async close(): Promise<void> {}

  async destroy(): Promise<void> {}
}
