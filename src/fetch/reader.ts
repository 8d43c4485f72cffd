/** What the consumer of a body holds so far, and how the answer that is being read joins to it. */
import {
  changedFailure,
  describeRepresentation,
  type Failure,
  type Integrity,
  isStrongEntityTag,
  MAX_BAD_RESUMES,
  OVERLAP_BYTES,
  parseContentRange,
  parseLength,
  planResume,
  type Representation,
  type ResumePlan,
  type ResumeVerdict,
  truncatedFailure,
} from '../core/index.ts';
import { BodyMemory } from './body-memory.ts';
import { Joiner, type JoinMode } from './joiner.ts';
import type { PickedFields } from './response-fields.ts';

/** How the end of the body will be known. `decoded`: lengths and framing are of bytes that we do not see. */
type Framing = 'length' | 'chunked' | 'unmarked' | 'decoded';

const MAX_REFUSED_RANGES = 2;

const proofBy: Readonly<Record<Framing, Integrity>> = {
  length: 'length',
  chunked: 'framing',
  unmarked: 'unverifiable',
  decoded: 'unverifiable',
};

type Joinable = Extract<ResumeVerdict, { readonly kind: 'join' | 'reread' }>;

/** What became of a received chunk. */
export type Taken =
  | { readonly kind: 'more' }
  | { readonly kind: 'deliver'; readonly chunk: Uint8Array }
  | { readonly kind: 'mismatch' };

export class Reader {
  readonly method: string;
  readonly status: number;
  readonly startByte: number;
  /** Undefined where nothing can be resumed: other methods, other statuses, parts that cannot be placed. */
  representation: Representation | undefined;
  /** Absolute offset that the consumer has reached. */
  atByte: number;
  /** Absolute offset behind the last byte, where known. */
  endByte: number | undefined;
  rangesFail: boolean;
  #badResumes = 0;
  /** Requests for a range that the platform itself refused, in a row. */
  #refusedRanges = 0;
  /** Some of the body was joined by comparing an overlap only. */
  hasOverlapped = false;
  #framing: Framing;
  readonly #memory: BodyMemory | undefined;
  readonly #mayOverlapBlindly: boolean;
  /** There is a length, if perhaps one of encoded bytes: the body is no endless one. */
  readonly #isBounded: boolean;
  #joiner: Joiner | undefined;
  /** The answer that is being read is to be cut at the reader's end: a part, or the whole where a part was wanted. */
  #isClipped = false;
  /** Absolute offset behind the last byte of the answer that is being read, and of its representation. */
  #answerEndByte: number | undefined;
  #answerTotalBytes: number | undefined;

  constructor(method: string, status: number, fields: PickedFields, mayOverlapBlindly: boolean) {
    this.method = method;
    this.status = status;
    this.#mayOverlapBlindly = mayOverlapBlindly;
    const canResume = method === 'GET' && (status === 200 || (status === 206 && !fields.isDecoded));
    this.#framing = framingOf(fields);
    this.representation = canResume ? describeRepresentation(status, this.#known(fields)) : undefined;
    this.startByte = this.representation?.startByte ?? 0;
    this.atByte = this.startByte;
    const length = parseLength(fields.contentLength);
    this.endByte = this.#framing === 'length' && length !== undefined ? this.startByte + length : undefined;
    this.#isBounded = length !== undefined;
    this.rangesFail = this.isDecoded;
    this.#memory = this.#createMemory();
  }

  get isDecoded(): boolean {
    return this.#framing === 'decoded';
  }

  get isLive(): boolean {
    return this.representation?.isLive === true;
  }

  get hasBytes(): boolean {
    return this.atByte > this.startByte;
  }

  get missingBytes(): number | undefined {
    return this.endByte === undefined ? undefined : this.endByte - this.atByte;
  }

  get hasChecksum(): boolean {
    return this.#memory !== undefined;
  }

  get isJoining(): boolean {
    return this.#joiner !== undefined;
  }

  /** A decoded body's own length is nowhere to be read; only that it is empty can be believed. */
  #known(fields: PickedFields): PickedFields {
    return this.isDecoded && parseLength(fields.contentLength) !== 0 ? { ...fields, contentLength: undefined } : fields;
  }

  /** The fields of a later answer, as far as they speak of the bytes that we see. */
  comparable(fields: PickedFields): PickedFields {
    return this.#known(fields);
  }

