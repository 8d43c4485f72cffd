import type { Selector } from '../scenario-words.ts';

/** Down is towards the client, up towards the server behind the front. */
export type Direction = 'down' | 'up';

/** A place in the bytes of one direction. At most one of the fields; none means before the first byte. */
export interface StreamPosition {
  /** @default 'down' */
  readonly direction?: Direction;
  /** Bytes of this connection that pass before it. */
  readonly atByte?: number;
  /** At the next multiple of this in all that the front has passed in that direction. */
  readonly everyBytes?: number;
  /** Drawn from the front's seed and the connection's number; both ends inclusive. */
  readonly atRandomByte?: { readonly min: number; readonly max: number };
}

/** What happens to a connection. */
export type FrontFault =
  /** Reset or ended before the server behind hears of it. */
  | { readonly kind: 'refuse'; readonly by?: 'rst' | 'fin'; readonly afterMs?: number }
  /** A reset waits until the client has what was sent, and then for a moment (40 ms, or `afterDrainMs`). */
  | (StreamPosition & { readonly kind: 'cut'; readonly by: 'rst' | 'fin'; readonly afterDrainMs?: number })
  /** Silence in that direction; without `forMs` until the client leaves. */
  | (StreamPosition & { readonly kind: 'stall'; readonly forMs?: number })
  | {
      readonly kind: 'trickle';
      readonly direction?: Direction;
      readonly chunkBytes: number;
      readonly everyMs: number;
      readonly fromByte?: number;
    }
  | { readonly kind: 'rate'; readonly direction?: Direction; readonly bytesPerSecond: number }
  /** Every byte arrives so much later; what is on the way does not wait for what is behind it. */
  | { readonly kind: 'latency'; readonly direction?: Direction; readonly delayMs: number };

/** The first rule that matches a connection decides. */
export interface FrontRule {
  readonly on: Exclude<Selector, 'resumes'>;
  /** Holds while more than this many connections are open, this one included. */
  readonly concurrentAbove?: number;
  /** Holds for this part of the connections (0 to 1), chosen by the seed. */
  readonly shareRatio?: number;
  /** One fault, or several that act together. */
  readonly do: FrontFault | readonly FrontFault[];
}

export interface FrontOptions {
  readonly target: { readonly host: string; readonly port: number };
  readonly rules?: readonly FrontRule[];
  /** @default 1 */
  readonly seed?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 is any free one. @default 0 */
  readonly port?: number;
}

/** How a connection of the front ended. */
export type FrontEnd = 'none' | 'refused' | 'rst' | 'fin' | 'client' | 'target' | 'unreachable';

export interface FrontConnectionRecord {
  /** 1-based. */
  readonly n: number;
  readonly openedAtMs: number;
  readonly closedAtMs?: number;
  /** Bytes that were passed on. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** The kinds of the faults that met it. */
  readonly faults: readonly string[];
  readonly endedBy: FrontEnd;
}

export interface FrontRecord {
  readonly seed: number;
  readonly connections: readonly FrontConnectionRecord[];
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A running front: a TCP proxy with faults of its own. */
export interface Front extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `http://HOST:PORT`; with TLS behind it, use `https:` and a name that the certificate has. */
  readonly url: string;
  readonly record: FrontRecord;
  readonly openConnections: number;
  /** From now on connects are refused, at once; those that are open stay. */
  refuse(): void;
  /** Listens again. */
  listen(): Promise<void>;
  /** Resets every open connection, as a crash of the network would. */
  resetAll(): void;
  /** Resolves when `holds` is true of the record; looked at whenever anything happens. */
  until(holds: (record: FrontRecord) => boolean): Promise<void>;
  untilIdle(): Promise<void>;
  close(): Promise<void>;
}
