/** Whether what would follow a body is asked for, and what the answer means; the judgement is core's. Pure. */
import {
  type EndProbeAnswer,
  type EndProbeVerdict,
  endProbeRange,
  type Integrity,
  judgeEndProbe,
} from '../core/index.ts';
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

export function probeHeaders(bytes: number): Readonly<Record<string, string>> {
  return { range: endProbeRange(bytes) };
}

export type ProbeAnswer = EndProbeAnswer;
export type ProbeVerdict = EndProbeVerdict;

export function judgeProbe(bytes: number, { representation }: Pin, answer: ProbeAnswer): ProbeVerdict {
  return judgeEndProbe(bytes, representation, answer);
}
