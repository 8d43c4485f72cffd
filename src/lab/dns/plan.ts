import type { Selector } from '../scenario-words.ts';

export type DnsType = 'A' | 'AAAA';

/** What happens to a query. */
export type DnsFault =
  | { readonly kind: 'rcode'; readonly code: 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED' }
  /** No answer at all. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The name is there, and has no address. */
  | { readonly kind: 'empty' }
  /** Other addresses than the plan has for the name. */
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  /** Over UDP the answer does not fit; the client has to ask by TCP. */
  | { readonly kind: 'truncated' }
  /** An answer that is no DNS message. */
  | { readonly kind: 'garbage' };

/** The first rule that matches a query decides; `on` counts the queries for which the rest of the rule holds. */
export interface DnsRule {
  readonly on: Exclude<Selector, 'resumes'>;
  readonly name?: string;
  readonly type?: DnsType;
  readonly do: DnsFault;
}

/** How a name server behaves; plain data. */
export interface DnsPlan {
  /** Addresses by name; `*` is every other name. @default { '*': ['127.0.0.1'] } */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly rules?: readonly DnsRule[];
  /** @default 0 */
  readonly ttlSeconds?: number;
}

export interface DnsQueryRecord {
  /** 1-based. */
  readonly n: number;
  readonly over: 'udp' | 'tcp';
  /** In lower case. */
  readonly name: string;
  readonly type: DnsType | 'other';
  readonly atMs: number;
  /** The kind of the fault that met it. */
  readonly fault?: string;
  readonly answered:
    | 'addresses'
    | 'empty'
    | 'truncated'
    | 'garbage'
    | 'nothing'
    | 'FORMERR'
    | 'SERVFAIL'
    | 'NXDOMAIN'
    | 'NOTIMP'
    | 'REFUSED';
  readonly addresses: readonly string[];
}

/** The shape of `dns.lookup`, as `connect`, agents and clients take it in `lookup`. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

export interface LookupOptions {
  readonly all?: boolean | undefined;
  readonly family?: number | 'IPv4' | 'IPv6' | undefined;
}

export interface LookupAddress {
  readonly address: string;
  readonly family: number;
}

/** A running name server. */
export interface LabDns extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as `Resolver.setServers` takes it. */
  readonly server: string;
  readonly port: number;
  readonly queries: readonly DnsQueryRecord[];
  /** Resolves when the n-th query (1-based) has come. */
  untilQuery(n: number): Promise<DnsQueryRecord>;
  /** Looks names up at this server, and fails with the codes of getaddrinfo: ENOTFOUND and EAI_AGAIN. */
  readonly lookup: Lookup;
  close(): Promise<void>;
}
