import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { DigestAlgorithm } from './checksum.ts';
import type { Destination } from './destination.ts';
import type { Pin } from './journal.ts';
import { localError } from './local-error.ts';
import { RunningDigests } from './running-digests.ts';

/** A pipe: what has gone into it cannot be taken back, so a changed content is an error once there was a byte. */
export class StreamOutput implements Destination {
  readonly held = undefined;
  atByte = 0;
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
    return this.atByte === 0;
  }

  async begin(pin: Pin): Promise<void> {
    const { serverDigest } = pin;
    this.#digests = new RunningDigests([...this.#algorithms, ...(serverDigest ? [serverDigest.algorithm] : [])]);
  }

  forgetValidator(): void {}

  async write(chunk: Buffer): Promise<void> {
    const stream = this.#stream;
    if (stream.destroyed || stream.errored) throw localError('write to', 'the output', stream.errored ?? closed());
    this.#digests.update(chunk);
    this.atByte += chunk.length;
    if (stream.write(chunk)) return;
    try {
      await once(stream, 'drain', { signal: this.#signal });
    } catch (error) {
      this.#signal.throwIfAborted();
      throw localError('write to', 'the output', error);
    }
  }

  async discard(): Promise<void> {}

  digestHex(algorithm: DigestAlgorithm): string | undefined {
    return this.#digests.hex(algorithm);
  }
}

function closed(): Error {
  return Object.assign(new Error('its reader has gone'), { code: 'EPIPE' });
}
