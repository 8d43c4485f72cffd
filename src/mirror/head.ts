/** The head of an answer: what of it goes on to clients, and what the mirror itself reads. */

export type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Head {
  readonly status: number;
  /** As the upstream sent them, names in lower case. */
  readonly headers: HeaderRecord;
  /** Of the body; undefined where it is not told. */
  readonly lengthBytes: number | undefined;
  /** Where it came from in the end, behind redirects; relative links begin there. */
  readonly url: string;
}

/**
 * Of one connection or one client only. `set-cookie` among them: an answer that is shared with others must not log them in
 * as the first who asked.
 */
const stopped: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'accept-ranges',
]);

export function first(headers: HeaderRecord, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Name, value, name, value: what clients get of it. */
export function passedFields({ headers }: Head, without: ReadonlySet<string> = new Set()): string[] {
  const named = new Set((first(headers, 'connection') ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const fields: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || stopped.has(name) || named.has(name) || without.has(name)) continue;
    if (name.startsWith('x-reknit-')) continue;
    for (const one of typeof value === 'string' ? [value] : value) fields.push(name, one);
  }
  return fields;
}

export function lengthIn(headers: HeaderRecord): number | undefined {
  const text = first(headers, 'content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
