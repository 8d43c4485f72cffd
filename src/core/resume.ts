/**
 * Resume planning and checking (RFC 9110, 13.1.5, 14 and 15.3.7): what to ask for after a cut, and whether the answer
 * may be joined to what the reader already holds. Never a mixture of two representations.
 */
import {
  contentCodings,
  isStrongEntityTag,
  mediaType,
  parseContentRange,
  parseEntityTag,
  parseLength,
  parseUnsatisfiedRange,
} from './fields.ts';
import { parseHttpDate } from './http-date.ts';
import { OVERLAP_BYTES } from './policy.ts';

/** The response fields that resume rests on; names in lower case, values as received. */
export interface ResponseFields {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly date?: string | undefined;
  readonly contentLength?: string | undefined;
  readonly contentRange?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly transferEncoding?: string | undefined;
  readonly acceptRanges?: string | undefined;
}

/** What the reader is being given: one representation, or the part of it that was asked for. */
export interface Representation {
  /** Offset of the reader's first byte: 0, or where the caller's own `Range` begins. */
  readonly startByte: number;
  /** Offset behind the reader's last byte, where known. */
  readonly endByte: number | undefined;
  /** Length of the whole representation, where known. */
  readonly totalBytes: number | undefined;
  /** A strong ETag, or a Last-Modified that RFC 9110 8.8.2.2 lets join bytes. */
  readonly validator: string | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly contentType: string;
  readonly codings: string;
  readonly refusesRanges: boolean;
  /** Endless by nature: `text/event-stream`, `multipart/x-mixed-replace`. */
  readonly isLive: boolean;
}

/** Clocks of a server and its store may differ; a minute apart, a second change in the same tick is unlikely. */
const STRONG_DATE_DISTANCE_MS = 60_000;

const liveTypes: ReadonlySet<string> = new Set(['text/event-stream', 'multipart/x-mixed-replace']);

export function isLiveType(contentType: string | undefined): boolean {
  return liveTypes.has(mediaType(contentType));
}

/** Reads what a 200 or 206 says of its representation. Undefined where a part cannot be placed: multipart, bad fields. */
export function describeRepresentation(
  status: number,
  fields: ResponseFields,
  length = bodyLength(fields),
): Representation | undefined {
  const etag = parseEntityTag(fields.etag);
  const contentType = mediaType(fields.contentType);
  const range = status === 206 ? parseContentRange(fields.contentRange) : undefined;
  if (status === 206 && range === undefined) return undefined;
  return {
    startByte: range?.firstByte ?? 0,
    endByte: range === undefined ? length : range.lastByte + 1,
    totalBytes: range === undefined ? length : range.totalBytes,
    validator: isStrongEntityTag(etag) ? etag : strongDate(fields),
    etag,
    lastModified: fields.lastModified,
    contentType,
    codings: contentCodings(fields.contentEncoding).join(),
    refusesRanges: fields.acceptRanges?.trim().toLowerCase() === 'none',
    isLive: liveTypes.has(contentType),
  };
}

/** The length of the body as its framing tells it: a transfer-coding overrides any Content-Length (RFC 9112, 6.3). */
export function bodyLength({ transferEncoding, contentLength }: ResponseFields): number | undefined {
  return transferEncoding === undefined ? parseLength(contentLength) : undefined;
}

function strongDate({ lastModified, date }: ResponseFields): string | undefined {
  const modifiedAt = lastModified === undefined ? undefined : parseHttpDate(lastModified);
  const sentAt = date === undefined ? undefined : parseHttpDate(date);
  if (modifiedAt === undefined || sentAt === undefined) return undefined;
  return sentAt - modifiedAt >= STRONG_DATE_DISTANCE_MS ? lastModified : undefined;
}

/** How a body can be continued from `atByte` (an absolute offset). */
export type ResumePlan =
  /** `Range: bytes=fromByte-` with `If-Range`. */
  | { readonly kind: 'range'; readonly fromByte: number; readonly ifRange: string }
  /** No validator: ask from `fromByte`, compare up to where the reader stands. */
  | { readonly kind: 'overlap'; readonly fromByte: number }
  /** Read from byte 0, deliver only what is new. */
  | { readonly kind: 'reread'; readonly proof: 'validator' | 'checksum' }
  | {
      readonly kind: 'impossible';
      readonly because: 'live-body' | 'no-validator' | 'not-a-get' | 'partial-without-validator';
    };

