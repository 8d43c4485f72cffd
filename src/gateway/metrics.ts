/** What is counted, for Prometheus. Counters are bumped where things happen; states are read when they are asked for. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { PoolEvent } from '../pool/index.ts';
import type { Passage } from './passage.ts';
import type { Snapshot } from './site.ts';
import { CountedByLabels, TimedByLabel } from './tally.ts';

export interface MetricsSight {
  readonly snapshot: Snapshot;
  readonly connections: number;
  readonly bufferedBytes: number;
  readonly lastReloadFailed: boolean;
}

const seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export class Metrics {
  readonly registry = new Registry();
  readonly #requests: CountedByLabels;
  readonly #attempts: CountedByLabels;
  readonly #failures: CountedByLabels;
  readonly #retries: CountedByLabels;
  readonly #duration: TimedByLabel;
  readonly #firstByte: TimedByLabel;

  constructor(see: () => MetricsSight) {
    const { registry } = this;
    collectDefaultMetrics({ register: registry });
    const counted = (name: string, help: string, labelNames: string[]) =>
      new CountedByLabels(registry, { name: `reknit_${name}`, help, labelNames });
    this.#requests = counted('requests_total', 'Requests that have ended, by how', ['pool', 'outcome']);
    this.#attempts = counted('attempts_total', 'Attempts that were started', ['pool', 'upstream']);
    this.#failures = counted('attempt_failures_total', 'Attempts that failed', ['pool', 'upstream', 'class']);
    this.#retries = counted('retries_total', 'Attempts that followed a failed one', ['pool']);
    const timed = (name: string, help: string) =>
      new TimedByLabel(registry, { name: `reknit_${name}`, help, labelNames: ['pool'] }, seconds);
    this.#duration = timed('request_seconds', 'From the request to the end of its answer');
    this.#firstByte = timed('first_byte_seconds', 'From the request to the head of its answer');
    registerStates([registry], see);
  }

  onEvent(pool: string, event: PoolEvent): void {
    switch (event.type) {
      case 'attempt':
        this.#attempts.count(pool, event.upstream);
        return;
      case 'failure':
        this.#failures.count(pool, event.upstream, event.outcomeClass);
        return;
      case 'retry':
        this.#retries.count(pool);
        return;
      default:
    }
  }

  onEnd({ pool, outcome, startedAtMs, answer }: Passage, nowMs: number): void {
    const name = pool?.settings.name ?? '';
    this.#requests.count(name, outcome);
    this.#duration.observe(name, (nowMs - startedAtMs) / 1_000);
    if (answer.startedAtMs !== undefined) this.#firstByte.observe(name, (answer.startedAtMs - startedAtMs) / 1_000);
  }
}

function registerStates(registers: Registry[], see: () => MetricsSight): void {
  const gauge = (name: string, help: string, labelNames: string[], read: (gauge: Gauge, sight: MetricsSight) => void) =>
    new Gauge({
      name: `reknit_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        read(this, see());
      },
    });
  const perUpstream = (name: string, help: string, value: (status: ReturnType<typeof statusesOf>[number]) => number) =>
    gauge(name, help, ['pool', 'upstream'], (one, { snapshot }) => {
      for (const status of statusesOf(snapshot)) one.set({ pool: status.pool, upstream: status.name }, value(status));
    });
  perUpstream('upstream_in_service', '1 unless it is ejected', ({ state }) => Number(state === 'in-service'));
  perUpstream('upstream_held_seconds', 'As it asked to be left alone', ({ heldForMs }) => heldForMs / 1_000);
  perUpstream('upstream_in_flight', 'Attempts that run', ({ inFlight }) => inFlight);
  perUpstream('upstream_failed_requests', 'Requests charged to it, each once', ({ failedRequests }) => failedRequests);
  perUpstream('upstream_ejections', 'Times it was taken out', ({ ejections }) => ejections);
  gauge('in_flight', 'Requests in progress', ['pool'], (one, { snapshot }) => {
    for (const [pool, { inFlight }] of snapshot.pools) one.set({ pool }, inFlight);
  });
  gauge('connections', 'Of clients', [], (one, { connections }) => one.set(connections));
  gauge('buffered_bytes', 'Of request bodies', [], (one, { bufferedBytes }) => one.set(bufferedBytes));
  gauge('config_generation', 'Counts the configurations in use', [], (one, { snapshot }) =>
    one.set(snapshot.generation),
  );
  gauge('config_last_reload_failed', '1 while a broken one is not taken', [], (one, sight) =>
    one.set(Number(sight.lastReloadFailed)),
  );
}

export function statusesOf(snapshot: Snapshot) {
  return [...snapshot.pools].flatMap(([pool, site]) => site.pool.status().map((status) => ({ pool, ...status })));
}
