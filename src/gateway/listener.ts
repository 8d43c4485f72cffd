/** A door for clients: what is no request, or too much of one, is refused before anything else sees it. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Server as NetServer, type Socket } from 'node:net';
import type { Limits, ListenerSettings } from './config.ts';

export interface Listener {
  readonly url: string;
  readonly port: number;
  /** Takes no new connection; those that are there go on. */
  stopAccepting(): void;
  closeIdle(): void;
  closeAll(): void;
}

export interface ListenerHandlers {
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  /** False: too many. */
  onConnection(socket: Socket): boolean;
}

export async function openListener(
  { host, port, tls }: ListenerSettings,
  limits: Limits,
  handlers: ListenerHandlers,
): Promise<Listener> {
  const options = {
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    noDelay: true,
  };
  const server: Server =
    tls === undefined
      ? createHttpServer(options)
      : createHttpsServer({ ...options, ...tls, ALPNProtocols: ['http/1.1'] });
  server.on('request', handlers.onRequest);
  server.on('connection', (socket: Socket) => {
    if (handlers.onConnection(socket)) return;
    // Before TLS nothing can be said in the client's language.
    if (tls === undefined)
      socket.end(rawAnswer(503, 'too-many-connections', 'the gateway has as many connections as it may'));
    else socket.destroy();
  });
  server.on('clientError', refuseClient);
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.end(rawAnswer(405, 'no-tunnels', 'the gateway is no forward proxy'));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as { readonly port: number };
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shownHost}:${bound}`,
    port: bound,
    // The server's own `close` cuts idle connections, on which a request may be on its way (nodejs/node#60617).
    stopAccepting: () => void NetServer.prototype.close.call(server),
    closeIdle: () => server.closeIdleConnections(),
    closeAll: () => server.closeAllConnections(),
  };
}

const statusByCode: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'headers-too-large', 'the request headers are larger than the gateway takes'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request-timeout', 'the request did not come in time'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'body-too-large', 'the chunk extensions are larger than the gateway takes'],
};

/** What the strict parser refuses is never guessed at: contradicting lengths, bare line feeds, odd names. */
function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = statusByCode[error.code ?? ''] ?? [400, 'bad-request', 'this is no HTTP request'];
  socket.end(rawAnswer(status, code, message), () => socket.destroySoon());
}

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};

function rawAnswer(status: number, code: string, message: string): string {
  const body = `${JSON.stringify({ error: { message, type: status < 500 ? 'invalid_request_error' : 'api_error', param: null, code } })}\n`;
  const retry = status === 503 ? 'Retry-After: 1\r\n' : '';
  const head = `HTTP/1.1 ${status} ${phrases[status]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return `${head}${retry}Connection: close\r\n\r\n${body}`;
}
