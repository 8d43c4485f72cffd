/**
 * Where nothing says where a body ends (one that its connection's end delimits, RFC 9112, 6.3), what would follow it is
 * asked for: a server that knows ranges says with 416 that there is nothing (RFC 9110, 15.5.17), or sends the rest of a
 * body that was cut without a sign. Pure.
 */
import { groupDigits, type Integrity, parseContentRange, parseLength, parseUnsatisfiedRange } from '../core/index.ts';
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

/** Without If-Range: a 416 is the answer that is hoped for, and another version is told by its own validators. */
export function probeHeaders(bytes: number): Readonly<Record<string, string>> {
  return { range: `bytes=${bytes}-` };
}

export interface ProbeAnswer {
  readonly statusCode: number;
  readonly contentRange?: string | undefined;
  readonly contentLength?: string | undefined;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export type ProbeVerdict =
  | { readonly kind: 'ends-here' }
  | { readonly kind: 'goes-on'; readonly what: string }
  /** The answer says nothing about the bytes at hand. */
  | { readonly kind: 'unknown' };

export function judgeProbe(bytes: number, { representation }: Pin, answer: ProbeAnswer): ProbeVerdict {
  // A 416 need not say of what it is (RFC 9110, 15.5.17).
  const isOther = (now: string | undefined, then: string | undefined) => (now ?? then) !== (then ?? now);
  if (isOther(answer.etag, representation.etag) || isOther(answer.lastModified, representation.lastModified)) {
    return { kind: 'unknown' };
  }
  switch (answer.statusCode) {
    case 416:
      return judgeTotal(bytes, parseUnsatisfiedRange(answer.contentRange));
    case 206: {
      const range = parseContentRange(answer.contentRange);
      if (range?.firstByte !== bytes) return { kind: 'unknown' };
      return goesOn(bytes, range.totalBytes);
    }
    case 200:
      return judgeTotal(bytes, parseLength(answer.contentLength));
    default:
      return { kind: 'unknown' };
  }
}

function judgeTotal(bytes: number, totalBytes: number | undefined): ProbeVerdict {
  if (totalBytes === undefined || totalBytes < bytes) return { kind: 'unknown' };
  return totalBytes === bytes ? { kind: 'ends-here' } : goesOn(bytes, totalBytes);
}

function goesOn(bytes: number, totalBytes: number | undefined): ProbeVerdict {
  const of = totalBytes === undefined ? 'more' : groupDigits(totalBytes);
  return { kind: 'goes-on', what: `the body ended without a sign at byte ${groupDigits(bytes)} of ${of}` };
}
