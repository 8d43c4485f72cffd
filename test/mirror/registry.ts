/** A registry of our own for the mirror's tests: plain `node:http`, a record of what was asked, and faults on request. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Served {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Registry extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly Served[];
  /** How often that path was asked for. */
  count(path: string): number;
  /** The most requests that were being answered at once. */
  readonly mostAtOnce: number;
}

export type Handler = (request: Served, response: ServerResponse, registry: Registry) => void;

export async function startRegistry(handle: Handler): Promise<Registry> {
  const requests: Served[] = [];
  let running = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    running += 1;
    mostAtOnce = Math.max(mostAtOnce, running);
    response.on('close', () => {
      running -= 1;
    });
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const served = { method, path, headers, body: Buffer.concat(parts) };
      requests.push(served);
      handle(served, response, registry);
    });
  });
  // As nginx has it; the five seconds of Node.js race with clients that keep connections as long.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: Registry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    count: (path) => requests.filter((one) => one.path === path).length,
    get mostAtOnce() {
      return mostAtOnce;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function sri(bytes: Buffer): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

/** The same bytes for the same seed, that no compression and no luck makes equal to others. */
export function seededBytes(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

/** Reads an answer to its end, or tells how it broke. */
export async function readBody(response: Response): Promise<{ readonly bytes: Buffer; readonly error: unknown }> {
  const parts: Buffer[] = [];
  try {
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) parts.push(Buffer.from(part));
    return { bytes: Buffer.concat(parts), error: undefined };
  } catch (error) {
    return { bytes: Buffer.concat(parts), error };
  }
}
