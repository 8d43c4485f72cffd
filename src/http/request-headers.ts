/** Request headers in every shape that dispatch accepts: a flat list, a record, pairs. Names compare without case. */

export type RequestHeaders =
  | readonly string[]
  | Iterable<readonly [string, string | readonly string[] | undefined]>
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | null
  | undefined;

export type HeaderPair = [name: string, value: string];

export function headerPairs(headers: RequestHeaders): HeaderPair[] {
  if (headers === null || headers === undefined) return [];
  if (Array.isArray(headers) && (headers.length === 0 || typeof headers[0] === 'string')) return flatPairs(headers);
  const entries =
    Symbol.iterator in headers ? (headers as Iterable<readonly [string, unknown]>) : Object.entries(headers);
  const pairs: HeaderPair[] = [];
  for (const [name, value] of entries) addPair(pairs, String(name), value);
  return pairs;
}

function flatPairs(flat: readonly unknown[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) addPair(pairs, String(flat[i]), flat[i + 1]);
  return pairs;
}

function addPair(pairs: HeaderPair[], name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, String(one)]);
}

/** The value of a header, repeated ones joined. */
export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  const values = headerPairs(headers)
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

/** The same headers without `drop`, with `set` at the end, as the flat list that dispatch takes fastest. */
export function withHeaders(
  headers: RequestHeaders,
  drop: ReadonlySet<string>,
  set: Readonly<Record<string, string | undefined>>,
): string[] {
  const flat: string[] = [];
  for (const [name, value] of headerPairs(headers)) {
    const lower = name.toLowerCase();
    if (!drop.has(lower) && set[lower] === undefined) flat.push(name, value);
  }
  for (const [name, value] of Object.entries(set)) {
    if (value !== undefined) flat.push(name, value);
  }
  return flat;
}
