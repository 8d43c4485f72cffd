/**
 * undici 7.30 asserts, in its handlers of a socket's `end`, `error` and `close`, that its parser is not paused. A body
 * that is read slowly and delimited by the connection's end, or said to be the last (`Connection: close`), takes the
 * whole process down with an AssertionError that nobody can catch (nodejs/undici#5360; mended in undici 8 by #5474).
 */
import type { Socket } from 'node:net';

/** What is touched of undici's parser; a version without it is left alone. */
interface Parser {
  paused: boolean;
  readonly ptr: unknown;
  readonly llhttp: { llhttp_resume(ptr: unknown): void };
  execute(chunk: Buffer): void;
}

const nothing = Buffer.alloc(0);

/** To be called before undici gets the socket: listeners run in the order in which they came. */
export function guardPausedEnd(socket: Socket): void {
  const wake = () => {
    const parser = parserOf(socket);
    if (parser?.paused !== true || parser.ptr === null || parser.ptr === undefined) return;
    unpause(parser);
    // A body of known length is only told complete by another step; one that ends with the connection pauses again.
    parser.execute(nothing);
    if (parser.paused && parser.ptr !== null) unpause(parser);
  };
  for (const event of ['end', 'error', 'close']) socket.prependListener(event, wake);
}

function unpause(parser: Parser): void {
  parser.llhttp.llhttp_resume(parser.ptr);
  parser.paused = false;
}

function parserOf(socket: Socket): Parser | undefined {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
  const parser = key === undefined ? undefined : (socket as unknown as Record<symbol, Parser | null>)[key];
  return typeof parser?.llhttp?.llhttp_resume === 'function' && typeof parser.execute === 'function'
    ? parser
    : undefined;
}
