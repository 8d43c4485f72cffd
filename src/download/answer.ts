/** What to ask for, and what the answer is worth against the bytes at hand. Pure: core has the rules. */
import {
  checkResume,
  describeRepresentation,
  parseContentRange,
  type Representation,
  type ResponseFields,
  type ResumePlan,
} from '../core/index.ts';
import { type DigestHeaders, serverDigestOf } from './checksum.ts';
import type { Held } from './destination.ts';
import type { Pin } from './journal.ts';
import type { ByteRange } from './ranges.ts';

export type Ask =
  | { readonly kind: 'whole' }
  | {
      readonly kind: 'rest';
      readonly held: Held;
      readonly plan: ResumePlan & { readonly fromByte: number };
      /** Exclusive; absent where everything behind is wanted. */
      readonly toByte?: number | undefined;
      /** The bytes at hand are of another address, whose validators say nothing here: a digest of the whole joins these. */
      readonly foreign?: 'caller-proves' | 'server-must-promise' | undefined;
    };

export interface AskFacts {
  readonly held: Held | undefined;
  /** The bytes at hand were asked for under the same URL: an ETag of another one says nothing. */
  readonly isOfUrl: boolean;
  /** The caller's digest of the whole proves what a validator would, or shows that it was wrong. */
  readonly hasChecksum: boolean;
}

/** Continues only what can be proven; anything else is asked for from byte 0. */
export function planAsk({ held, isOfUrl, hasChecksum }: AskFacts): Ask {
  if (held === undefined) return { kind: 'whole' };
  const { validator, totalBytes } = held.pin.representation;
  if (totalBytes !== undefined && held.bytes > totalBytes) return { kind: 'whole' };
  // Where all bytes are here, the last one is asked for again: its answer tells whether the content is still the same.
  const fromByte = totalBytes === undefined ? held.bytes : Math.min(held.bytes, totalBytes - 1);
  const toByte = held.untilByte;
  if (validator !== undefined && isOfUrl) {
    return { kind: 'rest', held, plan: { kind: 'range', fromByte, ifRange: validator }, toByte };
  }
  const plan = { kind: 'overlap', fromByte } as const;
  if (hasChecksum) return { kind: 'rest', held, plan, toByte, foreign: isOfUrl ? undefined : 'caller-proves' };
  // Another address of the file may promise the same digest; then nothing else is needed.
  if (isOfUrl || held.pin.serverDigest === undefined) return { kind: 'whole' };
  return { kind: 'rest', held, plan, toByte, foreign: 'server-must-promise' };
}

/** Bytes `[from, to)` of what `ask` continued, or began: by its validator, or by what proves it otherwise. */
export function askPart(ask: Ask, pin: Pin, { from, to }: ByteRange): Ask {
  const { validator } = pin.representation;
  const held: Held = { bytes: from, pin };
  const foreign = ask.kind === 'rest' ? ask.foreign : undefined;
  if (validator === undefined || foreign !== undefined) {
    return { kind: 'rest', held, plan: { kind: 'overlap', fromByte: from }, toByte: to, foreign };
  }
  return { kind: 'rest', held, plan: { kind: 'range', fromByte: from, ifRange: validator }, toByte: to };
}

/** The fields of the request that ask for it. */
export function askHeaders(ask: Ask): Readonly<Record<string, string>> {
  if (ask.kind === 'whole') return {};
  const { plan, toByte } = ask;
  return {
    range: `bytes=${plan.fromByte}-${toByte === undefined ? '' : toByte - 1}`,
    ...(plan.kind === 'range' ? { 'if-range': plan.ifRange } : {}),
  };
}

export interface Answer {
  readonly statusCode: number;
  readonly headers: DigestHeaders;
  /** Of the URL that was asked. */
  readonly urlSha256: string;
}

export type AnswerVerdict =
  /** The whole, from byte 0. */
  | { readonly kind: 'begin'; readonly pin: Pin }
  /** The rest: its first `skipBytes` are at hand. A body without a length gets one by its first part. */
  | {
      readonly kind: 'join';
      readonly skipBytes: number;
      readonly totalBytes: number | undefined;
      /** It may end before the whole does. */
      readonly isPart: boolean;
      /** Behind its last byte, where it says so. */
      readonly endByte: number | undefined;
    }
  /** Proof that the bytes at hand are of another version; this answer is of no use either. */
  | { readonly kind: 'changed'; readonly what: string }
  /** A failed attempt; a second one in a row, and the bytes at hand are given up. */
  | { readonly kind: 'doubt'; readonly what: string }
  /** No content to save, and none to come. */
  | { readonly kind: 'refused'; readonly what: string };

