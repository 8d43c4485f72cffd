/** What can be the matter, as data. */

export type CauseFamily =
  | 'nothing'
  | 'server'
  | 'request'
  | 'middlebox'
  | 'keep-alive'
  | 'tls'
  | 'rate'
  | 'name-or-route'
  | 'client';

export interface CauseRow {
  readonly id: string;
  readonly family: CauseFamily;
  /** For a headline. */
  readonly title: string;
  /** What it means, as a colleague would say it. */
  readonly means: string;
  /** How often it is the reason when somebody asks; a weight. */
  readonly prior: number;
  /** Without this it cannot be. */
  readonly needs?: Circumstance;
}

/** `name`: the host is a name, no address. `writing`: the method changes something. */
export type Circumstance = 'tls' | 'proxy' | 'name' | 'writing';

export const causes = [
  {
    id: 'nothing-wrong',
    family: 'nothing',
    title: 'nothing was wrong while I looked',
    means:
      'Every experiment went well. If it fails for you, it does so at other times, from another place, or with another request.',
    prior: 8,
  },
  {
    id: 'passed',
    family: 'nothing',
    title: 'it was a moment, and is over',
    means:
      'It failed at first, as told below, and has gone well every time since. A restart, a short overload, or a connection that was lost on its way looks so afterwards; which of them it was, the server’s log can tell.',
    prior: 2,
  },
  {
    id: 'server-down',
    family: 'server',
    title: 'nothing listens there, or a firewall refuses',
    means:
      'Every connect was refused at once: the host is up, and no program takes connections on that port; a firewall that rejects looks the same from here.',
    prior: 1,
  },
  {
    id: 'server-restarting',
    family: 'server',
    title: 'the server restarts or crashes',
    means:
      'Refusals or 502/503 come in stretches with good times between: a process that dies and is started again, or a deployment.',
    prior: 1,
  },
  {
    id: 'server-overloaded',
    family: 'server',
    title: 'the server is overloaded',
    means: 'Some requests fail and others pass, without any order in it: the server takes more than it can do.',
    prior: 1,
  },
  {
    id: 'accept-queue-full',
    family: 'server',
    title: 'the server’s queue of new connections is full',
    means:
      'Connects hang until TCP sends its SYN again, after 1, 3 and 7 s: the program does not accept fast enough, or its backlog is small.',
    prior: 1,
  },
  {
    id: 'server-fails',
    family: 'server',
    title: 'the server fails on this request, every time',
    means:
      'It answers with a 5xx whatever is changed: an error of the application, or a gateway that has lost the server behind it.',
    prior: 1,
  },
  {
    id: 'drops-requests',
    family: 'server',
    title: 'something ends the connection instead of answering',
    means:
      'The connection is made, the request is sent, and the connection ends without an answer, every time: the process behind crashes on it, or a filter in front does not like it.',
    prior: 1,
  },
  {
    id: 'drops-connections',
    family: 'middlebox',
    title: 'connections are ended as soon as they are made',
    means:
      'Not a byte was sent yet, and the connection ends: a load balancer without servers behind it, an address that is not allowed, or a firewall.',
    prior: 1,
  },
  {
    id: 'server-silent',
    family: 'server',
    title: 'the server takes the request and never answers',
    means: 'The connection stays open and nothing comes: the application hangs or waits for something of its own.',
    prior: 1,
  },
  {
    id: 'request-unwelcome',
    family: 'request',
    title: 'the server minds one part of the request',
    means: 'With one header changed the same request goes well.',
    prior: 1,
  },
  {
    id: 'request-refused',
    family: 'request',
    title: 'the server refuses this request',
    means: 'The answer is a 4xx whatever header is changed: the address, the login or the method is wrong.',
    prior: 1,
  },
  {
    id: 'upload-limit',
    family: 'request',
    title: 'uploads are limited by size',
    means: 'Small bodies are taken, larger ones are refused or cut.',
    prior: 1,
    needs: 'writing',
  },
  {
    id: 'not-http',
    family: 'request',
    title: 'what answers there does not speak HTTP',
    means:
      'Something listens on that port, and its answer is no HTTP: another service, another protocol, or TLS where none was expected.',
    prior: 0.5,
  },
  {
    id: 'connection-limit',
    family: 'middlebox',
    title: 'connections or requests are limited by number',
    means: 'One at a time goes well; of several at once the same number gets through and the rest is refused.',
    prior: 1,
  },
  {
    id: 'size-limit',
    family: 'middlebox',
    title: 'connections are cut at a size',
    means:
      'Every body ends at the same number of bytes, however fast it is read: a firewall or proxy with a limit for what it scans or stores.',
    prior: 1,
  },
  {
    id: 'time-limit',
    family: 'middlebox',
    title: 'connections are cut after a time',
    means:
      'Every body ends after the same time, however many bytes have come: a time limit of a proxy, a load balancer or the server.',
    prior: 1,
  },
  {
    id: 'idle-limit',
    family: 'middlebox',
    title: 'what is slow or idle is cut',
    means:
      'Read at full speed it goes well; after a pause it is cut: somebody between ends what has been silent for a time.',
    prior: 0.6,
  },
  {
    id: 'stalls',
    family: 'middlebox',
    title: 'bodies stop in the middle',
    means:
      'The connection stays open and nothing comes any more: a middlebox that forgot the connection, a path that drops packets, or a server that hangs while it sends.',
    prior: 1,
  },
  {
    id: 'random-cuts',
    family: 'middlebox',
    title: 'connections are cut at random',
    means:
      'Cuts come at no certain byte and after no certain time: a lossy or overloaded way, or a server that kills its workers.',
    prior: 1,
  },
  {
    id: 'damaged-content',
    family: 'server',
    title: 'the content is broken at one place',
    means:
      'It ends or is damaged at the same place of the file wherever one begins: the file, a cache or the server behind is broken there.',
    prior: 0.6,
  },
  {
    id: 'content-replaced',
    family: 'middlebox',
    title: 'somebody between replaces the content',
    means:
      'The answer says 200 and is empty, or a page where a file was asked for: a portal, a content filter, or a cache that stored nothing.',
    prior: 1,
  },
  {
    id: 'proxy-refuses',
    family: 'middlebox',
    title: 'the proxy refuses',
    means: 'The proxy itself says no, before the server has heard of it: a rule, or a login that is missing.',
    prior: 1,
    needs: 'proxy',
  },
  {
    id: 'proxy-fails',
    family: 'middlebox',
    title: 'the proxy fails',
    means: 'The proxy cuts the connection or cannot reach the server.',
    prior: 1,
    needs: 'proxy',
  },
  {
    id: 'firewall-drops',
    family: 'name-or-route',
    title: 'nobody answers: packets are dropped',
    means: 'Connects are neither taken nor refused: a firewall drops them, the host is off, or the way leads nowhere.',
    prior: 1,
  },
  {
    id: 'no-route',
    family: 'name-or-route',
    title: 'there is no way to the address',
    means:
      'The network says at once that the host or net cannot be reached: an interface or a VPN is down, or an address family is not routed here.',
    prior: 0.7,
  },
  {
    id: 'name-not-found',
    family: 'name-or-route',
    title: 'the name does not exist',
    means:
      'The resolvers say for sure that there is no such name: a typing error, a missing search domain, or a name that only a VPN knows.',
    prior: 1,
    needs: 'name',
  },
  {
    id: 'name-flaps',
    family: 'name-or-route',
    title: 'the name resolves only now and then',
    means: 'A resolver fails or answers late, not always: it is overloaded, or one of several is broken.',
    prior: 1,
    needs: 'name',
  },
  {
    id: 'address-dead',
    family: 'name-or-route',
    title: 'one of the addresses is dead',
    means: 'The name has several addresses, and one of them does not answer: whoever is given that one fails.',
    prior: 1,
    needs: 'name',
  },
  {
    id: 'keep-alive-race',
    family: 'keep-alive',
    title: 'kept connections are ended under the client',
    means:
      'Fresh connections go well. One that is used again is ended by the server, or by somebody between, without a word: a client that reuses it meets the end.',
    prior: 1,
  },
  {
    id: 'tls-mismatch',
    family: 'tls',
    title: 'the two sides find no common TLS',
    means: 'The handshake is refused by an alert, or the port does not speak TLS at all.',
    prior: 1,
    needs: 'tls',
  },
  {
    id: 'tls-untrusted',
    family: 'tls',
    title: 'the certificate’s issuer is not trusted here',
    means:
      'The chain ends at an authority that this machine does not know: a private one, a firewall that decrypts, or a chain without its middle.',
    prior: 1,
    needs: 'tls',
  },
  {
    id: 'tls-certificate',
    family: 'tls',
    title: 'the certificate is not valid',
    means: 'It has expired, is not valid yet, or was made for another name.',
    prior: 1,
    needs: 'tls',
  },
  {
    id: 'tls-cut',
    family: 'tls',
    title: 'the TLS handshake is cut',
    means:
      'TCP connects, and behind the first TLS message the connection ends or goes silent: a filter that reads the server name, or a server that is overloaded.',
    prior: 1,
    needs: 'tls',
  },
  {
    id: 'http2-trouble',
    family: 'middlebox',
    title: 'HTTP/2 breaks where HTTP/1.1 works',
    means:
      'The same request goes well over HTTP/1.1 and fails over HTTP/2: a gateway in front of the server does not manage its streams.',
    prior: 0.7,
    needs: 'tls',
  },
  {
    id: 'rate-limit',
    family: 'rate',
    title: 'the server limits the rate of requests',
    means: 'It says itself (429, or 503 with Retry-After) that there were too many in a time.',
    prior: 1,
  },
  {
    id: 'client-fault',
    family: 'client',
    title: 'it is the client',
    means: 'One client fails where another one goes well with the same request.',
    prior: 0.5,
  },
] as const satisfies readonly CauseRow[];

export type CauseId = (typeof causes)[number]['id'];

const byId: ReadonlyMap<string, CauseRow> = new Map(causes.map((row) => [row.id, row]));

export function causeRow(id: CauseId): CauseRow & { readonly id: CauseId } {
  return byId.get(id) as CauseRow & { readonly id: CauseId };
}
