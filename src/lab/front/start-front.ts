import { connect, type Socket } from 'node:net';
import { defaultDrainMs } from '../delivery.ts';
import { drainSocket, pauseUntil } from '../drain.ts';
import { type ListeningPort, openPort } from '../port-pool.ts';
import type { Mutable } from '../record.ts';
import { Signals } from '../signals.ts';
import { delayed } from './delayed.ts';
import type {
  Direction,
  Front,
  FrontConnectionRecord,
  FrontEnd,
  FrontFault,
  FrontOptions,
  FrontRecord,
} from './plan.ts';
import { faultsForFront, type Lane, type LaneStop, laneFor } from './verdict.ts';

type OpenRecord = Mutable<FrontConnectionRecord>;

/**
 * Starts a TCP proxy in front of any server: bytes pass as they are (TLS too), and connections meet the faults of the rules.
 * @example
 * await using front = await startFront({
 *   target: { host: '127.0.0.1', port: 8080 },
 *   rules: [
 *     { on: 'every', shareRatio: 0.2, do: { kind: 'refuse' } },
 *     { on: 'every', do: { kind: 'cut', by: 'rst', atRandomByte: { min: 262_144, max: 2_097_152 } } },
 *   ],
 * });
 */
export async function startFront(options: FrontOptions): Promise<Front> {
  const port = await openPort(options.host ?? '127.0.0.1', options.port ?? 0);
  const front = new LiveFront(options, port);
  port.onConnection = (socket) => front.accept(socket);
  return front;
}

class LiveFront implements Front {
  readonly host: string;
  readonly port: number;
  readonly record: FrontRecord & { readonly connections: OpenRecord[] };
  readonly #options: FrontOptions;
  readonly #listening: ListeningPort;
  readonly #links = new Set<Link>();
  readonly #signals = new Signals();
  readonly #startedAtMs = performance.now();
  readonly #faults: unknown[] = [];

