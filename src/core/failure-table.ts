import type { FailureRow } from './failure-row.ts';
import { dnsRows } from './failure-rows-dns.ts';
import { callerRows, decoderRows, localRows } from './failure-rows-ends.ts';
import { http1Rows } from './failure-rows-http1.ts';
import { http2Rows } from './failure-rows-http2.ts';
import { clockRows, tcpRows } from './failure-rows-network.ts';
import { proxyRows } from './failure-rows-proxy.ts';
import { otherRuntimeRows } from './failure-rows-runtimes.ts';
import { tlsRows } from './failure-rows-tls.ts';

/**
 * Everything known about how attempts fail: one row per signature, the first that fits wins, so the specific stand
 * above the general. `docs/failures.md` is made from it, and a test walks every row.
 */
export const failureTable: readonly FailureRow[] = [
  ...clockRows,
  ...proxyRows,
  ...callerRows,
  ...http2Rows,
  ...dnsRows,
  ...tlsRows,
  ...http1Rows,
  ...decoderRows,
  ...tcpRows,
  ...localRows,
  ...otherRuntimeRows,
];
