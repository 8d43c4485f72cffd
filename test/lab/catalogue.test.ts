import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue, checkScenario, type Lab, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { fetchPatiently } from './patient-client.ts';

test('every scenario is valid, plain data, and says what it is', () => {
  for (const entry of catalogue) {
    checkScenario(entry.scenario);
    expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
    expect(entry.description).toMatch(/^\S.*\.$/);
    expect(entry.why).toMatch(/^\S.*\.$/);
  }
  expect(new Set(catalogue.map(({ scenario }) => scenario.name)).size).toBe(catalogue.length);
});

test('the modes of the measured table are there', () => {
  const names = catalogue.filter(({ family }) => family === 'measured').map(({ scenario }) => scenario.name);
  expect(names.join(' ')).toBe(
    'clean refused2s 503x2 429x2 empty-reply rst fin fin-close stall rst-503 norange chunked-fin etag-change etag-noifrange noval-change lie-206 empty-200 close-fin',
  );
});

test('places in the body move with the size', () => {
  const scenario = scenarioNamed('rst', { sizeBytes: 64 * 1024 * 1024, seed: 5 });
  expect(scenario).toMatchObject({
    seed: 5,
    resource: { sizeBytes: 67_108_864 },
    requests: [{ do: { atRandomByte: { min: 1024 * 1024, max: 8 * 1024 * 1024 } } }],
  });
});

test('a wrong name is answered with similar ones', () => {
  expect(() => scenarioNamed('rst5')).toThrow(/similar names are rst, .*rst-503/);
});

describe('a patient client', () => {
  let plain: Lab;
  let secure: Lab;
  beforeAll(async () => {
    [plain, secure] = await Promise.all([startLab({ sparePorts: 64 }), startLab({ tls: true, sparePorts: 64 })]);
  });
  afterAll(() => Promise.all([plain.close(), secure.close()]));

  // Those over HTTP/2 are played in http2/catalogue.test.ts, those behind a proxy in test/wire/proxy-matrix.test.ts.
  const playable = catalogue.filter(({ needs }) => needs === undefined || needs === 'tls');
  for (const { scenario, expect: expected, needs } of playable) {
    test.concurrent(`${scenario.name}: ${expected}`, async () => {
      const lab = needs === 'tls' ? secure : plain;
      const sized = scenarioNamed(scenario.name, { sizeBytes: 262_144 });
      const isTimed = sized.refuses !== undefined && 'forMs' in sized.refuses;
      const run = lab.play(isTimed ? { ...sized, refuses: { forMs: 30 } } : sized);
      await run.ready;
      const outcome = await fetchPatiently(run.url, needs === 'tls' ? lab.ca : undefined);
      await run.untilIdle();
      if (expected === 'heals') {
        expect(outcome).toMatchObject({ kind: 'healed' });
        const body = outcome.kind === 'healed' ? outcome.body : Buffer.alloc(0);
        expect(run.versionOf(createHash('sha256').update(body).digest('hex'))).toBeGreaterThanOrEqual(0);
      }
      if (expected === 'fails') expect(outcome.kind).toBe('failed');
      expect(run.record.requests.every(({ answered }) => answered.endedBy !== 'none')).toBe(true);
      if (scenario.refuses === undefined) expect(run.record.connections.length).toBeGreaterThanOrEqual(1);
      expect(run.record.connections.every(({ closedAtMs }) => closedAtMs !== undefined)).toBe(true);
    });
  }
});
