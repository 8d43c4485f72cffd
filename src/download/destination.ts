import type { DigestAlgorithm } from './checksum.ts';
import type { Pin } from './journal.ts';
import type { ByteRanges } from './ranges.ts';

/** Bytes at hand, and what they are of. */
export interface Held {
  /** From byte 0 on without a gap. */
  readonly bytes: number;
  /** Where the first gap ends; undefined where nothing is held behind it. */
  readonly untilByte?: number | undefined;
  readonly pin: Pin;
}

/** Takes the bytes of one connection, which follow each other. */
export interface ByteWriter {
  /** Undefined, or what to wait for before more is brought. */
  write(chunk: Buffer): Promise<void> | undefined;
  /** Settles when everything is written. */
  end(): Promise<void>;
}

/** Where the bytes go: a file that can begin anew, or a stream that cannot. */
export interface Destination {
  /** What an answer may be joined to. */
  readonly held: Held | undefined;
  /** Bytes at hand, wherever they are. */
  readonly gotBytes: number;
  /** What was written can be thrown away. */
  readonly mayBeginAgain: boolean;
  /** Bytes may come in any order. */
  readonly takesSegments: boolean;
  gaps(totalBytes: number): ByteRanges;
  /** So much will come, in any order. */
  reserve?(totalBytes: number): Promise<void>;
  /** Byte 0 of what `pin` describes comes next; what was there is thrown away. */
  begin(pin: Pin): Promise<void>;
  /** Bytes were joined that no validator binds: only a digest of the whole can prove them now. */
  forgetValidator(): void;
  writerAt(atByte: number): ByteWriter;
  /** Throws away what is there. */
  discard(): Promise<void>;
  /** Of its blocks, where they can be read again: to say where two copies differ. */
  blockDigests?(signal: AbortSignal | undefined): Promise<readonly string[]>;
  /** Of everything, lower-case hex. */
  digests(): Promise<ReadonlyMap<DigestAlgorithm, string>>;
}
