import { ConfigError, show } from '../core/index.ts';

/** Fields that the download sets itself, or that belong to the connection. */
const ownFields: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Checks one request header (RFC 9110, 5.1 and 5.5). The value never gets into a message: it may be a secret.
 *
 * @throws ConfigError
 */
export function checkHeader(name: string, value: string, purpose: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    throw new ConfigError(
      `Cannot ${purpose} as its name must be made of letters, digits and -: received ${show(name)}`,
    );
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    throw new ConfigError(
      `Cannot ${purpose} as the value of ${name} must be text of one line: received other characters`,
    );
  }
  if (ownFields.has(name.toLowerCase())) {
    throw new ConfigError(
      `Cannot ${purpose} as ${name} must be left to reknit, which sets it itself: received ${name}`,
    );
  }
}
