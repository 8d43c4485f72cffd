import { answers } from './catalogue-answers.ts';
import { connections } from './catalogue-connections.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import { http2 } from './catalogue-http2.ts';
import { measured } from './catalogue-measured.ts';
import { proxies } from './catalogue-proxies.ts';
import type { ProxyPlan } from './proxy-plan.ts';
import { defaultResource } from './representation.ts';
import type { BodyPosition, Change, Fault, ResourcePlan, Scenario } from './scenario.ts';

/** Every scenario that the lab knows by name. */
export const catalogue: readonly CatalogueEntry[] = [...measured, ...connections, ...answers, ...http2, ...proxies];

/** What may be chosen anew for a scenario of the catalogue. */
export interface ScenarioOverrides {
  readonly seed?: number;
  /** Every position in the body grows or shrinks with the size. */
  readonly sizeBytes?: number;
  readonly resource?: Omit<ResourcePlan, 'sizeBytes'>;
}

/**
 * A scenario of the catalogue, in another size or with another seed if wanted.
 * @throws RangeError if there is none of that name.
 */
export function scenarioNamed(name: string, overrides: ScenarioOverrides = {}): Scenario {
  const entry = catalogue.find(({ scenario }) => scenario.name === name);
  if (entry === undefined) {
    const near = catalogue.map(({ scenario }) => scenario.name).filter((other) => other.includes(name.slice(0, 3)));
    throw new RangeError(
      `Cannot find the scenario ${JSON.stringify(name)}: similar names are ${near.join(', ') || 'none'}`,
    );
  }
  const { scenario } = entry;
  const beforeBytes = scenario.resource?.sizeBytes ?? defaultResource.sizeBytes;
  const sizeBytes = overrides.sizeBytes ?? beforeBytes;
  return {
    ...resized(scenario, sizeBytes / beforeBytes),
    ...(overrides.seed !== undefined && { seed: overrides.seed }),
    resource: { ...scenario.resource, ...overrides.resource, sizeBytes },
  };
}

/** The scenario with every place in a body moved by the same factor. */
export function resized(scenario: Scenario, factor: number): Scenario {
  if (factor === 1) return scenario;
  return {
    ...scenario,
    ...(scenario.proxy && { proxy: resizedProxy(scenario.proxy, factor) }),
    ...(scenario.changes && { changes: scenario.changes.map((change) => resizedChange(change, factor)) }),
    ...(scenario.requests && {
      requests: scenario.requests.map((rule) => ({
        ...rule,
        do: Array.isArray(rule.do)
          ? rule.do.map((fault) => resizedFault(fault, factor))
          : resizedFault(rule.do as Fault, factor),
      })),
    }),
  };
}

function resizedProxy(proxy: ProxyPlan, factor: number): ProxyPlan {
  if (proxy.rules === undefined) return proxy;
  const rules = proxy.rules.map((rule) =>
    'atByte' in rule.do ? { ...rule, do: { ...rule.do, atByte: scaled(rule.do.atByte ?? 0, factor) } } : rule,
  );
  return { ...proxy, rules };
}

function resizedChange(change: Change, factor: number): Change {
  const { keeps, sizeBytes } = change;
  return {
    ...change,
    ...(sizeBytes !== undefined && { sizeBytes: scaled(sizeBytes, factor) }),
    ...(keeps && { keeps: { from: scaled(keeps.from, factor), to: scaled(keeps.to, factor) } }),
  };
}

const positions = ['atByte', 'atOffset', 'everyBytes', 'fromByte', 'toByte'] as const;

function resizedFault(fault: Fault, factor: number): Fault {
  // A place in the head or in the request's body has nothing to do with the size of the resource.
  if ('at' in fault && (fault.at === 'headers' || fault.at === 'upload')) return fault;
  const values: Record<string, unknown> = { ...fault };
  for (const name of positions) {
    if (typeof values[name] === 'number')
      values[name] = Math.max(name === 'everyBytes' ? 1 : 0, scaled(values[name], factor));
  }
  const { atRandomByte: random } = fault as BodyPosition;
  if (random !== undefined) values.atRandomByte = { min: scaled(random.min, factor), max: scaled(random.max, factor) };
  return values as unknown as Fault;
}

function scaled(bytes: number, factor: number): number {
  return Math.floor(bytes * factor);
}
