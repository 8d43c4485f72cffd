/** The operator's door: alive, ready, metrics, and how the upstreams are. On an address of its own, by default loopback. */
import { createServer, type ServerResponse } from 'node:http';

export interface AdminSight {
  isReady(): boolean;
  metrics(): Promise<string>;
  readonly metricsType: string;
  status(): object;
}

export interface Admin {
  readonly url: string;
  close(): Promise<void>;
}

export async function openAdmin(
  { host, port }: { readonly host: string; readonly port: number },
  sight: AdminSight,
): Promise<Admin> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'only GET\n');
      return;
    }
    switch (request.url?.split('?', 1)[0]) {
      case '/healthz':
        answer(response, 200, 'alive\n');
        return;
      case '/readyz':
        answer(response, sight.isReady() ? 200 : 503, sight.isReady() ? 'ready\n' : 'not ready\n');
        return;
      case '/metrics':
        sight.metrics().then(
          (text) => answer(response, 200, text, sight.metricsType),
          () => answer(response, 500, 'the metrics could not be read\n'),
        );
        return;
      case '/pools':
        answer(response, 200, `${JSON.stringify(sight.status(), undefined, 2)}\n`, 'application/json');
        return;
      default:
        answer(response, 404, '/healthz /readyz /metrics /pools\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as { readonly port: number };
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
