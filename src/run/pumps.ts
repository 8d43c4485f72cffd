/** Bytes from a command to whoever reads ours: live, untouched, at the reader's pace, with the last of them kept. */
import type { Readable, Writable } from 'node:stream';
import type { OutputTail } from './output-tail.ts';

export interface Pump {
  /** Resolves when the stream has ended and all of it was handed on. */
  readonly ended: Promise<void>;
  /** Counts what came; a number that stands still is silence. */
  readonly passedBytes: number;
  stop(): void;
}

export function pump(source: Readable, target: Writable | undefined, tail: OutputTail): Pump {
  let passedBytes = 0;
  const { promise, resolve } = resolvable();
  const resume = () => source.resume();
  // A reader that has left: the command hears of it as of any closed pipe, by its next write.
  const leave = () => source.destroy();
  source.on('data', (chunk: Buffer) => {
    passedBytes += chunk.length;
    tail.add(chunk);
    if (target === undefined || target.destroyed) return;
    if (!target.write(chunk)) {
      source.pause();
      target.once('drain', resume);
    }
  });
  const done = () => {
    target?.off('drain', resume).off('error', leave).off('close', leave);
    resolve();
  };
  target?.once('error', leave).once('close', leave);
  source.resume();
  // The end of a pseudo-terminal is an error, EIO.
  source.once('end', done).once('error', done).once('close', done);
  return {
    ended: promise,
    get passedBytes() {
      return passedBytes;
    },
    stop: () => {
      source.destroy();
      done();
    },
  };
}

/** `Promise.withResolvers` came with Node.js 22. */
export function resolvable(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}
