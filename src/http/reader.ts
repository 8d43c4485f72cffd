/** What the consumer of a body holds so far, and how more can be joined to it. */
import {
  bodyLength,
  describeRepresentation,
  isStrongEntityTag,
  planResume,
  type Representation,
  type ResumePlan,
} from '../core/index.ts';
import { BodyMemory } from './body-joiner.ts';
import { CodingCheck, isCheckable } from './coding-check.ts';
import type { PickedFields } from './response-fields.ts';

const noBodyStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

/** How the end of the body will be known, by its framing. */
export type Framing = 'none' | 'length' | 'chunked' | 'unmarked';

export interface ReaderSettings {
  readonly mayOverlapBlindly: boolean;
  /** Hold the end back until the content-coding has ended, too. */
  readonly checksCoding: boolean;
}

export class Reader {
  readonly status: number;
  readonly method: string;
  /** Undefined where nothing can be resumed: other methods, other statuses, parts that cannot be placed. */
  representation: Representation | undefined;
  framing: Framing;
  /** Absolute offset that the consumer has reached. */
  atByte: number;
  /** Absolute offset behind the last byte, where known. */
  endByte: number | undefined;
  readonly startByte: number;
  readonly memory: BodyMemory | undefined;
  readonly codingCheck: CodingCheck | undefined;
  /** Some of the body was joined by comparing an overlap only. */
  hasOverlapped = false;
  badResumes = 0;
  rangesFail = false;

  constructor(method: string, status: number, fields: PickedFields, settings: ReaderSettings) {
    this.method = method;
    this.status = status;
    const hasBody = method !== 'HEAD' && !noBodyStatuses.has(status);
    const canResume = method === 'GET' && (status === 200 || status === 206);
    const length = bodyLength(fields);
    this.representation = canResume ? describeRepresentation(status, fields, length) : undefined;
    this.framing = hasBody ? framingOf(fields, length) : 'none';
    this.startByte = this.representation?.startByte ?? 0;
    this.atByte = this.startByte;
    // A part says where it ends, whatever its framing.
    const partEndByte = status === 206 && hasBody ? this.representation?.endByte : undefined;
    this.endByte = length === undefined || !hasBody ? partEndByte : this.startByte + length;
    this.memory = needsMemory(this.representation, settings.mayOverlapBlindly) ? new BodyMemory() : undefined;
    const { codings } = this.representation ?? { codings: '' };
    const isWhole = settings.checksCoding && status === 200 && hasBody && this.endByte !== 0;
    this.codingCheck = isWhole && isCheckable(codings) ? new CodingCheck(codings) : undefined;
  }

  /** From now on a part of another length is one of another version. */
  learnLength(totalBytes: number): void {
    if (this.endByte !== undefined || this.representation === undefined) return;
    this.endByte = totalBytes;
    this.representation = { ...this.representation, endByte: totalBytes, totalBytes };
  }

  get hasBytes(): boolean {
    return this.atByte > this.startByte;
  }

  get missingBytes(): number | undefined {
    return this.endByte === undefined ? undefined : this.endByte - this.atByte;
  }

  plan(mayOverlapBlindly: boolean): ResumePlan {
    if (this.representation === undefined) return { kind: 'impossible', because: 'not-a-get' };
    return planResume({
      representation: this.representation,
      atByte: this.atByte,
      // The rest of a part cannot be had without a range: wrong answers are waited out, and bounded by the attempts.
      rangesFail: this.rangesFail && this.startByte === 0,
      hasChecksum: this.memory !== undefined,
      mayOverlapBlindly,
    });
  }
}

export function framingOf(fields: PickedFields, length = bodyLength(fields)): Framing {
  if (fields.transferEncoding !== undefined) return 'chunked';
  if (length !== undefined) return 'length';
  return 'unmarked';
}

/** Only where no strong ETag proves a prefix better, and where the body may ever be asked for again. */
function needsMemory(representation: Representation | undefined, mayOverlapBlindly: boolean): boolean {
  if (representation === undefined || representation.isLive) return false;
  if (isStrongEntityTag(representation.etag)) return false;
  return representation.endByte !== undefined || representation.validator !== undefined || mayOverlapBlindly;
}
