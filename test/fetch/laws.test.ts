/** The laws, against generated plans of faults in virtual time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ledgerOf, type ReknitEvent } from '../../src/fetch/index.ts';
import { createWrappedFetch } from '../../src/fetch/wrap-fetch.ts';
import { type VirtualClock, virtualRuntime } from '../../src/runtime/index.ts';
import { type Fate, type ModelResource, ModelServer } from './model-server.ts';
import { CountedAbort, drive, expectDrained } from './virtual-call.ts';

const numRuns = Number(process.env.REKNIT_TEST_RUNS ?? 4_000);
const stallMs = 300;

/** Doubles are mostly drawn next to 0: nearly every cut would come before the first byte. */
const percent = fc.integer({ min: 0, max: 100 }).map((value) => value / 100);

const fate: fc.Arbitrary<Fate> = fc.oneof(
  {
    arbitrary: fc.constantFrom<Fate>(
      { kind: 'refused' },
      { kind: 'reset' },
      { kind: 'network-error' },
      { kind: 'hang' },
    ),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom<Fate>(
      { kind: 'status', status: 503 },
      { kind: 'status', status: 503, retryAfter: '1' },
      { kind: 'status', status: 429 },
      { kind: 'status', status: 500 },
    ),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      range: fc.oneof(
        { arbitrary: fc.constant('right' as const), weight: 3 },
        {
          arbitrary: fc.constantFrom(
            'ignored' as const,
            'earlier' as const,
            'later' as const,
            'short' as const,
            'no-content-range' as const,
            'other-type' as const,
            'empty' as const,
            'too-long' as const,
            'unsatisfied' as const,
            'no-total' as const,
          ),
          weight: 2,
        },
      ),
      cutRatio: fc.oneof({ arbitrary: fc.constant(1), weight: 1 }, { arbitrary: percent, weight: 2 }),
      cutBy: fc.constantFrom('reset' as const, 'end' as const, 'stall' as const),
      isNewVersion: fc.oneof({ arbitrary: fc.constant(false), weight: 9 }, { arbitrary: fc.constant(true), weight: 1 }),
    }),
    weight: 6,
  },
);

const resource: fc.Arbitrary<ModelResource> = fc
  .record({
    sizeBytes: fc.oneof(
      { arbitrary: fc.integer({ min: 0, max: 3_000 }), weight: 9 },
      { arbitrary: fc.integer({ min: 65_000, max: 200_000 }), weight: 1 },
    ),
    chunks: fc.integer({ min: 1, max: 12 }),
    validator: fc.constantFrom('strong' as const, 'weak' as const, 'date' as const, 'none' as const),
    framing: fc.constantFrom(
      'length' as const,
      'length' as const,
      'chunked' as const,
      'unmarked' as const,
      'gzip' as const,
      'hidden' as const,
      'stripped' as const,
    ),
  })
  .map(({ chunks, ...rest }) => ({ ...rest, chunkBytes: Math.max(1, Math.ceil(rest.sizeBytes / chunks)) }));

function seldom(value: fc.Arbitrary<number>): fc.Arbitrary<number | undefined> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: 5 }, { arbitrary: value, weight: 1 });
}

const trial = fc.record({
  resource,
  fates: fc.array(fate, { maxLength: 7 }),
  seed: fc.nat(),
  method: fc.oneof({ arbitrary: fc.constant('GET'), weight: 5 }, { arbitrary: fc.constant('POST'), weight: 1 }),
  pauseMs: fc.constantFrom(0, 0, 0, 1_000),
  deadlineMs: seldom(fc.integer({ min: 1, max: 3_000 })),
  abortAtMs: seldom(fc.integer({ min: 0, max: 1_500 })),
});
type Trial = typeof trial extends fc.Arbitrary<infer T> ? T : never;

interface Outcome {
  readonly server: ModelServer;
  readonly received: Uint8Array;
  readonly error: unknown;
  readonly response: Response | undefined;
  readonly events: readonly ReknitEvent[];
  readonly settledAtMs: number;
  readonly clock: VirtualClock;
  readonly abort: CountedAbort;
}

const reason = new Error('not wanted any more');

