/** Every scenario that the lab knows by name, through Node's own `fetch`. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerOf, wrapFetch } from '../../src/fetch/index.ts';
import { type CatalogueEntry, catalogue, type Lab, type Run, scenarioNamed, startLab } from '../../src/lab/index.ts';

const sizeBytes = 512 * 1024;
const heal = wrapFetch(globalThis.fetch, {
  retry: {
    maxAttempts: 20,
    baseDelayMs: 1,
    throttleDelayMs: 1,
    maxDelayMs: 800,
    minProgressBytes: 1_024,
    maxPushbackMs: 2_000,
  },
  timeouts: { headersMs: 1_000, stallMs: 300 },
  budget: { capacity: 10_000 },
});

const isLenient = 'Node’s fetch takes a damaged or shortened coding for a whole one';
const hasNoEnd = 'Node’s fetch takes a reset for the end of a body without a length';

/** Wrong bodies that no layer above Node's `fetch` can notice: the ledger does not claim to have proven them. */
const unverifiable: ReadonlyMap<string, string> = new Map([
  ['gzip-truncated', isLenient],
  ['gzip-without-trailer', isLenient],
  ['gzip-flipped', isLenient],
  ['close-fin', hasNoEnd],
  ['close-framed-reset', hasNoEnd],
]);

/** Servers that lie about content or length: only a digest, which is not looked at here, could tell. */
const lies: ReadonlySet<string> = new Set([
  'empty-200',
  'captive-portal',
  '206-wrong-bytes',
  'change-under-same-etag',
  'length-too-short',
  'flipped-bytes',
]);

/** What Node's own `fetch` refuses, again and again: an unasked 100. */
const refused: ReadonlySet<string> = new Set(['informational']);

/** Hops that a `fetch` does not show: requests on connections that were never served, and redirects but the last. */
const uncounted: ReadonlySet<string> = new Set([
  'backlog-overflow',
  'fin-on-accept',
  'reset-on-accept',
  'silent-on-accept',
  'redirect-loop',
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

function checkBody({ scenario, expect: expected }: CatalogueEntry, { version, error, integrity }: Outcome): void {
  const { name } = scenario;
  expect(error?.name, 'hung').not.toBe('TimeoutError');
  if (expected === 'fails' || refused.has(name)) expect(error).toBeInstanceOf(TypeError);
  else if (unverifiable.has(name)) expect(version === 0 || integrity === 'unverifiable').toBe(true);
  else if (expected === 'heals') expect([error, version]).toEqual([undefined, 0]);
  else if (error === undefined && !lies.has(name)) expect(version, 'a mixture').toBeGreaterThanOrEqual(0);
}

describe('the catalogue of the lab', { concurrent: true }, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab();
  });
  afterAll(() => lab.close());

  // Certificates are the platform's affair.
  for (const entry of catalogue.filter(({ needs }) => needs === undefined)) {
    const { name } = entry.scenario;
    test(`${name}: ${entry.description}`, async () => {
      const run = lab.play(scenarioNamed(name, { sizeBytes }), { port: 'own' });
      await run.ready;
      const outcome = await fetchWhole(run);
      checkBody(entry, outcome);
      if (!uncounted.has(name)) expect(outcome.hops, 'hops').toBe(run.requestCount);
    });
  }
});
