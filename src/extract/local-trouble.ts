import { getSystemErrorMap } from 'node:util';
import { type Failure, isReknitError, ReknitError, tagFailure } from '../core/index.ts';

/** Trouble on this machine, as `download` tells it (`ERR_REKNIT_LOCAL`): no repeat over the network changes the disk. */
export function localTrouble(message: string, cause?: unknown): ReknitError {
  const code = errnoOf(cause);
  const failure: Failure = {
    origin: 'local',
    phase: 'body',
    kind: 'local',
    transient: false,
    mayHaveRun: true,
    ...(code === undefined ? {} : { code }),
    what: message,
  };
  const error = new ReknitError('ERR_REKNIT_LOCAL', message, { failure, cause });
  tagFailure(error, failure);
  return error;
}

export function errnoOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Runs one step on the file system; what goes wrong in it is told as `Cannot write FILE: no space left on device (ENOSPC)`. */
export async function onDisk<T>(doing: string, path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (isReknitError(error)) throw error;
    throw localTrouble(`Cannot ${doing} ${path}: ${describe(error)}`, error);
  }
}

function describe(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known === undefined ? (message ?? String(error)) : `${known[1]} (${known[0]})`;
}
