/** Cases of names, of servers with habits, and of what stands between: small servers of our own. */
import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Lab } from '../../src/lab/index.ts';
import { type DnsPlan, startFront, startLab } from '../../src/lab/index.ts';
import { type Case, KiB, MiB, type Played, some } from './scenario.ts';

const closing =
  (...parts: readonly (() => unknown)[]) =>
  async () => {
    for (const part of parts) await part();
  };

/** A server's answer to each request. */
function httpCase(
  name: string,
  expect: Case['expect'],
  what: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: Played['options'] = {},
): Case {
  return {
    name,
    expect,
    what,
    play: async () => {
      const server = createHttp(answer);
      const url = await listening(server);
      return {
        url: `${url}/file.bin`,
        options: { proxy: false, ...options },
        [Symbol.asyncDispose]: closing(
          () => server.closeAllConnections(),
          () => server.close(),
        ),
      };
    },
  };
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const body = Buffer.alloc(64 * KiB, 'x');
const good = (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body);

const requests: readonly Case[] = [
  httpCase('agent-filter', ['request-unwelcome'], '403 for what is no browser', (request, response) => {
    if (/Mozilla/.test(request.headers['user-agent'] ?? '')) good(response);
    else response.writeHead(403).end('no');
  }),
  httpCase(
    'header-filter',
    ['request-unwelcome'],
    'the connection is ended for whoever sends X-Debug',
    (request, response) => {
      if (request.headers['x-debug'] === undefined) good(response);
      else request.socket.destroy();
    },
    { headers: { 'X-Debug': '1' } },
  ),
  httpCase(
    'accept-filter',
    ['request-unwelcome'],
    '406 for Accept: application/x-none',
    (request, response) => {
      if (request.headers.accept === 'application/x-none') response.writeHead(406).end('no');
      else good(response);
    },
    { headers: { Accept: 'application/x-none' } },
  ),
  httpCase(
    'upload-limit',
    ['upload-limit'],
    '413 for bodies of more than 100 KB',
    (request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on('end', () =>
        bytes > 100_000 ? response.writeHead(413).end('too large') : response.writeHead(200).end('ok'),
      );
    },
    { method: 'POST', body: 'a=1', allowWrites: true },
  ),
];

/** Raw answers, for what node:http does not say. */
function rawCase(name: string, expect: Case['expect'], what: string, serve: (socket: Socket) => void): Case {
  return {
    name,
    expect,
    what,
    play: async () => {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).once('close', () => sockets.delete(socket));
        serve(socket);
      });
      const url = await listening(server);
      return {
        url: `${url}/file.bin`,
        options: { proxy: false },
        [Symbol.asyncDispose]: closing(
          () => {
            for (const socket of sockets) socket.destroy();
          },
          () => server.close(),
        ),
      };
    },
  };
}

