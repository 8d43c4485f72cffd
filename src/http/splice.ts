/**
 * How the bytes of one hop go on where the reader stands: compared first where no validator proves them, trimmed to what
 * was asked for, and known to be whole or not when they end.
 */
import { badResume, changedFailure, type Failure, type ResumeVerdict, truncatedFailure } from '../core/index.ts';
import { Joiner } from './body-joiner.ts';
import { hopFailure } from './failures.ts';
import type { ConnectionFacts } from './hop-handler.ts';
import type { Reader } from './reader.ts';

/** What to do with bytes that came. */
export type Taken =
  | { readonly kind: 'deliver'; readonly chunk: Buffer }
  /** They were compared, and are known already. */
  | { readonly kind: 'known' }
  /** They are behind the end of what the caller asked for. */
  | { readonly kind: 'surplus' }
  | { readonly kind: 'refuse'; readonly failure: Failure };

/** How the end of a body is known, or why it is none. */
export type EndProof = 'length' | 'framing' | 'unverifiable' | Failure;

interface SpliceParts {
  readonly joiner?: Joiner | undefined;
  readonly isOverlap?: boolean;
  /** Absolute offset behind the last byte that the hop will bring. */
  readonly endByte: number | undefined;
  /** The length of the whole, by the word of this hop. */
  readonly totalBytes?: number | undefined;
  /** A whole answer without a length, taken on the strength of its beginning: only its own end shows that it is as long. */
  readonly mustEndInTime?: boolean;
}

export class Splice {
  readonly #reader: Reader;
  readonly #isOverlap: boolean;
  readonly #endByte: number | undefined;
  readonly #totalBytes: number | undefined;
  readonly mustEndInTime: boolean;
  readonly #onJoined: () => void;
  #joiner: Joiner | undefined;

  private constructor(reader: Reader, parts: SpliceParts, onJoined: () => void) {
    this.#reader = reader;
    this.#isOverlap = parts.isOverlap === true;
    this.#endByte = parts.endByte;
    this.#totalBytes = parts.totalBytes;
    this.mustEndInTime = parts.mustEndInTime === true;
    this.#joiner = parts.joiner;
    this.#onJoined = onJoined;
  }

  /** Of the answer whose headers the reader was made from. */
  static first(reader: Reader): Splice {
    return new Splice(reader, { endByte: reader.endByte }, nobody);
  }

  /** Of a part that begins where the reader stands, or a little before. */
  static part(reader: Reader, verdict: ResumeVerdict & { readonly kind: 'join' }, onJoined: () => void): Splice {
    const { skipBytes, compareBytes, endByte, totalBytes } = verdict;
    const mode = compareBytes === 0 ? ({ kind: 'trust' } as const) : ({ kind: 'overlap', compareBytes } as const);
    const joiner = skipBytes === 0 ? undefined : new Joiner(skipBytes, mode, reader.memory);
    const isOverlap = mode.kind === 'overlap';
    const splice = new Splice(reader, { joiner, isOverlap, endByte, totalBytes }, onJoined);
    if (joiner === undefined) splice.#joined();
    return splice;
  }

  /** Of the whole body once more, whose beginning the reader has had. */
  static reread(
    reader: Reader,
    verdict: { readonly skipBytes: number; readonly isProven: boolean; readonly endByte: number | undefined },
    onJoined: () => void,
  ): Splice {
    const { isProven, skipBytes, endByte } = verdict;
    const joiner = new Joiner(skipBytes, { kind: isProven ? 'trust' : 'digest' }, reader.memory);
    // Where only a part was asked for, what comes behind it is no surprise.
    const isAll = reader.endByte === reader.representation?.totalBytes;
    return new Splice(
      reader,
      { joiner, endByte, mustEndInTime: !isProven && reader.framing !== 'length' && isAll },
      onJoined,
    );
  }

  /** The last byte is there, and only the news of it is missing. */
  get hasAll(): boolean {
    // By this hop: one that never answered is no news of the end.
    if (this.#reader.endByte === undefined || this.#endByte === undefined) return false;
    return this.#reader.atByte === this.#reader.endByte && this.#joiner === undefined && !this.mustEndInTime;
  }

  /** The hop will bring more than the reader wants. */
  get bringsMore(): boolean {
    return this.#endByte !== this.#reader.endByte;
  }

  take(received: Buffer): Taken {
    let chunk = received;
    if (this.#joiner !== undefined) {
      const step = this.#joiner.feed(received);
      if (step.kind === 'mismatch')
        return refuse(changedFailure(false, 'bytes that were read before are different now'));
      if (!this.#joiner.isDone) return known;
      this.#joined();
      if (step.kind !== 'deliver') return known;
      chunk = step.chunk;
    }
    return this.#trim(chunk);
  }

  /** The answer has proven to be of the same version: from here on its word counts. */
  #joined(): void {
    this.#joiner = undefined;
    if (this.#isOverlap) this.#reader.hasOverlapped = true;
    // A first answer without a length may be followed by one that tells it: now the end can be proven.
    if (this.#totalBytes !== undefined) this.#reader.learnLength(this.#totalBytes);
    this.#onJoined();
  }

  #trim(chunk: Buffer): Taken {
    const reader = this.#reader;
    const room = Math.min(reader.endByte ?? Infinity, this.#endByte ?? Infinity) - reader.atByte;
    if (chunk.length <= room) return { kind: 'deliver', chunk };
    if (this.mustEndInTime) return refuse(changedFailure(false, `it is longer now than ${reader.endByte} bytes`));
    if (room > 0) return { kind: 'deliver', chunk: chunk.subarray(0, room) };
    if (reader.atByte === reader.endByte) return surplus;
    // More than its Content-Range announced: what is behind it is not known to belong there.
    return refuse(badResume('a part longer than announced'));
  }

  /** What the end of the hop proves. */
  proveEnd(status: number | undefined, connection: ConnectionFacts | undefined): EndProof {
    const reader = this.#reader;
    if (reader.framing === 'none') return 'framing';
    const isJoined = this.#joiner === undefined;
    if (reader.endByte !== undefined && reader.atByte === reader.endByte && isJoined) return 'length';
    const reset = reader.framing === 'unmarked' ? resetBehindEnd(connection) : undefined;
    if (reset !== undefined) return reset;
    if (!isJoined) {
      // A part has said where it ends; of a whole body, nobody knows whether it was cut or is shorter now.
      if (status === 206) return truncatedFailure('a part shorter than announced');
      return changedFailure(false, 'the body is now shorter than what was read of it');
    }
    if (reader.endByte !== undefined) return truncatedFailure('a body shorter than announced');
    if (this.#endByte !== undefined && reader.atByte !== this.#endByte)
      return truncatedFailure('a part shorter than announced');
    return reader.framing === 'chunked' && connection?.isHttp2 !== true ? 'framing' : 'unverifiable';
  }
}

/** undici takes a reset for the end of a body that only the connection's end delimits; the socket knows better. */
function resetBehindEnd(connection: ConnectionFacts | undefined): Failure | undefined {
  const error = connection?.isHttp2 === true ? undefined : connection?.socket?.errored;
  if (error === undefined || error === null) return undefined;
  return hopFailure({ phase: 'body', error, unsent: false, reusedSocket: false, answered: true });
}

const known: Taken = { kind: 'known' };
const surplus: Taken = { kind: 'surplus' };

function refuse(failure: Failure): Taken {
  return { kind: 'refuse', failure };
}

function nobody(): void {}