  constructor(options: FrontOptions, listening: ListeningPort) {
    this.#options = options;
    this.#listening = listening;
    this.host = options.host ?? '127.0.0.1';
    this.port = listening.port;
    const connections: OpenRecord[] = [];
    const sum = (field: 'bytesUp' | 'bytesDown') => connections.reduce((bytes, line) => bytes + line[field], 0);
    this.record = {
      seed: options.seed ?? 1,
      connections,
      get bytesUp() {
        return sum('bytesUp');
      },
      get bytesDown() {
        return sum('bytesDown');
      },
    };
  }

  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`;
  }

  get openConnections(): number {
    return this.#links.size;
  }

  accept(client: Socket): void {
    const { target, rules = [] } = this.#options;
    const { connections, seed } = this.record;
    const n = connections.length + 1;
    const faults = faultsForFront(rules, n, this.#links.size + 1, seed);
    const line: OpenRecord = {
      n,
      openedAtMs: this.#elapsedMs(),
      bytesUp: 0,
      bytesDown: 0,
      faults: faults.map(({ kind }) => kind),
      endedBy: 'none',
    };
    const lane = (direction: Direction) => {
      const passedBytes = direction === 'down' ? this.record.bytesDown : this.record.bytesUp;
      return laneFor(faults, direction, { n, seed, passedBytes });
    };
    const lanes = { down: lane('down'), up: lane('up') };
    connections.push(line);
    const link = new Link(client, line, () => this.#signals.changed());
    this.#links.add(link);
    this.#signals.changed();
    link
      .serve(target, faults, lanes)
      .catch((error: unknown) => this.#faults.push(error))
      .finally(() => {
        line.closedAtMs = this.#elapsedMs();
        this.#links.delete(link);
        this.#signals.changed();
      });
  }

  refuse(): void {
    this.#listening.refuse();
  }

  listen(): Promise<void> {
    return this.#listening.listen();
  }

  resetAll(): void {
    for (const link of this.#links) link.end('rst');
  }

  until(holds: (record: FrontRecord) => boolean): Promise<void> {
    return this.#signals.until(() => holds(this.record));
  }

  untilIdle(): Promise<void> {
    return this.#signals.until(() => this.#links.size === 0);
  }

  async close(): Promise<void> {
    this.#listening.close();
    for (const link of this.#links) link.destroy();
    await this.untilIdle();
    this.#signals.close(new Error('The front was closed'));
    if (this.#faults.length > 0) throw this.#faults[0];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }
}

/** One connection of a client and the one to the server behind. */
class Link {
  readonly #client: Socket;
  readonly #line: OpenRecord;
  readonly #changed: () => void;
  /** Resolves when the client's socket is gone. */
  readonly #left: Promise<void>;
  #target: Socket | undefined;

  constructor(client: Socket, line: OpenRecord, changed: () => void) {
    this.#client = client;
    this.#line = line;
    this.#changed = changed;
    client.on('error', () => {});
    this.#left = new Promise((resolve) => client.once('close', () => resolve()));
  }

  async serve(
    address: FrontOptions['target'],
    faults: readonly FrontFault[],
    lanes: Readonly<Record<Direction, Lane>>,
  ): Promise<void> {
    const refusal = faults.find((fault) => fault.kind === 'refuse');
    if (refusal !== undefined) {
      await pauseUntil(refusal.afterMs ?? 0, this.#left);
      this.end(refusal.by ?? 'rst', 'refused');
    } else {
      const target = await reach(address);
      this.#target = target;
      if (target === undefined) this.end('rst', 'unreachable');
      else if (this.#client.destroyed) target.destroy();
      else await Promise.all([this.#relay('down', lanes.down, target), this.#relay('up', lanes.up, target)]);
    }
    await this.#left;
    this.#target?.destroy();
  }

  /** Ends the client's connection as said, and the other side's at once. */
  end(by: 'rst' | 'fin', endedBy: FrontEnd = by): void {
    if (this.#line.endedBy === 'none') this.#line.endedBy = endedBy;
    this.#target?.destroy();
    if (by === 'rst') {
      this.#client.resetAndDestroy();
      return;
    }
    this.#client.end();
    // Unread input would turn the end into a reset.
    this.#client.resume();
    this.#client.once('end', () => this.#client.destroy());
    if (this.#client.readableEnded) this.#client.destroy();
  }

  destroy(): void {
    this.#client.destroy();
    this.#target?.destroy();
  }

  async #relay(direction: Direction, lane: Lane, target: Socket): Promise<void> {
    const [source, sink] = direction === 'down' ? [target, this.#client] : [this.#client, target];
    const side = direction === 'down' ? 'target' : 'client';
    try {
      let passedBytes = 0;
      const stops = [...lane.stops];
      if (!(await this.#passStops(stops, 0))) return;
      for await (const chunk of delayed(source, lane.delayMs, this.#left)) {
        for (let at = 0; at < chunk.length; ) {
          const { bytes, pauseMs } = stepOf(lane, stops, passedBytes, chunk.length - at);
          if (!(await written(sink, chunk.subarray(at, at + bytes)))) return;
          at += bytes;
          passedBytes += bytes;
          this.#count(direction, bytes);
          if (!(await this.#passStops(stops, passedBytes))) return;
          if (pauseMs > 0) await pauseUntil(pauseMs, this.#left);
        }
      }
      this.#note(side);
      sink.end();
    } catch {
      // Our own cut has destroyed the other side; otherwise a reset is passed on as a reset.
      if (this.#line.endedBy !== 'none') return;
      this.#note(side);
      sink.resetAndDestroy();
    }
  }

  /** Does what is due at this byte; resolves to whether the stream goes on. */
  async #passStops(stops: LaneStop[], passedBytes: number): Promise<boolean> {
    while (stops[0] !== undefined && stops[0].atByte <= passedBytes) {
      const { fault } = stops.shift()!;
      if (fault.kind === 'stall') {
        await pauseUntil(fault.forMs ?? 2 ** 31 - 1, this.#left);
        if (this.#client.destroyed) return false;
        continue;
      }
      if (fault.by === 'rst') await drainSocket(this.#client, fault.afterDrainMs ?? defaultDrainMs, this.#left);
      this.end(fault.by);
      return false;
    }
    return true;
  }

  #count(direction: Direction, bytes: number): void {
    if (direction === 'down') this.#line.bytesDown += bytes;
    else this.#line.bytesUp += bytes;
    this.#changed();
  }

  #note(endedBy: FrontEnd): void {
    if (this.#line.endedBy === 'none') this.#line.endedBy = endedBy;
  }
}

/** How many of the next bytes go in one go, and the wait behind them. */
function stepOf(
  { pace }: Lane,
  stops: readonly LaneStop[],
  passedBytes: number,
  waitingBytes: number,
): { readonly bytes: number; readonly pauseMs: number } {
  const toStop = Math.min(waitingBytes, (stops[0]?.atByte ?? Number.POSITIVE_INFINITY) - passedBytes);
  if (pace === undefined) return { bytes: toStop, pauseMs: 0 };
  if (passedBytes < pace.fromByte) return { bytes: Math.min(toStop, pace.fromByte - passedBytes), pauseMs: 0 };
  return { bytes: Math.min(toStop, pace.chunkBytes), pauseMs: pace.everyMs };
}

function reach({ host, port }: FrontOptions['target']): Promise<Socket | undefined> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
    socket.on('error', () => {});
  });
}

/** Resolves to whether the kernel took the bytes. */
function written(sink: Socket, bytes: Buffer): Promise<boolean> {
  if (!sink.writable) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = () => resolve(false);
    sink.once('close', settle);
    sink.write(bytes, (error) => {
      sink.off('close', settle);
      resolve(error === undefined || error === null);
    });
  });
}
