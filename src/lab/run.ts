import type { LabProxy } from './proxy-plan.ts';
import { createRecord, type OpenRunRecord, type RequestRecord, type RunRecord } from './record.ts';
import { digestOf, type Version } from './representation.ts';
import type { Scenario } from './scenario.ts';
import { Signals } from './signals.ts';
import type { RequestFacts } from './verdict.ts';

/** One version of the resource, as a test compares it. */
export interface RunVersion {
  /** The first request (1-based) that meets it. */
  readonly fromRequest: number;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly etag: string | undefined;
  bytes(): Buffer;
}

/** A scenario being played: an address, and all that happened to it. */
export interface Run {
  readonly id: string;
  readonly scenario: Scenario;
  /** The scenario's seed, or else the lab's. */
  readonly seed: number;
  /** Where this run is served; its own port if the scenario disturbs connections. */
  readonly origin: string;
  /** The resource's URL. */
  readonly url: string;
  /** Resolves when the run is as its scenario says: at once, but for a queue that must be filled first. */
  readonly ready: Promise<void>;
  /** The run's proxy, if its scenario has one. */
  readonly proxy: LabProxy | undefined;
  /** The URL of another file or method's target of the same run; every file is the same resource. */
  urlWith(part: { readonly file?: string; readonly query?: Readonly<Record<string, string>> }): string;
  /** Hex, of the first version. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The first version's content. */
  bytes(): Buffer;
  readonly versions: readonly RunVersion[];
  /** The index of the version with this digest (hex), or -1: a mixture, or damaged. */
  versionOf(sha256: string): number;
  readonly record: RunRecord;
  readonly requestCount: number;
  /** Resolves when the n-th request (1-based) has been read to its end, or as far as the fault lets it. */
  untilRequest(n: number): Promise<RequestRecord>;
  /** Resolves when the answer to the n-th request has ended, however it did. */
  untilAnswered(n: number): Promise<RequestRecord>;
  /** Resolves when the n-th connection has been accepted. */
  untilConnection(n: number): Promise<void>;
  /** Resolves when `holds` is true of the record; looked at whenever anything happens. */
  until(holds: (record: RunRecord) => boolean): Promise<void>;
  /** Resolves when no connection of this run is open. */
  untilIdle(): Promise<void>;
  /** Resolves when a request waits at the gate. */
  untilGate(name: string): Promise<void>;
  /** Opens a gate, for those who wait and those who come later. */
  open(name: string): void;
}

/** The lab's side of a run. */
export class LiveRun implements Run {
  readonly record: OpenRunRecord = createRecord();
  /** The facts of every request so far, for the verdicts. */
  readonly facts: RequestFacts[] = [];
  readonly signals = new Signals();
  readonly id: string;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly origin: string;
  readonly versions: readonly RunVersion[];
  readonly served: readonly Version[];
  ready: Promise<void> = Promise.resolve();
  proxy: LabProxy | undefined;
  openConnections = 0;
  concurrentRequests = 0;
  readonly #startedAtMs = performance.now();
  readonly #openGates = new Set<string>();
  readonly #waitingAt = new Map<string, number>();

  constructor(id: string, scenario: Scenario, seed: number, origin: string, served: readonly Version[]) {
    this.id = id;
    this.scenario = scenario;
    this.seed = seed;
    this.origin = origin;
    this.served = served;
    this.versions = served.map(describe);
  }

  get url(): string {
    return this.urlWith({});
  }

  get sha256(): string {
    return this.versions[0]!.sha256;
  }

  get sizeBytes(): number {
    return this.versions[0]!.sizeBytes;
  }

  get requestCount(): number {
    return this.record.requests.length;
  }

  bytes(): Buffer {
    return this.versions[0]!.bytes();
  }

  versionOf(sha256: string): number {
    return this.versions.findIndex((version) => version.sha256 === sha256);
  }

  urlWith({ file = 'file.bin', query = {} }: Parameters<Run['urlWith']>[0]): string {
    return `${this.origin}${this.pathOf(file, query)}`;
  }

  pathOf(file: string, query: Readonly<Record<string, string>> = {}): string {
    return `/s/${this.scenario.name}/${file}?${new URLSearchParams({ run: this.id, ...query })}`;
  }

  async untilRequest(n: number): Promise<RequestRecord> {
    await this.signals.until(() => this.record.requests[n - 1]?.isRead === true);
    return this.record.requests[n - 1]!;
  }

  async untilAnswered(n: number): Promise<RequestRecord> {
    await this.signals.until(() => (this.record.requests[n - 1]?.answered.endedBy ?? 'none') !== 'none');
    return this.record.requests[n - 1]!;
  }

  untilConnection(n: number): Promise<void> {
    return this.signals.until(() => this.record.connections.length >= n);
  }

  until(holds: (record: RunRecord) => boolean): Promise<void> {
    return this.signals.until(() => holds(this.record));
  }

  untilIdle(): Promise<void> {
    return this.signals.until(() => this.openConnections === 0);
  }

  untilGate(name: string): Promise<void> {
    return this.signals.until(() => (this.#waitingAt.get(name) ?? 0) > 0);
  }

  open(name: string): void {
    this.#openGates.add(name);
    this.signals.changed();
  }

  /** Waits at a gate; for requests, and for a port that listens later. */
  async pass(name: string): Promise<void> {
    this.#waitingAt.set(name, (this.#waitingAt.get(name) ?? 0) + 1);
    this.signals.changed();
    await this.signals.until(() => this.#openGates.has(name));
    this.#waitingAt.set(name, (this.#waitingAt.get(name) ?? 1) - 1);
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }
}

function describe({ fromRequest, identity }: Version): RunVersion {
  const { source, etag } = identity;
  let sha256: string | undefined;
  return {
    fromRequest,
    sizeBytes: source.sizeBytes,
    get sha256() {
      sha256 ??= digestOf(source).toString('hex');
      return sha256;
    },
    etag,
    bytes: () => source.read(0, source.sizeBytes),
  };
}
