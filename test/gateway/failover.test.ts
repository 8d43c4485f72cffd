/** The sixteen faults of a failover benchmark, in a hurry: `npm run failover-benchmark` plays them with their real times. */
import { expect, test } from 'vitest';
import type { GatewayConfig } from '../../src/gateway/index.ts';
import {
  type FailoverTiming,
  type FailoverUpstreams,
  type FailoverVerdict,
  failoverFaults,
  fallbackModel,
  playFailover,
  startLab,
} from '../../src/lab/index.ts';
import { openGate, upstream } from './gate.ts';

const hurried: FailoverTiming = {
  retryAfterMs: 1_000,
  slowFirstTokenMs: 8_000,
  stallMs: 8_000,
  silenceMs: 30_000,
  outageMs: 3_000,
  tokenMs: 2,
  sequence: { count: 8, intervalMs: 600 },
  maxWaitMs: 40_000,
};

/** As an operator would have it whose fallback costs more: the same provider first, another one when that is of no use. */
function configOf({ primary, fallback }: FailoverUpstreams, mode: 'error' | 'atomic'): Partial<GatewayConfig> {
  const well = upstream('fallback', fallback, { tier: 1, model: fallbackModel, inputLimit: 2 });
  return {
    pools: {
      both: {
        upstreams: [upstream('primary', primary, { inputLimit: 1 }), well],
        rounds: { within: 'tier', baseDelay: '100ms' },
        timeouts: { headers: '3s', firstContent: '3s', idle: '4s' },
        stream: { mode, damagedEvents: 'pass' },
      },
      well: { upstreams: [upstream('fallback', fallback)] },
    },
    routes: [{ model: fallbackModel, pool: 'well' }, { pool: 'both' }],
  };
}

const rescued = { atomic: [], error: ['S08', 'S09', 'S14'] } as const;

for (const mode of ['atomic', 'error'] as const) {
  for (const fault of failoverFaults) {
    const expected: FailoverVerdict = (rescued[mode] as readonly string[]).includes(fault.id) ? 'safe' : 'pass';
    test.concurrent(`${fault.id}, ${fault.title}: ${expected} in mode ${mode}`, { timeout: 60_000 }, async () => {
      await using lab = await startLab();
      const score = await playFailover(lab, fault, hurried, async (upstreams) => {
        const { timeouts: _own, ...gate } = { timeouts: {}, ...configOf(upstreams, mode) };
        const { url, gateway } = await openGate(gate);
        return { url, close: () => gateway.close() };
      });
      expect([score.verdict, score.because]).toEqual([expected, expect.any(String)]);
    });
  }
}