  #createMemory(): BodyMemory | undefined {
    const { representation } = this;
    if (representation === undefined || representation.isLive || isStrongEntityTag(representation.etag))
      return undefined;
    const isKnown = this.#isBounded || representation.validator !== undefined || this.#mayOverlapBlindly;
    if (!isKnown) return undefined;
    const needsEnd = !this.rangesFail && representation.validator === undefined;
    return new BodyMemory(needsEnd ? (this.missingBytes ?? OVERLAP_BYTES) : 0);
  }

  plan(): ResumePlan {
    const { representation, atByte, rangesFail, hasChecksum } = this;
    if (representation === undefined) return { kind: 'impossible', because: 'not-a-get' };
    // Where the only length is of encoded bytes, it still says that the body has an end; ranges are out anyway then.
    const bounded = this.isDecoded && this.#isBounded ? { ...representation, endByte: Infinity } : representation;
    return planResume({
      representation: bounded,
      atByte,
      rangesFail,
      hasChecksum,
      mayOverlapBlindly: this.#mayOverlapBlindly,
    });
  }

  /** An answer to a range could not be joined. */
  noteBadResume(): void {
    this.#badResumes += 1;
    if (this.#badResumes >= MAX_BAD_RESUMES) this.rangesFail = true;
  }

  /**
   * The platform itself refused, without saying why. A browser does so where another origin does not allow `Range`, so
   * after two in a row the body is read from its beginning; if that is refused as well, it was not about the range.
   */
  noteRefusal(asked: ResumePlan['kind']): void {
    if (asked !== 'reread') this.#refusedRanges += 1;
    const isSuspect = this.#refusedRanges >= MAX_REFUSED_RANGES;
    if (isSuspect) this.rangesFail = asked !== 'reread' || this.#badResumes >= MAX_BAD_RESUMES;
    if (!this.rangesFail && isSuspect) this.#refusedRanges = 0;
  }

  /** A resume was answered that there is nothing more to come. */
  noteComplete(): void {
    this.endByte = this.atByte;
    this.#isClipped = true;
  }

  /** Forgets the answer before: the next one is about to be asked for. */
  detach(): void {
    this.#joiner = undefined;
    this.#answerEndByte = undefined;
    this.#answerTotalBytes = undefined;
  }

  /** Prepares for the bytes of an accepted answer. False where a prefix cannot be proven any more. */
  attach(verdict: Joinable, fields: PickedFields): boolean {
    const mode = this.#joinMode(verdict);
    if (mode.kind === 'checksum' && this.#memory === undefined) return false;
    this.#isClipped = verdict.kind === 'join' || this.status === 206;
    this.#refusedRanges = 0;
    this.#answerEndByte = this.isDecoded ? undefined : verdict.endByte;
    if (!this.isDecoded) this.#framing = verdict.kind === 'join' ? 'unmarked' : framingOf(fields);
    this.#answerTotalBytes = verdict.kind === 'join' ? parseContentRange(fields.contentRange)?.totalBytes : undefined;
    // The server does not do ranges for this one; asking again would only cost another answer.
    if (verdict.kind === 'reread') this.rangesFail = true;
    if (verdict.skipBytes > 0) this.#joiner = new Joiner(verdict.skipBytes, mode, this.#memory);
    else this.#learnEnd();
    return true;
  }

  #joinMode(verdict: Joinable): JoinMode {
    if (verdict.kind === 'reread') return { kind: verdict.isProven ? 'trust' : 'checksum' };
    return verdict.compareBytes === 0 ? { kind: 'trust' } : { kind: 'overlap', compareBytes: verdict.compareBytes };
  }

  /** A 206 tells the length of the whole, which the first answer may not have told: a short one is no end then. */
  #learnEnd(): void {
    const totalBytes = this.#answerTotalBytes;
    if (this.endByte !== undefined || totalBytes === undefined || this.representation === undefined) return;
    this.endByte = totalBytes;
    this.representation = { ...this.representation, endByte: totalBytes, totalBytes };
  }

  take(received: Uint8Array): Taken {
    let chunk = received;
    if (this.#joiner !== undefined) {
      const step = this.#joiner.feed(chunk);
      if (step.kind !== 'joined') return step;
      if (this.#joiner.mode.kind === 'overlap') this.hasOverlapped = true;
      this.#joiner = undefined;
      this.#learnEnd();
      chunk = step.chunk;
    }
    return this.#clip(chunk);
  }

  #clip(chunk: Uint8Array): Taken {
    const endByte = this.endByte ?? this.#answerEndByte;
    const roomBytes = endByte === undefined ? chunk.byteLength : endByte - this.atByte;
    const isTooLong = chunk.byteLength > roomBytes;
    if (isTooLong && !this.#isClipped) this.#forgetLength();
    const fitting = isTooLong && this.#isClipped ? chunk.subarray(0, roomBytes) : chunk;
    if (fitting.byteLength === 0) return { kind: 'more' };
    this.atByte += fitting.byteLength;
    // The last one, too: where the connection breaks behind it, the end is asked for again.
    this.#memory?.add(fitting);
    return { kind: 'deliver', chunk: fitting };
  }

  /**
   * No transport lets a body grow beyond its `Content-Length`: the platform has decoded it and hidden that. What was
   * delivered is right; the length was never this body's.
   */
  #forgetLength(): void {
    this.endByte = undefined;
    this.#framing = 'decoded';
    this.rangesFail = true;
  }

  /** Every byte up to the known end is delivered. */
  get isFull(): boolean {
    return this.endByte !== undefined && this.atByte >= this.endByte && !this.isJoining;
  }

  /** Whatever else the answer would bring is not wanted. */
  get hasEnough(): boolean {
    return this.#isClipped && this.isFull;
  }

  /** What the clean end of an answer is worth. */
  proveEnd(): Integrity | Failure {
    if (this.isJoining) return this.#proveShort();
    const endByte = this.endByte ?? this.#answerEndByte;
    if (endByte !== undefined && this.atByte < endByte) return truncatedFailure('a body shorter than announced');
    // Two versions can share the bytes that were compared; only a validator is proof.
    if (this.hasOverlapped) return 'unverifiable';
    return this.endByte === undefined ? proofBy[this.#framing] : 'length';
  }

  /** An answer that ends before the reader's place: an accepted one has promised to go beyond it. */
  #proveShort(): Failure {
    return this.#answerEndByte === undefined
      ? changedFailure(false, 'the body is now shorter than what was read of it')
      : truncatedFailure('a body shorter than announced');
  }
}

/**
 * Chunks prove an end only on a connection that was meant to stay: `fetch` of Node before undici 8.3 takes a reset for
 * the end of any body whose connection closes behind it (undici #5273).
 */
function framingOf(fields: PickedFields): Framing {
  if (fields.isDecoded) return 'decoded';
  if (fields.transferEncoding !== undefined) return /\bclose\b/i.test(fields.connection ?? '') ? 'unmarked' : 'chunked';
  return parseLength(fields.contentLength) === undefined ? 'unmarked' : 'length';
}
