/** Compressed bytes to plain ones; what is wrong with them is told as the archive's fault. */
import type { Duplex } from 'node:stream';
import zlib from 'node:zlib';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveSource } from './archive-source.ts';
import { zstdFrames } from './zstd-frames.ts';

export type Compression = 'gzip' | 'zstd';

/** Room for one piece of output. */
const OUTPUT_BYTES = 65_536;

/**
 * What a decoder in JavaScript is given at once: one KiB of run-length blocks can be 32 MiB, which has to be looked at
 * before there is more.
 */
const SLICE_BYTES = 1_024;

export async function* decompressed(source: ArchiveSource, compression: Compression): AsyncGenerator<Buffer> {
  try {
    yield* compression === 'gzip' ? through(source, zlib.createGunzip({ chunkSize: OUTPUT_BYTES })) : unzstd(source);
  } catch (error) {
    if (source.failure !== undefined || error instanceof ArchiveError) throw error;
    throw decoderTrouble(error, source.bytes);
  }
}

/** Node.js has it from 22.15 on; before, a decoder in JavaScript does the same, without looking at checksums. */
async function* unzstd(source: ArchiveSource): AsyncGenerator<Buffer> {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => Duplex };
  for await (const frame of zstdFrames(source)) {
    yield* createZstdDecompress === undefined
      ? unzstdInScript(frame)
      : through(frame, createZstdDecompress({ chunkSize: OUTPUT_BYTES }));
  }
}

async function* unzstdInScript(frame: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { Decompress } = await import('fzstd');
  const ready: Buffer[] = [];
  const decoder = new Decompress((data) => ready.push(Buffer.from(data)));
  for await (const chunk of frame) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      decoder.push(chunk.subarray(at, at + SLICE_BYTES));
      yield* ready.splice(0);
    }
  }
  decoder.push(new Uint8Array(0), true);
  yield* ready.splice(0);
}

async function* through(source: AsyncIterable<Buffer>, decoder: Duplex): AsyncGenerator<Buffer> {
  let isStopped = false;
  const feeding = feed(source, decoder, () => isStopped).catch((error: unknown) => {
    decoder.destroy(error instanceof Error ? error : new Error('the source failed', { cause: error }));
  });
  try {
    yield* decoder as AsyncIterable<Buffer>;
    await feeding;
  } finally {
    isStopped = true;
    decoder.destroy();
  }
}

/** What follows the end of the compressed stream is read, and left: the source proves itself at its own end. */
async function feed(source: AsyncIterable<Buffer>, decoder: Duplex, isStopped: () => boolean): Promise<void> {
  for await (const chunk of source) {
    if (isStopped()) return;
    if (decoder.destroyed || decoder.readableEnded) continue;
    if (!decoder.write(chunk)) await untilWritable(decoder);
  }
  if (!decoder.destroyed) decoder.end();
}

const eventsAfterWaiting = ['drain', 'end', 'error', 'close'] as const;

function untilWritable(decoder: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const name of eventsAfterWaiting) decoder.off(name, done);
      resolve();
    };
    for (const name of eventsAfterWaiting) decoder.on(name, done);
  });
}

function decoderTrouble(error: unknown, atByte: number): ArchiveError {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  // zlib, and fzstd's number for it.
  const isCut = code === 'Z_BUF_ERROR' || code === 5 || /unexpected (end|eof)/i.test(message);
  return new ArchiveError({ trouble: isCut ? 'truncated' : 'corrupt', what: message, atByte, cause: error });
}