async function play({ resource, fates, seed, method, pauseMs, deadlineMs, abortAtMs }: Trial): Promise<Outcome> {
  const runtime = virtualRuntime(seed);
  const { clock } = runtime;
  const server = new ModelServer(resource, fates, clock, runtime.random);
  const events: ReknitEvent[] = [];
  const abort = new CountedAbort();
  const heal = createWrappedFetch(
    server.fetch,
    {
      retry: { maxAttempts: 12, baseDelayMs: 10, throttleDelayMs: 20, minProgressBytes: 200 },
      timeouts: { headersMs: 500, stallMs, minBytesPerSecond: 0 },
      budget: { capacity: 100 },
      onEvent: (event) => events.push(event),
    },
    runtime,
  );
  const chunks: Uint8Array[] = [];
  let response: Response | undefined;
  const read = async () => {
    response = await heal('http://model/', { method, deadlineMs, signal: abort.signal });
    const reader = response.body?.getReader();
    for (let step = await reader?.read(); step?.done === false; step = await reader?.read()) {
      chunks.push(step.value);
      if (pauseMs > 0) await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  };
  const timer = abortAtMs === undefined ? undefined : clock.after(abortAtMs, () => abort.abort(reason));
  let error: unknown;
  await drive(clock, read()).catch((thrown: unknown) => {
    error = thrown ?? new Error('nothing was thrown');
  });
  timer?.cancel();
  return { server, received: Buffer.concat(chunks), error, response, events, settledAtMs: clock.nowMs(), clock, abort };
}

function isPrefixOf(received: Uint8Array, version: { readonly bytes: Uint8Array }): boolean {
  return Buffer.compare(received, version.bytes.subarray(0, received.byteLength)) === 0;
}

/** Law 1: every byte of one version once, or an error; what came before the error is of one version, too. */
function checkBytes({ resource }: Trial, { server, received, error, response }: Outcome): void {
  // Its body is the page of the refusal.
  if (response !== undefined && response.status >= 400) return;
  const version = server.versions.find((candidate) => isPrefixOf(received, candidate));
  expect(version, 'a mixture').toBeDefined();
  if (error !== undefined) return;
  if (received.byteLength === version!.bytes.byteLength) return;
  expect([resource.framing, ledgerOf(response!)!.integrity], 'a silent cut').toEqual(['unmarked', 'unverifiable']);
}

/** Law 2: what may have run, and is not repeatable, runs once. Law 3: the ledger counts what the server saw. */
function checkCounts({ method }: Trial, { server, error, response, events }: Outcome): void {
  if (method === 'POST') expect(server.runCount, 'ran twice').toBeLessThanOrEqual(1);
  const ledger = response === undefined ? ledgerOf(error as object) : ledgerOf(response);
  const lastAttempt = events.findLast((event) => event.type === 'end')!;
  expect(lastAttempt.attemptNumber).toBe(events.filter((event) => event.type === 'attempt').length);
  if (ledger === undefined || ledger.outcome === 'aborted' || isCutShort(error)) return;
  expect(ledger.hopCount, 'hops').toBe(server.requestCount);
}

/** At the deadline a request may be on its way, and nobody can tell whether it arrived. */
function isCutShort(error: unknown): boolean {
  return (error as { readonly cause?: { readonly code?: string } } | undefined)?.cause?.code === 'ERR_REKNIT_DEADLINE';
}

/** Law 4: nothing goes past the deadline, an abort settles at once with its own reason, and nothing is left. */
async function checkEnd({ deadlineMs, abortAtMs, pauseMs }: Trial, outcome: Outcome): Promise<void> {
  const { settledAtMs, clock, error, abort, server, events } = outcome;
  if (deadlineMs !== undefined) expect(settledAtMs).toBeLessThanOrEqual(deadlineMs + pauseMs);
  if (abort.signal.aborted && error !== undefined && settledAtMs - abortAtMs! <= pauseMs && isAborted(events)) {
    expect(error).toBe(reason);
    expect(settledAtMs - pauseMs).toBeLessThanOrEqual(abortAtMs!);
  }
  await expectDrained(clock);
  expect(abort.listeners, 'listeners').toBe(0);
  expect(server.openBodies, 'open bodies').toBe(0);
}

function isAborted(events: readonly ReknitEvent[]): boolean {
  return events.some((event) => event.type === 'end' && event.outcome === 'aborted');
}

/** Law 9, as far as it goes here: content that stays the same and can be told from another is read to its end. */
function checkHealed(given: Trial, { error, received, server, response }: Outcome): void {
  if (!mustHeal(given)) return;
  expect(error).toBeUndefined();
  expect(response!.status).toBe(200);
  expect(received.byteLength).toBe(server.versions[0]!.bytes.byteLength);
}

function mustHeal({ resource, fates, method, deadlineMs, abortAtMs }: Trial): boolean {
  const { validator, framing } = resource;
  if (method !== 'GET' || deadlineMs !== undefined || abortAtMs !== undefined) return false;
  if (framing === 'unmarked' || (framing === 'chunked' && (validator === 'weak' || validator === 'none'))) return false;
  return fates.every((one) => one.kind !== 'answer' || !one.isNewVersion);
}

test('a reader gets exactly one version, or an error, whatever happens below it', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(trial, async (given) => {
      const outcome = await play(given);
      checkBytes(given, outcome);
      checkCounts(given, outcome);
      checkHealed(given, outcome);
      await checkEnd(given, outcome);
    }),
    { numRuns },
  );
});

test('the same seed gives the same ledger, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(trial, async (given) => {
      const ledgers = [await play(given), await play(given)].map(({ response, error, events }) => [
        response && ledgerOf(response),
        (error as Error | undefined)?.message,
        events,
      ]);
      expect(JSON.stringify(ledgers[0])).toBe(JSON.stringify(ledgers[1]));
    }),
    { numRuns: 100 },
  );
});
