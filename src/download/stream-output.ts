import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { DigestAlgorithm } from './checksum.ts';
import type { ByteWriter, Destination } from './destination.ts';
import type { Pin } from './journal.ts';
import { localError } from './local-error.ts';
import { type ByteRanges, gapsOf } from './ranges.ts';
import { RunningDigests } from './running-digests.ts';

/** A pipe: what has gone into it cannot be taken back, so a changed content is an error once there was a byte. */
export class StreamOutput implements Destination, ByteWriter {
  readonly held = undefined;
  readonly takesSegments = false;
  gotBytes = 0;
  readonly #stream: Writable;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #signal: AbortSignal;
  #digests: RunningDigests;

  constructor(stream: Writable, algorithms: readonly DigestAlgorithm[], signal: AbortSignal) {
    this.#stream = stream;
    this.#algorithms = algorithms;
    this.#signal = signal;
    this.#digests = new RunningDigests(algorithms);
  }

  get mayBeginAgain(): boolean {
    return this.gotBytes === 0;
  }

  gaps(totalBytes: number): ByteRanges {
    return gapsOf(this.gotBytes === 0 ? [] : [{ from: 0, to: this.gotBytes }], totalBytes);
  }

  async begin({ serverDigest }: Pin): Promise<void> {
    this.#digests = new RunningDigests([...this.#algorithms, ...(serverDigest ? [serverDigest.algorithm] : [])]);
  }

  forgetValidator(): void {}

  writerAt(): ByteWriter {
    return this;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    const stream = this.#stream;
    if (stream.destroyed || stream.errored) throw localError('write to', 'the output', stream.errored ?? closed());
    this.#digests.update(chunk);
    this.gotBytes += chunk.length;
    return stream.write(chunk) ? undefined : this.#untilDrained();
  }

  async #untilDrained(): Promise<void> {
    try {
      await once(this.#stream, 'drain', { signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      throw localError('write to', 'the output', error);
    }
  }

  async end(): Promise<void> {}

  async discard(): Promise<void> {}

  async digests(): Promise<ReadonlyMap<DigestAlgorithm, string>> {
    return this.#digests.hexes();
  }
}

function closed(): Error {
  return Object.assign(new Error('its reader has gone'), { code: 'EPIPE' });
}
