/**
 * Where nothing says where a body ends (one that its connection's end delimits, RFC 9112, 6.3), what would follow it is
 * asked for: a server that knows ranges says with 416 that there is nothing (RFC 9110, 15.5.17), or sends the rest of a
 * body that was cut without a sign. Pure.
 */
import { parseContentRange, parseLength, parseUnsatisfiedRange } from './fields.ts';
import { groupDigits } from './sentences.ts';

export interface EndValidators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export interface EndProbeAnswer extends EndValidators {
  readonly statusCode: number;
  readonly contentRange?: string | undefined;
  readonly contentLength?: string | undefined;
}

export type EndProbeVerdict =
  | { readonly kind: 'ends-here' }
  | { readonly kind: 'goes-on'; readonly totalBytes: number | undefined; readonly what: string }
  /** The answer says nothing about the bytes at hand. */
  | { readonly kind: 'unknown' };

/** Without If-Range: a 416 is the answer that is hoped for, and another version is told by its own validators. */
export function endProbeRange(bytes: number): string {
  return `bytes=${bytes}-`;
}

export function judgeEndProbe(bytes: number, before: EndValidators, answer: EndProbeAnswer): EndProbeVerdict {
  // A 416 need not say of what it is (RFC 9110, 15.5.17).
  const isOther = (now: string | undefined, then: string | undefined) => (now ?? then) !== (then ?? now);
  if (isOther(answer.etag, before.etag) || isOther(answer.lastModified, before.lastModified)) {
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

function judgeTotal(bytes: number, totalBytes: number | undefined): EndProbeVerdict {
  if (totalBytes === undefined || totalBytes < bytes) return { kind: 'unknown' };
  return totalBytes === bytes ? { kind: 'ends-here' } : goesOn(bytes, totalBytes);
}

function goesOn(bytes: number, totalBytes: number | undefined): EndProbeVerdict {
  const of = totalBytes === undefined ? 'more' : groupDigits(totalBytes);
  return { kind: 'goes-on', totalBytes, what: `the body ended without a sign at byte ${groupDigits(bytes)} of ${of}` };
}