export interface ResumeFacts {
  readonly representation: Representation;
  /** Absolute offset that the reader has reached; greater than `startByte`. */
  readonly atByte: number;
  /** The server has answered range requests wrongly, or without honouring them. */
  readonly rangesFail: boolean;
  /** A running checksum of everything delivered is at hand. */
  readonly hasChecksum: boolean;
  /** The caller accepts joining by overlap where there is neither validator nor length. */
  readonly mayOverlapBlindly: boolean;
}

export function planResume(facts: ResumeFacts): ResumePlan {
  const { representation, atByte } = facts;
  if (representation.isLive && !facts.mayOverlapBlindly) return { kind: 'impossible', because: 'live-body' };
  const isPart = representation.startByte > 0;
  if (!facts.rangesFail && !representation.refusesRanges) {
    if (representation.validator !== undefined) {
      return { kind: 'range', fromByte: atByte, ifRange: representation.validator };
    }
    if (representation.endByte !== undefined || facts.mayOverlapBlindly) {
      return { kind: 'overlap', fromByte: Math.max(representation.startByte, atByte - OVERLAP_BYTES) };
    }
  }
  if (isPart) return { kind: 'impossible', because: 'partial-without-validator' };
  if (isStrongEntityTag(representation.etag)) return { kind: 'reread', proof: 'validator' };
  const isKnown =
    representation.endByte !== undefined || representation.validator !== undefined || facts.mayOverlapBlindly;
  if (facts.hasChecksum && isKnown) return { kind: 'reread', proof: 'checksum' };
  return { kind: 'impossible', because: 'no-validator' };
}

/** What the answer to a resume is worth. */
export type ResumeVerdict =
  /** Its first `skipBytes` are before the reader's place; of them the last `compareBytes` are to be compared. */
  | {
      readonly kind: 'join';
      readonly skipBytes: number;
      readonly compareBytes: number;
      /** Absolute offset behind this answer's last byte. */
      readonly endByte: number;
      /** Length of the whole representation, where the answer tells. */
      readonly totalBytes: number | undefined;
    }
  /** A 200 from byte 0; `isProven` when an equal strong ETag proves the prefix, else the checksum must. */
  | {
      readonly kind: 'reread';
      readonly skipBytes: number;
      readonly isProven: boolean;
      readonly endByte: number | undefined;
    }
  /** 416 at exactly the full length. */
  | { readonly kind: 'complete' }
  /** `isCertain` by the answer's own, different validator; otherwise to be believed when seen twice. */
  | { readonly kind: 'changed'; readonly isCertain: boolean; readonly what: string }
  /** A middlebox, or a server with its ranges wrong: a failed attempt. */
  | { readonly kind: 'bad'; readonly what: string }
  /** Not an answer to a range at all: judge it by its status. */
  | { readonly kind: 'status' };

export function checkResume(
  representation: Representation,
  plan: ResumePlan,
  atByte: number,
  status: number,
  fields: ResponseFields,
): ResumeVerdict {
  if (status === 416) return checkUnsatisfied(representation, atByte, fields);
  if (status !== 200 && status !== 206) {
    return status >= 400 ? { kind: 'status' } : bad(`HTTP ${status} instead of the rest of the body`);
  }
  const foreign = findForeign(representation, status, fields);
  if (foreign !== undefined) return foreign;
  return status === 206
    ? checkPartial(representation, plan, atByte, fields)
    : checkWhole(representation, plan, atByte, fields);
}

function bad(what: string): ResumeVerdict {
  return { kind: 'bad', what };
}

/** Differences that hold for a 200 and a 206 alike: another validator first, since only that one is proof. */
function findForeign(
  representation: Representation,
  status: number,
  fields: ResponseFields,
): ResumeVerdict | undefined {
  const other = findOtherValidator(representation, fields);
  if (other !== undefined) return changed(true, other);
  const type = mediaType(fields.contentType);
  if (type !== '' && type !== representation.contentType) {
    return bad(`Content-Type ${type} where ${representation.contentType || 'none'} was expected`);
  }
  const codings = contentCodings(fields.contentEncoding).join();
  if (codings !== representation.codings) {
    return bad(`Content-Encoding ${codings || 'identity'} where ${representation.codings || 'identity'} was expected`);
  }
  if (status === 200 && parseLength(fields.contentLength) === 0) return bad('an empty body');
  return undefined;
}

function findOtherValidator(representation: Representation, fields: ResponseFields): string | undefined {
  const etag = parseEntityTag(fields.etag);
  if (etag !== undefined && representation.etag !== undefined && etag !== representation.etag) {
    return `the ETag was ${representation.etag} and is now ${etag}`;
  }
  const { lastModified } = fields;
  if (lastModified === undefined || representation.lastModified === undefined) return undefined;
  // An equal strong ETag outranks a date: nodes behind one name often disagree about dates only.
  const isSame =
    lastModified === representation.lastModified || (isStrongEntityTag(etag) && etag === representation.etag);
  return isSame ? undefined : `Last-Modified was ${representation.lastModified} and is now ${lastModified}`;
}

