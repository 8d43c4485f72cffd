import { createHash } from 'node:crypto';
import type { ClientOptions } from '../../src/http/index.ts';
import type { Scenario } from '../../src/lab/index.ts';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Many attempts, hardly any waits, clocks that tick within a test's patience. */
export const quick: ClientOptions = {
  retry: { maxAttempts: 20, baseDelayMs: 1, maxDelayMs: 20, throttleDelayMs: 1 },
  timeouts: { connectMs: 2_000, headersMs: 400, stallMs: 300 },
  budget: { capacity: 100_000 },
};

/** Only where the trouble is silence do short clocks tell it; elsewhere they would tell how busy the machine is. */
export function timeoutsFor(scenario: Scenario): NonNullable<ClientOptions['timeouts']> {
  // Damaged records of TLS and frames of HTTP/2 leave silence, too: undici loses the error.
  const isSilent = /"kind":"(?:stall|trickle|delay|odd-frame|tls-[a-z]+)"/.test(JSON.stringify(scenario));
  return isSilent ? quick.timeouts! : { connectMs: 2_000, headersMs: 15_000, stallMs: 15_000 };
}
