import type { DigestAlgorithm } from './checksum.ts';
import type { Pin } from './journal.ts';

/** Bytes at hand, and what they are of. */
export interface Held {
  readonly bytes: number;
  readonly pin: Pin;
}

/** Where the bytes go: a file that can begin anew, or a stream that cannot. */
export interface Destination {
  /** What an answer may be joined to. */
  readonly held: Held | undefined;
  /** Bytes written, from byte 0 of the content on. */
  readonly atByte: number;
  /** What was written can be thrown away. */
  readonly mayBeginAgain: boolean;
  /** Byte 0 of what `pin` describes comes next; what was there is thrown away. */
  begin(pin: Pin): Promise<void>;
  /** Bytes were joined that no validator binds: only a digest of the whole can prove them now. */
  forgetValidator(): void;
  write(chunk: Buffer): Promise<void>;
  /** Throws away what is there. */
  discard(): Promise<void>;
  /** Of everything written. */
  digestHex(algorithm: DigestAlgorithm): string | undefined;
}
