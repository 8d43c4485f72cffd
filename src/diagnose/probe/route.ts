/** Where a request goes, and how its connection is made. */
import type { LookupAddress } from 'node:dns';
import type { ForwardProxy, TlsOptions } from '../../http/index.ts';

export interface Route {
  readonly url: URL;
  readonly proxy: ForwardProxy | undefined;
  /** Instead of what the lookup says. */
  readonly address?: string;
  readonly minTls?: 'TLSv1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maxTls?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** @default HTTP/1.1 alone */
  readonly alpn?: readonly string[];
  /** Longer than usual, for those who want to see retransmissions. */
  readonly connectMs?: number;
}

/** The shape of `dns.lookup` with `all`. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export type { TlsOptions };

/** The host of a URL as sockets want it: without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
