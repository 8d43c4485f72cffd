import { connect, type Socket } from 'node:net';
import { defaultDrainMs } from './delivery.ts';
import { type ListeningPort, openPort } from './port-pool.ts';
import type { LabProxy, ProxyFault, ProxyPlan, ProxyRequestRecord } from './proxy-plan.ts';
import { proxyRefusal } from './proxy-refusal.ts';
import type { Mutable } from './record.ts';
import { type RequestHead, readHead } from './request-reader.ts';
import { Signals } from './signals.ts';
import { selects } from './verdict.ts';
import { Wire } from './wire.ts';

type OpenProxyRecord = Mutable<ProxyRequestRecord>;
type FaultOf<K extends ProxyFault['kind']> = Extract<ProxyFault, { kind: K }>;

/** Starts a proxy on a port of its own; it knows CONNECT and requests in absolute form. */
export async function startProxy(plan: ProxyPlan, host: string): Promise<LabProxy> {
  return proxyOn(await openPort(host), plan, host);
}

/** The same on a port that listens already. */
export function proxyOn(port: ListeningPort, plan: ProxyPlan, host: string): LabProxy {
  const proxy = new LiveProxy(plan, `http://${host.includes(':') ? `[${host}]` : host}:${port.port}`, port.port);
  port.onConnection = (socket) => proxy.accept(socket);
  proxy.onClose = () => port.close();
  return proxy;
}

class LiveProxy implements LabProxy {
  readonly url: string;
  readonly port: number;
  readonly requests: OpenProxyRecord[] = [];
  onClose: () => void = () => {};
  openTunnels = 0;
  maxOpenTunnels = 0;
  readonly #plan: ProxyPlan;
  readonly #sockets = new Set<Socket>();
  readonly #signals = new Signals();
  readonly #faults: unknown[] = [];
  #passedCount = 0;

