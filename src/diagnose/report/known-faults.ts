/** Versions of clients that are known to misjudge or break connections: data, each with where it is told. Pure. */

export interface ClientVersions {
  readonly node?: string | undefined;
  readonly undici?: string | undefined;
  readonly openssl?: string | undefined;
  readonly curl?: string | undefined;
}

interface FaultRow {
  readonly client: keyof ClientVersions;
  readonly name: string;
  /** From this version on; nothing: from the first. */
  readonly since?: string;
  /** It is mended in this version; nothing: in none. */
  readonly until?: string;
  readonly what: string;
  readonly told: string;
}

const rows: readonly FaultRow[] = [
  {
    client: 'node',
    name: 'Node.js',
    until: '24.0.0',
    what: 'takes a reset right behind the data for an orderly end: a cut of a body without length goes unnoticed',
    told: 'libuv #4997',
  },
  {
    client: 'node',
    name: 'Node.js',
    what: 'node:http2 calls a stream that was reset by CANCEL or NO_ERROR, or lost its connection, an orderly end',
    told: 'nodejs/node #35209',
  },
  {
    client: 'undici',
    name: 'undici',
    since: '7.0.0',
    until: '8.0.0',
    what: 'an assertion takes the process down when a connection ends under a reader that pauses',
    told: 'undici #5360',
  },
  {
    client: 'undici',
    name: 'undici',
    what: 'fetch takes truncated gzip, and a reset of a body without length, for the end',
    told: 'undici #2126, #2123',
  },
  {
    client: 'undici',
    name: 'undici',
    until: '8.0.0',
    what: 'over HTTP/2 a GOAWAY ends bodies that the server still serves to their end',
    told: 'measured with 7.30',
  },
  {
    client: 'curl',
    name: 'curl',
    until: '7.71.0',
    what: 'has no --retry-all-errors: --retry alone does not repeat after a reset in the body',
    told: 'curl(1)',
  },
  {
    client: 'openssl',
    name: 'OpenSSL',
    since: '3.0.0',
    what: 'reports a server that ends without close_notify as “unexpected eof while reading”, which 1.1.1 passed over',
    told: 'OpenSSL 3.0 migration guide',
  },
];

/** What is known of these versions, one line each. */
export function knownFaults(versions: ClientVersions): readonly string[] {
  return rows.flatMap(({ client, name, since, until, what, told }) => {
    const version = versions[client];
    if (version === undefined || isBelow(version, since ?? '0') || (until !== undefined && !isBelow(version, until)))
      return [];
    return [`${name} ${version} ${what} (${told})`];
  });
}

function isBelow(version: string, other: string): boolean {
  const [left, right] = [version, other].map((text) => text.split(/[.+-]/).map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (left?.[index] || 0) - (right?.[index] || 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
