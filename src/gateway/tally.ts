/**
 * What is counted for every request, in plain numbers: the metrics library finds a counter by its labels each time, checks
 * them and makes a key of them, which costs more than all that is counted. It gets the numbers when somebody asks.
 */
import { Counter, type Histogram, type Registry } from 'prom-client';

export interface MetricNames {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

interface Tally {
  readonly labels: readonly string[];
  /** Not yet told to the library. */
  untold: number;
}

export class CountedByLabels {
  readonly #tallies = new Map<string, Map<string, Tally>>();
  readonly #labelCount: number;

  constructor(registry: Registry, { name, help, labelNames }: MetricNames) {
    const tallies = this.#tallies;
    this.#labelCount = labelNames.length;
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        for (const group of tallies.values()) for (const tally of group.values()) tellCounter(this, tally);
      },
    });
  }

  /** One more of these labels; `more`: those beyond the second. */
  count(first: string, second = '', ...more: readonly string[]): void {
    let group = this.#tallies.get(first);
    if (group === undefined) {
      group = new Map();
      this.#tallies.set(first, group);
    }
    const key = more.length === 0 ? second : [second, ...more].join('\n');
    let tally = group.get(key);
    if (tally === undefined) {
      tally = { labels: [first, second, ...more].slice(0, this.#labelCount), untold: 0 };
      group.set(key, tally);
    }
    tally.untold += 1;
  }
}

function tellCounter(counter: Counter, tally: Tally): void {
  counter.labels(...tally.labels).inc(tally.untold);
  tally.untold = 0;
}

interface Timing {
  /** By the index of the bucket; the last one is for what is above all bounds. */
  readonly counts: number[];
  sum: number;
  count: number;
}

/** A histogram with one label. */
export class TimedByLabel {
  readonly #names: MetricNames;
  readonly #bounds: readonly number[];
  readonly #timings = new Map<string, Timing>();

  /** @param bounds the upper bounds of the buckets, in ascending order */
  constructor(registry: Registry, names: MetricNames, bounds: readonly number[]) {
    this.#names = names;
    this.#bounds = bounds;
    // All that a registry asks of a metric is its name and `get`.
    registry.registerMetric({ name: names.name, get: () => Promise.resolve(this.#read()) } as unknown as Histogram);
  }

  observe(label: string, value: number): void {
    let timing = this.#timings.get(label);
    if (timing === undefined) {
      timing = { counts: new Array<number>(this.#bounds.length + 1).fill(0), sum: 0, count: 0 };
      this.#timings.set(label, timing);
    }
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket += 1;
    timing.counts[bucket]! += 1;
    timing.sum += value;
    timing.count += 1;
  }

  #read() {
    const { name, help, labelNames } = this.#names;
    const values = [...this.#timings].flatMap(([label, timing]) => this.#valuesOf(timing, { [labelNames[0]!]: label }));
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }

  #valuesOf({ counts, sum, count }: Timing, labels: Readonly<Record<string, string>>) {
    const { name } = this.#names;
    let upTo = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, index) => {
      upTo += counts[index]!;
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: upTo };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