  constructor(plan: ProxyPlan, url: string, port: number) {
    this.#plan = plan;
    this.url = url;
    this.port = port;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async untilRequest(n: number): Promise<ProxyRequestRecord> {
    await this.#signals.until(() => this.requests.length >= n);
    return this.requests[n - 1]!;
  }

  async close(): Promise<void> {
    this.onClose();
    this.#signals.close(new Error('The proxy was closed'));
    const closed = [...this.#sockets].map((socket) => {
      const gone = new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
      socket.destroy();
      return gone;
    });
    await Promise.all(closed);
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  accept(socket: Socket): void {
    this.#keep(socket);
    this.#serve(new Wire(socket, socket), socket).catch((error: unknown) => {
      this.#faults.push(error);
      socket.destroy();
    });
  }

  async #serve(wire: Wire, socket: Socket): Promise<void> {
    for (;;) {
      const read = await readHead(wire.input);
      if (read.kind !== 'head') return wire.close('fin');
      const record = this.#note(read.head);
      const fault = this.#verdict(read.head);
      if (fault?.kind === 'status') {
        record.status = fault.status;
        record.endedBy = 'refused';
        await wire.write([proxyRefusal(fault)]);
        // A refused CONNECT keeps the connection, so that clients with 407 may answer on it.
        if (/\bclose\b/i.test(fault.headers?.Connection ?? '')) return wire.close('fin');
        continue;
      }
      if (fault?.at === 'request') return this.#endAt(wire, record, fault);
      return this.#passOn(wire, socket, read.head, record, fault);
    }
  }

  #note(head: RequestHead): OpenProxyRecord {
    const record: OpenProxyRecord = {
      n: this.requests.length + 1,
      method: head.method,
      target: head.target,
      headers: head.headers,
      bytesUp: 0,
      bytesDown: 0,
      endedBy: 'none',
    };
    this.requests.push(record);
    this.#signals.changed();
    return record;
  }

  #verdict(head: RequestHead): ProxyFault | undefined {
    const { credentials, maxTunnels, rules = [] } = this.#plan;
    const expected = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (expected !== undefined && head.headers['proxy-authorization'] !== expected) {
      return { kind: 'status', status: 407, headers: { 'Proxy-Authenticate': 'Basic realm="lab"' } };
    }
    if (maxTunnels !== undefined && head.method === 'CONNECT' && this.openTunnels >= maxTunnels) {
      return { kind: 'status', status: 403, headers: { 'X-Squid-Error': 'ERR_ACCESS_DENIED 0', Connection: 'close' } };
    }
    this.#passedCount += 1;
    const n = this.#passedCount;
    return rules.find((rule) => selects(rule.on, n))?.do;
  }

  async #endAt(wire: Wire, record: OpenProxyRecord, fault: FaultOf<'cut' | 'stall'>): Promise<void> {
    if (fault.kind === 'stall') {
      record.endedBy = 'stall';
      await wire.left;
      return wire.close('fin');
    }
    record.endedBy = fault.by;
    if (fault.by === 'rst' && fault.at !== 'request') await wire.drain(fault.afterDrainMs ?? defaultDrainMs);
    wire.close(fault.by);
  }

  async #passOn(
    wire: Wire,
    socket: Socket,
    head: RequestHead,
    record: OpenProxyRecord,
    fault: FaultOf<'cut' | 'stall'> | undefined,
  ): Promise<void> {
    const isTunnel = head.method === 'CONNECT';
    const target = targetOf(head);
    const upstream = target && (await this.#reach(target));
    if (target === undefined || upstream === undefined) {
      record.status = target === undefined ? 400 : 503;
      record.endedBy = 'refused';
      const headers = { 'X-Squid-Error': 'ERR_CONNECT_FAIL 111', Connection: 'close' };
      await wire.write([proxyRefusal({ kind: 'status', status: record.status, headers })]);
      return wire.close('fin');
    }
    if (isTunnel) this.#countTunnel(socket);
    const opening = isTunnel ? Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n') : undefined;
    if (opening !== undefined) {
      record.status = 200;
      await wire.write([opening]);
      if (fault?.at === 'established') {
        upstream.destroy();
        return this.#endAt(wire, record, fault);
      }
    } else {
      upstream.write(originForm(head, target));
    }
    await this.#relay(wire, upstream, record, fault);
  }

  /** Passes bytes both ways until one side ends or the fault's place is reached. */
  async #relay(
    wire: Wire,
    upstream: Socket,
    record: OpenProxyRecord,
    fault: FaultOf<'cut' | 'stall'> | undefined,
  ): Promise<void> {
    const limitBytes = fault?.at === 'tunnel' ? (fault.atByte ?? 0) : Number.POSITIVE_INFINITY;
    void passUp(wire, upstream, record);
    void wire.left.then(() => upstream.end());
    try {
      for await (const chunk of upstream as AsyncIterable<Buffer>) {
        const part = chunk.subarray(0, limitBytes - record.bytesDown);
        if (!(await wire.write([part]))) break;
        record.bytesDown += part.length;
        if (record.bytesDown >= limitBytes && fault !== undefined) {
          upstream.destroy();
          return await this.#endAt(wire, record, fault);
        }
      }
      record.endedBy = 'closed';
      wire.close('fin');
    } catch {
      record.endedBy = 'closed';
      wire.close('rst');
    }
    upstream.destroy();
  }

  #countTunnel(socket: Socket): void {
    this.openTunnels += 1;
    this.maxOpenTunnels = Math.max(this.maxOpenTunnels, this.openTunnels);
    if (socket.destroyed) this.openTunnels -= 1;
    else socket.once('close', () => (this.openTunnels -= 1));
  }

  #reach(target: URL): Promise<Socket | undefined> {
    const socket = connect({ host: target.hostname.replace(/^\[|\]$/g, ''), port: Number(target.port || 80) });
    this.#keep(socket);
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(socket));
      socket.once('error', () => resolve(undefined));
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function targetOf({ method, target }: RequestHead): URL | undefined {
  const text = method === 'CONNECT' ? `http://${target}` : target;
  return URL.canParse(text) ? new URL(text) : undefined;
}

async function passUp(wire: Wire, upstream: Socket, record: OpenProxyRecord): Promise<void> {
  for (;;) {
    const bytes = await wire.input.next();
    if (bytes === undefined || upstream.destroyed) return;
    record.bytesUp += bytes.length;
    upstream.write(bytes);
  }
}

/** The head as it goes to the origin; the exchange gets a connection of its own. */
function originForm(head: RequestHead, target: URL): string {
  const lines = [`${head.method} ${target.pathname}${target.search} HTTP/1.1`];
  for (let at = 0; at < head.rawHeaders.length; at += 2) {
    const name = head.rawHeaders[at] ?? '';
    if (!/^(proxy-.*|connection)$/i.test(name)) lines.push(`${name}: ${head.rawHeaders[at + 1]}`);
  }
  return [...lines, 'Connection: close', '', ''].join('\r\n');
}
