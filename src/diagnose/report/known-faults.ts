/** Versions of clients that are known to misjudge or break connections: data, each with where it is told. Pure. */

export interface ClientVersions {
  readonly node?: string | undefined;
  readonly undici?: string | undefined;
  readonly openssl?: string | undefined;
  readonly curl?: string | undefined;
  /** As Python’s requests and pip’s relatives use it. */
  readonly urllib3?: string | undefined;
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
    client: 'curl',
    name: 'curl',
    since: '7.66.0',
    until: '7.74.0',
    what: 'does not repeat after a 408 with --retry',
    told: 'curl #6155',
  },
  {
    client: 'curl',
    name: 'curl',
    until: '8.5.0',
    what: 'with -C - calls a file that is complete already an error, since the server answers 416',
    told: 'curl commit 225db91',
  },
  {
    client: 'curl',
    name: 'curl',
    since: '8.2.0',
    until: '8.2.1',
    what: 'hangs over HTTP/2 when a POST has an empty body',
    told: 'curl #11485',
  },
  {
    client: 'curl',
    name: 'curl',
    since: '8.14.0',
    until: '8.15.0',
    what: 'ends with code 0 after a 4xx or 5xx when --fail and --retry are given together',
    told: 'curl #17554, #17559',
  },
  {
    client: 'curl',
    name: 'curl',
    since: '8.16.0',
    until: '8.17.0',
    what: 'waits for one second before each --retry, and no longer each time, unlike those before',
    told: 'curl #18591',
  },
  {
    client: 'node',
    name: 'Node.js',
    since: '20.0.0',
    until: '24.0.0',
    what: 'gives each of several addresses of a name 250 ms to connect, which is too little for far ones (ETIMEDOUT); --network-family-autoselection-attempt-timeout changes it',
    told: 'nodejs/node #52082, #60334',
  },
  {
    client: 'urllib3',
    name: 'urllib3',
    until: '2.0.0',
    what: 'hands a streamed body that is shorter than its Content-Length to requests without an error',
    told: 'urllib3 #2514, psf/requests #4956',
  },
  {
    client: 'openssl',
    name: 'OpenSSL',
    since: '3.0.0',
    what: 'refuses servers without secure renegotiation (“unsafe legacy renegotiation disabled”), which 1.1.1 took',
    told: 'openssl #16278',
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
