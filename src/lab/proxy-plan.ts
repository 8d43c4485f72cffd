import type { EndedHow, Selector } from './scenario-words.ts';

/** What happens to a request at the proxy. */
export type ProxyFault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly bodyText?: string;
    }
  /** Before any answer, right behind the 200 to CONNECT, or behind `atByte` bytes that came from the origin. */
  | {
      readonly kind: 'cut';
      readonly by: Exclude<EndedHow, 'bare-fin'>;
      readonly at: 'request' | 'established' | 'tunnel';
      readonly atByte?: number;
      readonly afterDrainMs?: number;
    }
  /** Silence from there on, until the client leaves. */
  | { readonly kind: 'stall'; readonly at: 'request' | 'tunnel'; readonly atByte?: number };

/** How a proxy behaves; as plain data. */
export interface ProxyPlan {
  /** `user:password` that Proxy-Authorization must carry; otherwise 407. */
  readonly credentials?: string;
  /** More tunnels than this at the same time are answered 403 without Retry-After, as squid's maxconn does. */
  readonly maxTunnels?: number;
  /** What happens to the n-th request that has passed the two checks above. */
  readonly rules?: readonly { readonly on: Exclude<Selector, 'resumes'>; readonly do: ProxyFault }[];
}

/** What one request to the proxy was and became. */
export interface ProxyRequestRecord {
  /** 1-based. */
  readonly n: number;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The proxy's own or the origin's; absent where nothing was answered. */
  readonly status?: number;
  /** Bytes passed on to the origin, and to the client. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly endedBy: 'none' | 'refused' | 'rst' | 'fin' | 'stall' | 'closed';
}

/** A running proxy. */
export interface LabProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without credentials. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly ProxyRequestRecord[];
  readonly openTunnels: number;
  readonly maxOpenTunnels: number;
  readonly openSockets: number;
  /** Resolves when the n-th request (1-based) has come. */
  untilRequest(n: number): Promise<ProxyRequestRecord>;
  close(): Promise<void>;
}
