import type { Socket } from 'node:net';
import { catalogue } from './catalogue.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import { certificateAuthority } from './certificate.ts';
import { checkScenario } from './check-scenario.ts';
import { Connection } from './connection.ts';
import { disturb } from './connection-fault.ts';
import type { DnsPlan, LabDns } from './dns/plan.ts';
import { startDns } from './dns/server.ts';
import { type ConnectionHost, ConnectionLines, type Page, urlOf } from './exchange.ts';
import { type FullQueue, fillQueue } from './full-queue.ts';
import { opensHttp2 } from './http2/frames.ts';
import { Http2Session } from './http2/session.ts';
import { pageFor } from './pages.ts';
import { type ListeningPort, openPort, PortPool } from './port-pool.ts';
import { proxyOn, startProxy } from './proxy.ts';
import type { LabProxy, ProxyPlan } from './proxy-plan.ts';
import { type Version, versionsOf } from './representation.ts';
import { LiveRun, type Run } from './run.ts';
import type { Scenario, Until } from './scenario.ts';
import { movesAway, needsPort } from './scenario-needs.ts';
import { checkSecurity, secureWire } from './secure-wire.ts';
import { createBodyMaker } from './seeded-bytes.ts';
import { faultForConnection } from './verdict.ts';
import { Wire } from './wire.ts';

export interface LabOptions {
  /** For scenarios without a seed of their own. @default 1 */
  readonly seed?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 is any free one. @default 0 */
  readonly port?: number;
  /** Serves https with the certificate that `lab.ca` has signed. @default false */
  readonly tls?: boolean;
  /** Speaks HTTP/2 as well: by ALPN with `tls`, by the client's preface without. @default false */
  readonly http2?: boolean;
  /** The clock of Date, Retry-After and Last-Modified headers. @default Date.now */
  readonly nowMs?: () => number;
  /** Ports opened ahead for runs that need one of their own. @default 8 */
  readonly sparePorts?: number;
  /** Scenarios that a client may start by asking for `/s/NAME/…?run=ANYTHING`; `/` lists them. @default none */
  readonly scenarios?: readonly (Scenario | CatalogueEntry)[];
  /** Told of every run that a client has started so. */
  readonly onRun?: (run: Run) => void;
}

export interface PlayOptions {
  /** `own` serves the run on a port of its own also where the scenario does not need it. @default 'shared' */
  readonly port?: 'shared' | 'own';
}

/** A running fault lab. */
export interface Lab extends AsyncDisposable {
  readonly origin: string;
  readonly host: string;
  /** The certificate (PEM) that signs the lab's own; for `ca` options of clients. */
  readonly ca: string;
  /** Starts a fresh run of a scenario, with its own address, counters and record. */
  play(scenario: Scenario, options?: PlayOptions): Run;
  /** Every run so far, by id. */
  readonly runs: ReadonlyMap<string, Run>;
  /** Starts an HTTP proxy with faults of its own. */
  proxy(plan?: ProxyPlan): Promise<LabProxy>;
  /** Starts a name server with faults of its own, and a `lookup` that asks it. */
  dns(plan?: DnsPlan): Promise<LabDns>;
  /**
   * Lets connects to this address hang (Linux), by a queue of connections that is full; until the lab is closed.
   * Every 127.x.y.z is an address of loopback, and where nothing listens it refuses.
   */
  blackhole(address: { readonly host: string; readonly port: number }): Promise<void>;
  /** A port of this host on which nothing listens. */
  reservePort(): Promise<number>;
  /** Sockets that are open now, without those of proxies. */
  readonly openSockets: number;
  /**
   * Destroys every socket, port, timer and proxy.
   * @throws the first error of the lab's own while it served, if there was one: an oracle must not fail in silence.
   */
  close(): Promise<void>;
}