export function judgeAnswer(ask: Ask, answer: Answer): AnswerVerdict {
  return ask.kind === 'whole' ? judgeWhole(answer) : judgeRest(ask, answer);
}

/** 203 is a 200 that a proxy has changed (RFC 9110, 15.3.4). */
function isWhole(status: number): boolean {
  return status === 200 || status === 203;
}

function judgeWhole(answer: Answer): AnswerVerdict {
  const { statusCode } = answer;
  if (isWhole(statusCode)) return { kind: 'begin', pin: pinOf(answer) };
  if (statusCode === 206) return { kind: 'doubt', what: 'a part of the content where all of it was asked for' };
  return { kind: 'refused', what: `HTTP ${statusCode}, which brings no file` };
}

function judgeRest(ask: Ask & { readonly kind: 'rest' }, answer: Answer): AnswerVerdict {
  const { held, plan } = ask;
  const { serverDigest } = held.pin;
  const representation = ask.foreign === undefined ? held.pin.representation : withoutMarks(held, answer);
  const status = isWhole(answer.statusCode) ? 200 : answer.statusCode;
  const promised = serverDigestOf(answer.headers, status === 200);
  if (promised !== undefined && promised.algorithm === serverDigest?.algorithm && promised.hex !== serverDigest.hex) {
    return anew(answer, 'the server names another digest now', 'certain');
  }
  const isPromised = promised !== undefined && promised.algorithm === serverDigest?.algorithm;
  if (ask.foreign === 'server-must-promise' && !isPromised)
    return anew(answer, 'another address without the same digest', 'certain');
  const verdict = checkResume(representation, plan, held.bytes, status, fieldsOf(answer.headers));
  switch (verdict.kind) {
    case 'join': {
      const totalBytes = totalOf(answer) ?? representation.totalBytes;
      const endByte = parseContentRange(fieldsOf(answer.headers).contentRange);
      return {
        kind: 'join',
        skipBytes: verdict.skipBytes,
        totalBytes,
        isPart: true,
        endByte: endByte === undefined ? undefined : endByte.lastByte + 1,
      };
    }
    case 'reread': {
      if (!verdict.isProven) return { kind: 'begin', pin: pinOf(answer) };
      const { skipBytes, endByte } = verdict;
      return { kind: 'join', skipBytes, totalBytes: endByte, isPart: false, endByte };
    }
    case 'changed':
      return anew(answer, verdict.what, verdict.isCertain ? 'certain' : 'guess');
    case 'bad':
      return { kind: 'doubt', what: verdict.what };
    case 'complete':
    case 'status':
      return { kind: 'doubt', what: `HTTP ${status} to a request for the rest` };
  }
}

/** What another address must agree with: the length, and a digest that is checked elsewhere. */
function withoutMarks({ pin }: Held, { headers }: Answer): Representation {
  const { contentType } = describeRepresentation(200, fieldsOf(headers))!;
  return { ...pin.representation, validator: undefined, etag: undefined, lastModified: undefined, contentType };
}

/** A 200 brings the new content with it. A change that only looks so may be a middlebox's answer. */
function anew(answer: Answer, what: string, certainty: 'certain' | 'guess'): AnswerVerdict {
  if (certainty === 'guess') return { kind: 'doubt', what };
  return isWhole(answer.statusCode) ? { kind: 'begin', pin: pinOf(answer) } : { kind: 'changed', what };
}

function totalOf({ headers }: Answer): number | undefined {
  return parseContentRange(fieldsOf(headers).contentRange)?.totalBytes;
}

function pinOf({ headers, urlSha256 }: Answer): Pin {
  const fields = fieldsOf(headers);
  return {
    urlSha256,
    // A 200 always describes itself; only a part may not.
    representation: describeRepresentation(200, fields)!,
    serverDigest: serverDigestOf(headers, true),
  };
}

export function fieldsOf(headers: DigestHeaders): ResponseFields {
  const read = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'object' ? value.join(', ') : value;
  };
  return {
    etag: read('etag'),
    lastModified: read('last-modified'),
    date: read('date'),
    contentLength: read('content-length'),
    contentRange: read('content-range'),
    contentType: read('content-type'),
    contentEncoding: read('content-encoding'),
    transferEncoding: read('transfer-encoding'),
    acceptRanges: read('accept-ranges'),
  };
}
