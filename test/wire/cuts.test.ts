import { describe, expect, test } from 'vitest';
import { createClient, ledgerOf } from '../../src/http/index.ts';
import { type Scenario, startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from './ways.ts';

const sizeBytes = 3_000_000;

function cutFourTimes(resource: Scenario['resource'], by: 'rst' | 'fin'): Scenario {
  const cut = { kind: 'cut', by, at: 'body', atRandomByte: { min: 300_000, max: 900_000 } } as const;
  return { name: 'cut-four-times', resource: { sizeBytes, ...resource }, requests: [{ on: { to: 4 }, do: cut }] };
}

const validators = ['strong', 'weak', 'last-modified', 'none'] as const;
const rangeSupport = ['honoured', 'ignored', 'refused'] as const;

describe('a body that is cut four times is read whole', () => {
  for (const validator of validators) {
    for (const ranges of rangeSupport) {
      for (const by of ['rst', 'fin'] as const) {
        test(`validator ${validator}, ranges ${ranges}, by ${by}`, async () => {
          await using lab = await startLab();
          await using client = createClient(quick);
          const run = lab.play(cutFourTimes({ validator, ranges }, by));
          const response = await client.fetch(run.url);
          const body = new Uint8Array(await response.arrayBuffer());
          const ledger = ledgerOf(response)!;
          expect(sha256(body)).toBe(run.sha256);
          expect(ledger.hopCount).toBe(run.requestCount);
          expect(ledger.deliveredBytes).toBe(sizeBytes);
          const isGuess = ranges === 'honoured' && (validator === 'weak' || validator === 'none');
          expect(ledger.integrity).toBe(isGuess ? 'unverifiable' : 'length');
        });
      }
    }
  }
});

test('a cut every 128 KiB costs no attempts, since every attempt made progress', async () => {
  await using lab = await startLab();
  await using client = createClient({ ...quick, retry: { maxAttempts: 2 }, budget: { ratio: 0, capacity: 0 } });
  const cut = { kind: 'cut', by: 'fin', at: 'body', everyBytes: 131_072 } as const;
  const run = lab.play({ name: 'often', resource: { sizeBytes }, requests: [{ on: 'every', do: cut }] });
  const { body, ledger } = await client.request(run.url);
  expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(run.sha256);
  expect(ledger.attemptCount).toBe(Math.ceil(sizeBytes / 131_072));
  expect(ledger.waitedMs).toBe(0);
  expect(run.record.bodyBytesSent).toBe(sizeBytes);
});
