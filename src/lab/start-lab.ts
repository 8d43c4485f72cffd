import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { certificateAuthority, secureContextFor } from './certificate.ts';
import { checkScenario } from './check-scenario.ts';
import { Connection, type ConnectionHost, type Page, urlOf } from './connection.ts';
import { disturb } from './connection-fault.ts';
import { type ListeningPort, openPort, PortPool } from './port-pool.ts';
import { startProxy } from './proxy.ts';
import type { LabProxy, ProxyPlan } from './proxy-plan.ts';
import { type Version, versionsOf } from './representation.ts';
import { LiveRun, type Run } from './run.ts';
import type { ConnectionFault, Scenario } from './scenario.ts';
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
  /** The clock of Date, Retry-After and Last-Modified headers. @default Date.now */
  readonly nowMs?: () => number;
  /** Ports opened ahead for runs that need one of their own. @default 8 */
  readonly sparePorts?: number;
  /** Scenarios that a client may start by asking for `/s/NAME/…?run=ANYTHING`. @default none */
  readonly scenarios?: readonly Scenario[];
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
  readonly #bodyOf = createBodyMaker();
  readonly #versions = new Map<string, readonly Version[]>();
  #main: ListeningPort | undefined;
  #connectionCount = 0;
  #runCount = 0;
  readonly #faults: unknown[] = [];
  #isClosed = false;

  constructor(options: LabOptions) {
    this.#options = options;
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
    const proxy = await startProxy(plan, this.host);
    this.#proxies.push(proxy);
    return proxy;
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
    await Promise.all([...closed, ...this.#proxies.map((proxy) => proxy.close())]);
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
    if (known !== undefined) return known.scenario.name === name ? known : undefined;
    const scenario = this.#options.scenarios?.find((candidate) => candidate.name === name);
    return scenario === undefined ? undefined : this.#play(scenario, id, {});
  }

  pageFor(target: string): Page {
    const url = urlOf(target);
    if (url.pathname === '/') return listPage(this.#options.scenarios ?? [], this.origin);
    const record = url.pathname === '/record' ? this.runs.get(url.searchParams.get('run') ?? '')?.record : undefined;
    if (record === undefined) return { status: 404, contentType: 'text/plain', text: 'no such run\n' };
    return { status: 200, contentType: 'application/json', text: `${JSON.stringify(record)}\n` };
  }

  #play(scenario: Scenario, id: string, options: PlayOptions): LiveRun {
    if (this.#isClosed) throw new Error('Cannot play a scenario as the lab is closed');
    checkScenario(scenario);
    this.#checkTls(scenario);
    const needsPort = scenario.connections !== undefined || scenario.refuses !== undefined;
    const port = needsPort || options.port === 'own' ? this.#ports.take() : undefined;
    const seed = scenario.seed ?? this.#options.seed ?? 1;
    const origin = port === undefined ? this.origin : this.#originAt(port.port);
    const run = new LiveRun(id, scenario, seed, origin, this.#versionsOf(scenario, seed));
    this.runs.set(id, run);
    if (port !== undefined) port.onConnection = (socket) => this.#accept(socket, run);
    if (port !== undefined && scenario.refuses !== undefined) this.#refuseFor(run, port, scenario.refuses);
    return run;
  }

  #checkTls(scenario: Scenario): void {
    const index = scenario.connections?.findIndex((rule) => needsTls(rule.do)) ?? -1;
    if (index < 0 || this.#options.tls) return;
    const { kind } = scenario.connections![index]!.do;
    throw new TypeError(
      `Cannot play the scenario "${scenario.name}" as connections[${index}].do.kind must be cut or stall in a lab without TLS: received "${kind}"`,
    );
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

  #refuseFor(run: LiveRun, port: ListeningPort, refuses: NonNullable<Scenario['refuses']>): void {
    port.refuse();
    const listen = () => void this.#listenAgain(port);
    if ('untilOpen' in refuses) {
      run.pass(refuses.untilOpen).then(listen, () => {});
      return;
    }
    this.#after(refuses.forMs, listen);
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
    const isSecure = this.#options.tls === true && !isBeforeTls(fault);
    const wire = new Wire(raw, isSecure ? this.#secure(raw, fault) : raw);
    this.#wires.set(wire, raw);
    wire.onClosed(() => this.#wires.delete(wire));
    const connection = new Connection(wire, id, this.#hostFor(run));
    if (run !== undefined) {
      const record = connection.join(run);
      if (fault !== undefined) record.faults.push(fault.kind);
    }
    disturb(fault, wire)
      .then((afterwards) => (afterwards === 'next' ? connection.serve() : undefined))
      .catch((error: unknown) => {
        this.#faults.push(error);
        wire.destroy();
      });
  }

  #hostFor(run: LiveRun | undefined): ConnectionHost {
    return {
      nowMs: () => this.nowMs(),
      runFor: (target) => run ?? this.runFor(target),
      pageFor: (target) => this.pageFor(target),
    };
  }

  #secure(raw: Socket, fault: ConnectionFault | undefined): TLSSocket {
    const secureContext = secureContextFor(fault?.kind === 'certificate' ? fault.which : 'good');
    return new TLSSocket(raw, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
  }

  #originAt(port: number): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `${this.#options.tls ? 'https' : 'http'}://${host}:${port}`;
  }
}

function needsTls({ kind }: ConnectionFault): boolean {
  return kind.startsWith('tls-') || kind === 'certificate';
}

/** Whether the fault strikes before a handshake, on the bare socket. */
function isBeforeTls(fault: ConnectionFault | undefined): boolean {
  if (fault === undefined || fault.kind === 'certificate') return false;
  return fault.kind !== 'stall' || fault.forMs === undefined;
}

function listPage(scenarios: readonly Scenario[], origin: string): Page {
  const lines = scenarios.map(({ name }) => `${origin}/s/${name}/file.bin?run=1-${name}\n`);
  return { status: 200, contentType: 'text/plain', text: lines.join('') || 'no scenario may be started from here\n' };
}
