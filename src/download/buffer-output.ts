import type { DigestAlgorithm } from './checksum.ts';
import type { ByteWriter, Destination, Held } from './destination.ts';
import type { Pin } from './journal.ts';
import { type ByteRanges, gapsOf } from './ranges.ts';
import { RunningDigests } from './running-digests.ts';

/** Memory: it can begin anew, and takes the bytes in their order. */
export class BufferOutput implements Destination, ByteWriter {
  readonly mayBeginAgain = true;
  readonly takesSegments = false;
  gotBytes = 0;
  #chunks: Buffer[] = [];
  readonly #algorithms: readonly DigestAlgorithm[];
  #digests: RunningDigests;
  #pin: Pin | undefined;

  constructor(algorithms: readonly DigestAlgorithm[]) {
    this.#algorithms = algorithms;
    this.#digests = new RunningDigests(algorithms);
  }

  get held(): Held | undefined {
    return this.#pin === undefined || this.gotBytes === 0 ? undefined : { bytes: this.gotBytes, pin: this.#pin };
  }

  gaps(totalBytes: number): ByteRanges {
    return gapsOf(this.gotBytes === 0 ? [] : [{ from: 0, to: this.gotBytes }], totalBytes);
  }

  async begin(pin: Pin): Promise<void> {
    await this.discard();
    const { serverDigest } = pin;
    this.#digests = new RunningDigests([...this.#algorithms, ...(serverDigest ? [serverDigest.algorithm] : [])]);
    this.#pin = pin;
  }

  forgetValidator(): void {
    if (this.#pin === undefined) return;
    this.#pin = { ...this.#pin, representation: { ...this.#pin.representation, validator: undefined } };
  }

  writerAt(): ByteWriter {
    return this;
  }

  write(chunk: Buffer): undefined {
    this.#digests.update(chunk);
    this.#chunks.push(chunk);
    this.gotBytes += chunk.length;
    return undefined;
  }

  async end(): Promise<void> {}

  async discard(): Promise<void> {
    this.#chunks = [];
    this.gotBytes = 0;
    this.#pin = undefined;
    this.#digests = new RunningDigests(this.#algorithms);
  }

  async digests(): Promise<ReadonlyMap<DigestAlgorithm, string>> {
    return this.#digests.hexes();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
