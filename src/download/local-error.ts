import { type Failure, ReknitError, tagFailure } from '../core/index.ts';

/** Trouble on this machine: disk full, permission, a target that exists or is busy. Nothing durable is lost by it. */
export class LocalError extends ReknitError {
  constructor(message: string, cause?: unknown) {
    const failure: Failure = {
      origin: 'local',
      phase: 'body',
      kind: 'local',
      // Another attempt over the network would change nothing on this disk.
      transient: false,
      mayHaveRun: true,
      ...codeOf(cause),
      what: message,
    };
    super('ERR_REKNIT_LOCAL', message, { failure, cause });
    tagFailure(this, failure);
  }
}

function codeOf(cause: unknown): { readonly code?: string } {
  const code = errnoOf(cause);
  return code === undefined ? {} : { code };
}

export function errnoOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

const wordsFor: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the file system allows',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOENT: 'no such folder',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  EIO: 'the disk failed to read or write',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EXDEV: 'it is on another file system',
};

/** `Cannot write FILE: no space left on the disk (ENOSPC)` */
export function localError(doing: string, path: string, cause: unknown): LocalError {
  if (cause instanceof LocalError) return cause;
  const code = errnoOf(cause);
  const words = code === undefined ? undefined : wordsFor[code];
  const why = words ?? (cause instanceof Error ? cause.message : String(cause));
  return new LocalError(`Cannot ${doing} ${path}: ${why}${words === undefined ? '' : ` (${code})`}`, cause);
}

/** Runs one step on the file system; what goes wrong in it is told as ours. */
export async function onDisk<T>(doing: string, path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw localError(doing, path, error);
  }
}
