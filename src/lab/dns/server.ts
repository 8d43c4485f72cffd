import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { createServer, isIPv4, type Server, type Socket } from 'node:net';
import { Signals } from '../signals.ts';
import { selects } from '../verdict.ts';
import { createLookup } from './lookup.ts';
import { type DnsQuestion, encodeReply, parseQuestion, rcodes } from './message.ts';
import type { DnsFault, DnsPlan, DnsQueryRecord, DnsRule, LabDns } from './plan.ts';

const garbage = Buffer.from('this is not a message of DNS');
const portTries = 20;

/** Starts a name server on UDP and TCP of one port. */
export async function startDns(plan: DnsPlan, host: string): Promise<LabDns> {
  for (let tries = 1; ; tries += 1) {
    const tcp = await listenTcp(host);
    const { port } = tcp.address() as AddressInfo;
    try {
      return new LiveDns(plan, host, port, tcp, await bindUdp(host, port));
    } catch (error) {
      tcp.close();
      // Somebody else may have the same port for UDP.
      if (tries === portTries) throw error;
    }
  }
}

class LiveDns implements LabDns {
  readonly server: string;
  readonly port: number;
  readonly queries: DnsQueryRecord[] = [];
  readonly lookup: LabDns['lookup'];
  readonly #plan: DnsPlan;
  readonly #tcp: Server;
  readonly #udp: DatagramSocket;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #signals = new Signals();
  readonly #counts = new Map<DnsRule, number>();
  readonly #startedAtMs = performance.now();

  constructor(plan: DnsPlan, host: string, port: number, tcp: Server, udp: DatagramSocket) {
    this.#plan = plan;
    this.port = port;
    this.server = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.lookup = createLookup(this.server);
    this.#tcp = tcp;
    this.#udp = udp;
    udp.on('message', (message, from) => {
      this.#answer(message, 'udp', (reply) => udp.send(reply, from.port, from.address));
    });
    tcp.on('connection', (socket) => this.#accept(socket));
  }

  async untilQuery(n: number): Promise<DnsQueryRecord> {
    await this.#signals.until(() => this.queries.length >= n);
    return this.queries[n - 1]!;
  }

  async close(): Promise<void> {
    this.#signals.close(new Error('The name server was closed'));
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** RFC 1035 4.2.2: over TCP two bytes of length stand before each message. */
  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        this.#answer(pending.subarray(2, end), 'tcp', (reply) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([length, reply]));
        });
        pending = pending.subarray(end);
      }
    });
  }

  #answer(message: Buffer, over: 'udp' | 'tcp', send: (reply: Buffer) => void): void {
    const question = parseQuestion(message);
    if (question === undefined) return;
    const fault = this.#faultFor(question);
    const isTruncated = fault?.kind === 'truncated' && over === 'udp';
    const addresses = this.#addressesFor(question, fault);
    const answered = answerWord(fault, isTruncated, addresses ?? []);
    const word = answered === 'empty' && addresses === undefined ? 'NXDOMAIN' : answered;
    this.queries.push({
      n: this.queries.length + 1,
      over,
      name: question.name,
      type: question.type,
      atMs: performance.now() - this.#startedAtMs,
      ...(fault && { fault: fault.kind }),
      answered: word,
      addresses: word === 'addresses' ? (addresses ?? []) : [],
    });
    this.#signals.changed();
    if (word === 'nothing') return;
    const reply = word === 'garbage' ? garbage : this.#encode(question, word, addresses ?? []);
    if (fault?.kind === 'delay') this.#after(fault.delayMs, () => send(reply));
    else send(reply);
  }

  #encode(question: DnsQuestion, word: DnsQueryRecord['answered'], addresses: readonly string[]): Buffer {
    return encodeReply(question, {
      rcode: word in rcodes ? rcodes[word as keyof typeof rcodes] : rcodes.NOERROR,
      addresses: word === 'addresses' ? addresses : [],
      truncated: word === 'truncated',
      ttlSeconds: this.#plan.ttlSeconds ?? 0,
    });
  }

  /** Every rule counts for itself, whether or not an earlier one decides. */
  #faultFor({ name, type }: DnsQuestion): DnsFault | undefined {
    let decided: DnsFault | undefined;
    for (const rule of this.#plan.rules ?? []) {
      if (rule.name !== undefined && rule.name.toLowerCase() !== name) continue;
      if (rule.type !== undefined && rule.type !== type) continue;
      const count = (this.#counts.get(rule) ?? 0) + 1;
      this.#counts.set(rule, count);
      if (selects(rule.on, count)) decided ??= rule.do;
    }
    return decided;
  }

  /** Of the type that is asked for; `undefined` where there is no such name. */
  #addressesFor({ name, type }: DnsQuestion, fault: DnsFault | undefined): readonly string[] | undefined {
    const names = this.#plan.names ?? { '*': ['127.0.0.1'] };
    const all = fault?.kind === 'addresses' ? fault.addresses : (names[name] ?? names['*']);
    return all?.filter((address) => (isIPv4(address) ? 'A' : 'AAAA') === type);
  }

  #after(delayMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, delayMs);
    this.#timers.add(timer);
  }
}

function answerWord(
  fault: DnsFault | undefined,
  isTruncated: boolean,
  addresses: readonly string[],
): DnsQueryRecord['answered'] {
  if (fault?.kind === 'rcode') return fault.code;
  if (fault?.kind === 'silence') return 'nothing';
  if (fault?.kind === 'garbage') return 'garbage';
  if (isTruncated) return 'truncated';
  return fault?.kind === 'empty' || addresses.length === 0 ? 'empty' : 'addresses';
}

function listenTcp(host: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => resolve(server));
  });
}

function bindUdp(host: string, port: number): Promise<DatagramSocket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => resolve(socket));
  });
}
