/** A name from an archive becomes a path below the target folder, or a reason why not. Pure, and the same on every platform. */
import type { Limits } from './limits.ts';

export type NameVerdict =
  /** Parts below the target folder; none at all is the folder itself. */
  | { readonly kind: 'path'; readonly parts: readonly string[] }
  | { readonly kind: 'refused'; readonly trouble: 'unsafe' | 'limit'; readonly what: string };

/** What every common file system allows for one part. */
const MAX_PART_BYTES = 255;

const reservedOnWindows = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

export function checkName(name: string, limits: Limits, platform: NodeJS.Platform): NameVerdict {
  const what = whatIsUnsafe(name);
  if (what !== undefined) return { kind: 'refused', trouble: 'unsafe', what };
  if (Buffer.byteLength(name) > limits.maxNameBytes) {
    return { kind: 'refused', trouble: 'limit', what: `its name is longer than ${limits.maxNameBytes} bytes` };
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length > limits.maxDepth) {
    return { kind: 'refused', trouble: 'limit', what: `it lies deeper than ${limits.maxDepth} folders` };
  }
  if (parts.some((part) => Buffer.byteLength(part) > MAX_PART_BYTES)) {
    return { kind: 'refused', trouble: 'limit', what: `a part of its name is longer than ${MAX_PART_BYTES} bytes` };
  }
  const bad = platform === 'win32' ? parts.find(isBadOnWindows) : undefined;
  if (bad !== undefined) return { kind: 'refused', trouble: 'unsafe', what: 'Windows gives its name another meaning' };
  return { kind: 'path', parts };
}

function whatIsUnsafe(name: string): string | undefined {
  if (name === '') return 'it has no name';
  if (name.includes('\0')) return 'its name holds a NUL';
  if (name.includes('\uFFFD')) return 'its name is not UTF-8';
  if (name.startsWith('/')) return 'its name is absolute';
  if (name.includes('\\')) return 'its name holds a backslash';
  if (/^[a-z]:/i.test(name)) return 'its name begins with a drive letter';
  if (name.split('/').includes('..')) return 'its name leads out with ..';
  return undefined;
}

/** `file:stream`, device names, and names whose end Windows takes away. */
function isBadOnWindows(part: string): boolean {
  return /[:*?"<>|]|[. ]$/.test(part) || reservedOnWindows.test(part) || hasControlCharacter(part);
}

function hasControlCharacter(part: string): boolean {
  return [...part].some((character) => character < ' ');
}

/** Undefined where the bytes are not UTF-8. */
export function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
