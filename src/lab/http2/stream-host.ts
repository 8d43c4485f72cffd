import type { ConnectionHost, ConnectionLines } from '../exchange.ts';
import type { EndedHow, Http2Code } from '../scenario.ts';
import type { Wire } from '../wire.ts';
import type { Stream } from './stream.ts';

/** What a stream asks its connection for. */
export interface StreamHost {
  readonly wire: Wire;
  readonly host: ConnectionHost;
  readonly lines: ConnectionLines;
  /** How the lab has cut the whole connection, if it has. */
  readonly cutBy: EndedHow | undefined;
  /** Writes whole frames behind all that was written before; resolves to whether the kernel took them. */
  send(parts: readonly Buffer[]): Promise<boolean>;
  /** Bytes of DATA that the client lets us send now, at least one; 0 once it has left. They count as sent. */
  reserve(stream: Stream, wantedBytes: number): Promise<number>;
  /** Lets the client send as much again as was read. */
  consumed(stream: Stream, bytes: number): void;
  /** Says goodbye; the connection ends when its streams have. */
  goaway(lastStreamId: number, code: Http2Code): Promise<void>;
  cut(by: EndedHow): void;
}
