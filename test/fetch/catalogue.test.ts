/** Every scenario that the lab knows by name, through Node's own `fetch`. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerOf, wrapFetch } from '../../src/fetch/index.ts';
import { type CatalogueEntry, catalogue, type Lab, type Run, scenarioNamed, startLab } from '../../src/lab/index.ts';

const sizeBytes = 512 * 1024;
const heal = wrapFetch(globalThis.fetch, {
  retry: { maxAttempts: 20, baseDelayMs: 1, throttleDelayMs: 1, minProgressBytes: 1_024, maxPushbackMs: 2_000 },
  timeouts: { headersMs: 1_000, stallMs: 300 },
  budget: { capacity: 10_000 },
});

/** What no layer above a `fetch` can notice; the ledger says `unverifiable`. */
const hidden: ReadonlyMap<string, string> = new Map([
  ['gzip-truncated', 'Node’s fetch takes a coding that ends early for a whole one'],
  ['gzip-without-trailer', 'Node’s fetch takes a coding that ends early for a whole one'],
]);

interface Outcome {
  readonly version: number;
  readonly error: Error | undefined;
  readonly integrity: string | undefined;
  readonly hops: number;
}

async function fetchWhole(run: Run): Promise<Outcome> {
  try {
    const response = await heal(run.url, { throwOnStatus: true, signal: AbortSignal.timeout(25_000) });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const version = run.versionOf(createHash('sha256').update(bytes).digest('hex'));
    const { integrity, hopCount } = ledgerOf(response)!;
    return { version, error: undefined, integrity, hops: hopCount };
  } catch (error) {
    return { version: -1, error: error as Error, integrity: undefined, hops: ledgerOf(error as Error)?.hopCount ?? -1 };
  }
}

/** One request of several at once, or a certificate: nothing for one caller without TLS. */
function isPlayable({ needs }: CatalogueEntry): boolean {
  return needs === undefined;
}

describe('the catalogue of the lab', { concurrent: true }, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab();
  });
  afterAll(() => lab.close());

  for (const { scenario, expect: expected, description } of catalogue.filter(isPlayable)) {
    test(`${scenario.name}: ${description}`, async () => {
      const run = lab.play(scenarioNamed(scenario.name, { sizeBytes }), { port: 'own' });
      const { version, error, integrity, hops } = await fetchWhole(run);
      expect(error?.name, 'hung').not.toBe('TimeoutError');
      if (expected === 'fails') expect(error).toBeInstanceOf(TypeError);
      if (expected === 'heals' && !hidden.has(scenario.name)) expect([error, version]).toEqual([undefined, 0]);
      if (hidden.has(scenario.name)) expect(integrity).toBe('unverifiable');
      else if (error === undefined && version < 0) expect(`${integrity} ${scenario.name}`).toBe('seen');
      if (hops >= 0) expect(hops, 'hops').toBe(run.requestCount);
    });
  }
});
