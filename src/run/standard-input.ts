/**
 * Whether a repeat can be given the same standard input. What is inherited is seen by its place in the file; what comes
 * through a pipe is passed on by us, and once a byte of it has gone there is no second one.
 */
import { fstatSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';

export interface StandardInput {
  /** For the command. */
  readonly stream: 'inherit' | 'ignore' | 'pipe';
  /** Passes on what comes, where the stream is a pipe. @returns how to stop */
  feed(target: Writable): () => void;
  isConsumed(): boolean;
}

export function openStandardInput(choice: 'inherit' | 'ignore'): StandardInput {
  if (choice === 'ignore') return inputOf('ignore', () => false);
  const kind = kindOfInput();
  if (kind === 'none') return inputOf('ignore', () => false);
  if (kind === 'device') return inputOf('inherit', () => false);
  const startsAt = kind === 'file' ? placeInFile() : undefined;
  if (startsAt !== undefined) return inputOf('inherit', () => placeInFile() !== startsAt);
  return passedOn();
}

const inputOf = (stream: 'inherit' | 'ignore', isConsumed: () => boolean): StandardInput => ({
  stream,
  feed: () => () => {},
  isConsumed,
});

/** A terminal is asked again; `/dev/null` has nothing to lose. */
function kindOfInput(): 'file' | 'device' | 'pipe' | 'none' {
  try {
    const stat = fstatSync(0);
    if (stat.isFile()) return 'file';
    return stat.isCharacterDevice() ? 'device' : 'pipe';
  } catch {
    return 'none';
  }
}

/** Handles that are inherited share one place; only Linux tells it. */
function placeInFile(): string | undefined {
  try {
    return /^pos:\s*(\d+)/m.exec(readFileSync('/proc/self/fdinfo/0', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

function passedOn(): StandardInput {
  let isConsumed = false;
  let hasEnded = false;
  const source = process.stdin;
  return {
    stream: 'pipe',
    feed: (target) => {
      const take = (chunk: Buffer) => {
        isConsumed = true;
        if (!target.write(chunk)) {
          source.pause();
          target.once('drain', () => source.resume());
        }
      };
      const end = () => {
        hasEnded = true;
        target.end();
      };
      const stop = () => {
        source.off('data', take).off('end', end).pause();
        if ('unref' in source) source.unref();
      };
      // A command that reads no further is no trouble of ours.
      target.on('error', stop);
      if (hasEnded) target.end();
      else source.on('data', take).once('end', end);
      return stop;
    },
    isConsumed: () => isConsumed,
  };
}