function changed(isCertain: boolean, what: string): ResumeVerdict {
  return { kind: 'changed', isCertain, what };
}

function checkPartial(
  representation: Representation,
  plan: ResumePlan,
  atByte: number,
  fields: ResponseFields,
): ResumeVerdict {
  const range = parseContentRange(fields.contentRange);
  if (range === undefined) return bad(`a 206 without a usable Content-Range (${fields.contentRange ?? 'none'})`);
  if (plan.kind !== 'range' && plan.kind !== 'overlap') return bad('a 206 though no range was asked for');
  const { totalBytes } = representation;
  if (totalBytes !== undefined && range.totalBytes !== undefined && totalBytes !== range.totalBytes) {
    return changed(false, `the length was ${totalBytes} and is now ${range.totalBytes}`);
  }
  const length = parseLength(fields.contentLength);
  if (length !== undefined && length !== range.lastByte - range.firstByte + 1) {
    return bad(`a 206 whose Content-Length ${length} does not fit its Content-Range ${fields.contentRange}`);
  }
  const endsHere = range.lastByte + 1 === atByte && range.totalBytes === atByte;
  if (range.firstByte > atByte || (range.lastByte < atByte && !endsHere)) {
    return bad(`a 206 for ${range.firstByte}-${range.lastByte} where byte ${atByte} was asked for`);
  }
  if (plan.kind === 'range') {
    if (!isSameByField(representation, fields)) return bad('a 206 without the validator that it must repeat');
    return {
      kind: 'join',
      skipBytes: atByte - range.firstByte,
      compareBytes: 0,
      endByte: endOf(representation, range.lastByte),
      totalBytes: range.totalBytes,
    };
  }
  if (range.firstByte > plan.fromByte) return bad(`a 206 from ${range.firstByte} where ${plan.fromByte} was asked for`);
  return {
    kind: 'join',
    skipBytes: atByte - range.firstByte,
    compareBytes: atByte - plan.fromByte,
    endByte: endOf(representation, range.lastByte),
    totalBytes: range.totalBytes,
  };
}

function endOf(representation: Representation, lastByte: number): number {
  return representation.endByte === undefined ? lastByte + 1 : Math.min(representation.endByte, lastByte + 1);
}

/**
 * A 206 must repeat the ETag (RFC 9110, 15.3.7). It may leave out a date that was sent as If-Range, but so does a server
 * that ignored it and sends a part of another version: without a word for the bytes they are not joined.
 */
function isSameByField(representation: Representation, fields: ResponseFields): boolean {
  const etag = parseEntityTag(fields.etag);
  if (etag !== undefined && etag === representation.etag) return true;
  return fields.lastModified !== undefined && fields.lastModified === representation.lastModified;
}

function checkWhole(
  representation: Representation,
  plan: ResumePlan,
  atByte: number,
  fields: ResponseFields,
): ResumeVerdict {
  if (fields.contentRange !== undefined && plan.kind !== 'reread') return bad('a 200 with a Content-Range');
  const length = fields.transferEncoding === undefined ? parseLength(fields.contentLength) : undefined;
  if (representation.totalBytes !== undefined && length !== undefined && length !== representation.totalBytes) {
    return changed(false, `the length was ${representation.totalBytes} and is now ${length}`);
  }
  if (length !== undefined && length < atByte)
    return changed(false, `the length is now ${length}, and ${atByte} bytes were read`);
  const etag = parseEntityTag(fields.etag);
  const isProven = isStrongEntityTag(etag) && etag === representation.etag;
  return { kind: 'reread', skipBytes: atByte, isProven, endByte: representation.endByte ?? length };
}

function checkUnsatisfied(representation: Representation, atByte: number, fields: ResponseFields): ResumeVerdict {
  // Another version may end just where the reader stands: its own validator tells, unless it is that of an error page.
  const foreign = findOtherValidator(representation, fields);
  if (foreign !== undefined) return changed(false, foreign);
  const totalBytes = parseUnsatisfiedRange(fields.contentRange);
  if (totalBytes === atByte && (representation.endByte === undefined || representation.endByte === atByte)) {
    return { kind: 'complete' };
  }
  if (totalBytes !== undefined && representation.totalBytes !== undefined && totalBytes !== representation.totalBytes) {
    return changed(false, `the length was ${representation.totalBytes} and is now ${totalBytes}`);
  }
  return bad(`HTTP 416 for byte ${atByte}`);
}
