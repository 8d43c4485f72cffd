/**
 * squid's `maxconn` counts connections from their accept on. When several CONNECTs came at once, all were over the limit
 * before a single tunnel was open, all were answered 403, and each was taken for a rule that forbids the host.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createClient } from '../../src/http/index.ts';
import { startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from '../wire/ways.ts';

const refusal = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** Answers when so many CONNECTs wait, each with 403; later ones alone, as `isForbidden` says. */
async function startProxy(atOnce: number, isForbidden: boolean) {
  const waiting: Socket[] = [];
  let count = 0;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (head) => {
      count += 1;
      if (count > atOnce) {
        if (isForbidden) socket.end(refusal);
        else tunnel(socket, String(head));
        return;
      }
      waiting.push(socket);
      if (count === atOnce) for (const each of waiting) each.end(refusal);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    get count() {
      return count;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

function tunnel(socket: Socket, head: string): void {
  const [host, port] = head.split(' ')[1]!.split(':');
  const origin = connect(Number(port), host, () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(origin).pipe(socket);
  });
  origin.on('error', () => socket.destroy());
}

test('CONNECTs that are all refused at once are tried again, fewer at once', async () => {
  await using lab = await startLab({ tls: true });
  await using proxy = await startProxy(4, false);
  await using client = createClient({ ...quick, proxy: proxy.url, tls: { ca: lab.ca } });
  const run = lab.play({ name: 'all-at-once', resource: { sizeBytes: 10_000 } });
  const bodies = await Promise.all(Array.from({ length: 4 }, () => client.bytes(run.url)));
  expect(bodies.map((body) => sha256(body))).toEqual(Array(4).fill(run.sha256));
});

test('CONNECTs that are refused also alone are permanent', async () => {
  await using lab = await startLab({ tls: true });
  await using proxy = await startProxy(4, true);
  await using client = createClient({ ...quick, proxy: proxy.url, tls: { ca: lab.ca } });
  const run = lab.play({ name: 'forbidden' });
  const ends = await Promise.allSettled(Array.from({ length: 4 }, () => client.request(run.url)));
  for (const end of ends) {
    expect(end).toMatchObject({
      status: 'rejected',
      reason: { reason: 'permanent', failure: { kind: 'proxy-refused' } },
    });
  }
  expect(proxy.count).toBeLessThanOrEqual(12);
});