/** Starts a lab on loopback in a few milliseconds. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const lab = new LiveLab(options);
  await lab.start();
  return lab;
}

const defaultSparePorts = 8;

class LiveLab implements Lab, ConnectionHost {
  readonly host: string;
  readonly ca = certificateAuthority;
  readonly runs = new Map<string, LiveRun>();
  readonly nowMs: () => number;
  readonly #options: LabOptions;
  readonly #ports: PortPool;
  readonly #wires = new Map<Wire, Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #proxies: LabProxy[] = [];
  readonly #queues = new Set<FullQueue>();
  readonly #nameServers: LabDns[] = [];
  readonly #bodyOf = createBodyMaker();
  readonly #versions = new Map<string, readonly Version[]>();
  #main: ListeningPort | undefined;
  #connectionCount = 0;
  #runCount = 0;
  #viewCount = 0;
  readonly #entries: readonly CatalogueEntry[];
  readonly #faults: unknown[] = [];
  #isClosed = false;

  constructor(options: LabOptions) {
    this.#options = options;
    this.#entries = (options.scenarios ?? []).map(entryOf);
    this.host = options.host ?? '127.0.0.1';
    this.nowMs = options.nowMs ?? Date.now;
    this.#ports = new PortPool(this.host, options.sparePorts ?? defaultSparePorts);
  }

  async start(): Promise<void> {
    const [main] = await Promise.all([openPort(this.host, this.#options.port ?? 0), this.#ports.fill()]);
    main.onConnection = (socket) => this.#accept(socket, undefined);
    this.#main = main;
  }

  get origin(): string {
    return this.#originAt(this.#main?.port ?? 0);
  }

  get openSockets(): number {
    return this.#wires.size;
  }

  play(scenario: Scenario, options: PlayOptions = {}): Run {
    do this.#runCount += 1;
    while (this.runs.has(String(this.#runCount)));
    return this.#play(scenario, String(this.#runCount), options);
  }

  async proxy(plan: ProxyPlan = {}): Promise<LabProxy> {
    return this.#keepProxy(await startProxy(plan, this.host));
  }

  #keepProxy(proxy: LabProxy): LabProxy {
    this.#proxies.push(proxy);
    return proxy;
  }

  async dns(plan: DnsPlan = {}): Promise<LabDns> {
    const server = await startDns(plan, this.host);
    this.#nameServers.push(server);
    return server;
  }

  async blackhole({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    this.#queues.add(await fillQueue(host, port));
  }

  async reservePort(): Promise<number> {
    const port = await openPort(this.host);
    port.close();
    return port.port;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const error = new Error('The lab was closed');
    for (const run of this.runs.values()) run.signals.close(error);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#main?.close();
    this.#ports.close();
    const closed = [...this.#wires].map(([wire, socket]) => {
      const gone = new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
      wire.destroy();
      return gone;
    });
    const released = [...this.#queues].map((queue) => queue.release());
    released.push(...this.#nameServers.map((server) => server.close()));
    await Promise.all([...closed, ...released, ...this.#proxies.map((proxy) => proxy.close())]);
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  runFor(target: string): LiveRun | undefined {
    const url = urlOf(target);
    const [, marker, name] = url.pathname.split('/');
    const id = url.searchParams.get('run');
    if (marker !== 's' || id === null) return undefined;
    const known = this.runs.get(id);
    if (known !== undefined) return this.#onThisPort(known.scenario.name === name ? known : undefined);
    const entry = this.#entries.find(({ scenario }) => scenario.name === name);
    if (entry === undefined || (entry.needs === 'tls' && !this.#isSecure(entry.scenario))) return undefined;
    const run = this.#play(entry.scenario, id, {});
    this.#options.onRun?.(run);
    return this.#onThisPort(run);
  }

  /** A run that disturbs connections is served on its own port only; the lab's page leads there. */
  #onThisPort(run: LiveRun | undefined): LiveRun | undefined {
    return run !== undefined && (run.origin === this.origin || movesAway(run.scenario)) ? run : undefined;
  }

  pageFor(target: string, accept: string): Page {
    this.#viewCount += 1;
    const { origin, ca, runs } = this;
    return pageFor(target, accept, { origin, ca, entries: this.#entries, runs, viewCount: this.#viewCount });
  }

  #play(scenario: Scenario, id: string, options: PlayOptions): LiveRun {
    if (this.#isClosed) throw new Error('Cannot play a scenario as the lab is closed');
    checkScenario(scenario);
    checkSecurity(scenario, this.#isSecure(scenario));
    const port = needsPort(scenario) || options.port === 'own' ? this.#ports.take() : undefined;
    const seed = scenario.seed ?? this.#options.seed ?? 1;
    const origin = port === undefined ? this.origin : this.#originAt(port.port, this.#isSecure(scenario));
    const run = new LiveRun(id, scenario, seed, origin, this.#versionsOf(scenario, seed));
    this.runs.set(id, run);
    if (port !== undefined) port.onConnection = (socket) => this.#accept(socket, run);
    if (port !== undefined) this.#disturbPort(run, port);
    if (scenario.proxy !== undefined)
      run.proxy = this.#keepProxy(proxyOn(this.#ports.take(), scenario.proxy, this.host));
    return run;
  }

  /** Bodies are made once for all runs of the same resource. */
  #versionsOf(scenario: Scenario, seed: number): readonly Version[] {
    const key = JSON.stringify([seed, scenario.resource, scenario.changes]);
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    const versions = versionsOf(scenario, seed, this.nowMs(), this.#bodyOf);
    if (scenario.resource?.validator !== 'last-modified-weak') this.#versions.set(key, versions);
    return versions;
  }

  #disturbPort(run: LiveRun, port: ListeningPort): void {
    const { refuses, overflows } = run.scenario;
    if (refuses !== undefined) {
      port.refuse();
      this.#until(run, refuses, () => void this.#listenAgain(port));
    }
    if (overflows === undefined) return;
    port.refuse();
    run.ready = fillQueue(this.host, port.port).then(async (queue) => {
      this.#queues.add(queue);
      this.#until(run, overflows, () => {
        this.#queues.delete(queue);
        void queue.release().then(() => this.#listenAgain(port));
      });
      if (this.#isClosed) await queue.release();
    });
    run.ready.catch((error: unknown) => this.#faults.push(error));
  }

  #until(run: LiveRun, until: Until, then: () => void): void {
    if ('untilOpen' in until) run.pass(until.untilOpen).then(then, () => {});
    else this.#after(until.forMs, then);
  }

  /** Somebody else may hold the port for a moment, as an outgoing connection's own. */
  async #listenAgain(port: ListeningPort): Promise<void> {
    if (this.#isClosed) return;
    try {
      await port.listen();
      if (this.#isClosed) port.close();
    } catch {
      this.#after(20, () => void this.#listenAgain(port));
    }
  }

  #after(delayMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, delayMs);
    this.#timers.add(timer);
  }

  #accept(raw: Socket, run: LiveRun | undefined): void {
    this.#connectionCount += 1;
    const id = this.#connectionCount;
    const fault = run && faultForConnection(run.scenario, run.record.connections.length + 1, run.openConnections + 1);
    const speaksHttp2 = this.#options.http2 === true || run?.scenario.protocol !== undefined;
    const protocols = speaksHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'];
    const wire = this.#isSecure(run?.scenario) ? secureWire(raw, protocols, fault, run?.scenario) : new Wire(raw, raw);
    this.#wires.set(wire, raw);
    wire.onClosed(() => this.#wires.delete(wire));
    const lines = new ConnectionLines(wire, id);
    if (run !== undefined) {
      const line = lines.join(run);
      if (fault !== undefined) line.faults.push(fault.kind);
    }
    const serve = async () => {
      if ((await disturb(fault, wire)) === 'over') return;
      const isHttp2 = speaksHttp2 && (await opensHttp2(wire.input));
      const Protocol = isHttp2 ? Http2Session : Connection;
      await new Protocol(wire, lines, this.#hostFor(run)).serve();
    };
    serve().catch((error: unknown) => {
      this.#faults.push(error);
      wire.destroy();
    });
  }

  #isSecure(scenario: Scenario | undefined): boolean {
    return scenario?.protocol === undefined ? this.#options.tls === true : scenario.protocol === 'h2';
  }

  #hostFor(run: LiveRun | undefined): ConnectionHost {
    return {
      origin: this.origin,
      nowMs: () => this.nowMs(),
      runFor: (target) => run ?? this.runFor(target),
      pageFor: (target, accept) => this.pageFor(target, accept),
    };
  }

  #originAt(port: number, isSecure = this.#options.tls === true): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `${isSecure ? 'https' : 'http'}://${host}:${port}`;
  }
}

/** A bare scenario is described by the catalogue where it is from there. */
function entryOf(item: Scenario | CatalogueEntry): CatalogueEntry {
  if ('scenario' in item) return item;
  const known = catalogue.find(({ scenario }) => scenario === item);
  return known ?? { scenario: item, family: 'other', description: '', expect: 'either', why: '' };
}
