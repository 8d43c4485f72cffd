/** Nothing printed or logged holds a credential. Text in, text out; no URL class, since core knows no platform. */

const secretParameter =
  /([?&;#](?:[^=&;#\s]*(?:token|secret|password|passwd|signature|credential|api[-_]?key|auth|session)[^=&;#\s]*|[^=&;#\s]*key|sig|jwt|pw|pwd|code|x-amz-[^=&;#]*|x-goog-[^=&;#]*|se|sp|sv|sr|skoid|sktid)=)[^&;#\s]+/gi;

/**
 * Up to the last `@` before the path, as URL parsers read it: a password may hold one. For http they also take any number
 * of slashes, of either kind.
 */
const userInfo = /(\bhttps?:[\\/]*|[a-z][a-z0-9+.-]*:\/\/)[^/?#\\\s]*@/gi;

/** A URL, or any text with URLs in it, without user, password and secret parameters. */
export function redactUrl(text: string): string {
  // Most have neither, and to look for the patterns costs more than a log line.
  if (!text.includes('@') && !text.includes('=')) return text;
  return text.replace(userInfo, '$1***@').replace(secretParameter, '$1***');
}

const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
]);

export function isSecretHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return secretHeaders.has(lower) || /token|secret|password|signature|credential/.test(lower);
}