const old: readonly Case[] = [
  {
    ...rawCase('healthy-http10', ['nothing-wrong'], 'HTTP/1.0 alone, with a length', (socket) => {
      socket.once('data', () => {
        socket.write(
          `HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        socket.end(body);
      });
    }),
    isQuick: true,
  },
  rawCase('healthy-http10-close', ['nothing-wrong'], 'HTTP/1.0 alone, without a length', (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
      socket.end(body);
    });
  }),
];

/** A way to a good server that is cut after a time, at 2 MB/s. */
const afterATime: Case = {
  name: 'cut-after-a-second',
  expect: ['time-limit'],
  what: 'every connection is cut a second after its beginning, at 1.5 to 2 MB/s',
  play: async (seed) => {
    const lab = await startLab({ seed });
    const run = lab.play({ name: 'paced', resource: { sizeBytes: 8 * MiB } }, { port: 'own' });
    const sockets = new Set<Socket>();
    let count = 0;
    const way = createServer((socket) => {
      const target = connect(Number(new URL(run.url).port), '127.0.0.1');
      count += 1;
      const chunkBytes = 30_000 + ((seed * 7_919 + count * 3_571) % 10_000);
      for (const one of [socket, target]) {
        sockets.add(one);
        one
          .on('error', () => {})
          .once('close', () => {
            sockets.delete(one);
            socket.destroy();
            target.destroy();
          });
      }
      socket.pipe(target);
      target.pause();
      const pump = setInterval(() => {
        const chunk = (target.read(chunkBytes) ?? target.read()) as Buffer | null;
        if (chunk !== null) socket.write(chunk);
      }, 20);
      const limit = setTimeout(() => socket.resetAndDestroy(), 1_000);
      socket.once('close', () => {
        clearInterval(pump);
        clearTimeout(limit);
      });
    });
    const { port } = new URL(await listening(way));
    const url = new URL(run.url);
    url.port = port;
    return {
      url: url.href,
      options: { proxy: false },
      [Symbol.asyncDispose]: closing(
        () => {
          for (const socket of sockets) socket.destroy();
        },
        () => way.close(),
        () => lab.close(),
      ),
    };
  },
};

/** A server that is away and back, in turns. */
const restarting: Case = {
  name: 'restarts',
  expect: ['server-restarting'],
  what: 'away for 1.3 s, back for 1.7 s, again and again',
  play: async (seed) => {
    const lab = await startLab({ seed });
    const run = lab.play({ name: 'behind', resource: { sizeBytes: 64 * KiB } }, { port: 'own' });
    const front = await startFront({ target: { host: '127.0.0.1', port: Number(new URL(run.url).port) } });
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const leave = () => {
      front.refuse();
      front.resetAll();
      timer = setTimeout(() => void front.listen().then(stay, stay), 1_300);
    };
    const stay = () => {
      if (!isOver) timer = setTimeout(leave, 1_700);
    };
    timer = setTimeout(leave, (seed * 700) % 1_700);
    const url = new URL(run.url);
    url.port = String(front.port);
    return {
      url: url.href,
      options: { proxy: false },
      [Symbol.asyncDispose]: closing(
        () => {
          isOver = true;
          clearTimeout(timer);
        },
        () => front.close(),
        () => lab.close(),
      ),
    };
  },
};

function nameCase(
  name: string,
  expect: Case['expect'],
  what: string,
  plan: (seed: number) => DnsPlan,
  before?: (lab: Lab, port: number) => Promise<void>,
): Case {
  return {
    name,
    expect,
    what,
    play: async (seed) => {
      const lab = await startLab({ seed });
      const run = lab.play({ name: 'behind', resource: { sizeBytes: 64 * KiB } }, { port: 'own' });
      const dns = await lab.dns(plan(seed));
      const url = new URL(run.url);
      await before?.(lab, Number(url.port));
      url.hostname = 'files.example.test';
      return {
        url: url.href,
        options: { proxy: false, lookup: dns.lookup as never, resolvers: [dns.server], otherClients: false },
        [Symbol.asyncDispose]: () => lab.close(),
      };
    },
  };
}

const names: readonly Case[] = [
  { ...nameCase('healthy-name', ['nothing-wrong'], 'by a name with one address', () => ({})), isQuick: true },
  {
    ...nameCase('no-such-name', ['name-not-found'], 'NXDOMAIN', () => ({
      rules: [{ on: 'every', do: { kind: 'rcode', code: 'NXDOMAIN' } }],
    })),
    isQuick: true,
  },
  nameCase('resolver-flaps', ['name-flaps'], 'half of the lookups end by SERVFAIL', (seed) => ({
    rules: [{ on: some(seed, 0.5), do: { kind: 'rcode', code: 'SERVFAIL' } }],
  })),
  nameCase('resolver-broken', ['name-flaps'], 'every lookup ends by SERVFAIL', () => ({
    rules: [{ on: 'every', do: { kind: 'rcode', code: 'SERVFAIL' } }],
  })),
  nameCase('address-refuses', ['address-dead'], 'two addresses; on the second nobody listens', () => ({
    names: { '*': ['127.0.0.1', '127.0.0.2'] },
  })),
  nameCase(
    'address-silent',
    ['address-dead'],
    'two addresses; the first never answers',
    () => ({ names: { '*': ['127.0.0.3', '127.0.0.1'] } }),
    (lab, port) => lab.blackhole({ host: '127.0.0.3', port }),
  ),
];

export const wayCases: readonly Case[] = [...old, ...requests, afterATime, restarting, ...names];
