/** Whether what would follow a body is asked for; what the answer means is core's to judge. Pure. */
import type { Integrity } from '../core/index.ts';
import type { Pin } from './journal.ts';

export interface ProbeFacts {
  readonly integrity: Integrity | undefined;
  /** A digest tells by itself. */
  readonly hasDigest: boolean;
  readonly bytes: number;
  readonly pin: Pin;
  /** How often it was asked in this download. */
  readonly probeCount: number;
}

/** A file that grows while it is read has no end that anybody could prove. */
export const MAX_PROBES = 3;

export function mayProbe({ integrity, hasDigest, bytes, pin, probeCount }: ProbeFacts): boolean {
  const { isLive, refusesRanges, codings, totalBytes } = pin.representation;
  // With a length it is the joints that nothing proves, and not the end.
  if (totalBytes !== undefined) return false;
  if (integrity !== 'unverifiable' || hasDigest || bytes === 0 || probeCount >= MAX_PROBES) return false;
  return !isLive && !refusesRanges && codings === '';
}
