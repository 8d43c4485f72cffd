/** CONNECT tunnels through a forward proxy (RFC 9110, 9.3.6), with the proxy's own answers told apart from the origin's. */
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { classify, tagFailure } from '../core/index.ts';
import type { Clock, Timer } from '../runtime/index.ts';
import type { Connect, ConnectCallback } from './connect.ts';
import type { ForwardProxy } from './proxy-rules.ts';

/** A proxy's answer to CONNECT is a few hundred bytes; an error page with more than this is not read. */
const MAX_PROXY_HEAD_BYTES = 16_384;

/** A proxy learns later than we do that a tunnel was closed; until then it still counts it. */
const MS_UNTIL_CLOSE_IS_KNOWN = 1_000;

/** What one CONNECT has met of ours at the proxy: tunnels that were open, and CONNECTs that waited beside it. */
interface Company {
  others: number;
}

/** Connections of ours to one proxy, as squid's `maxconn` counts them: from the accept on, before CONNECT is answered. */
export class TunnelCount {
  readonly #clock: Clock;
  readonly #asking = new Set<Company>();
  #open = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asking at the same time, all may be over the limit before one tunnel is open. */
  ask(): Company {
    for (const other of this.#asking) other.others += 1;
    const company = { others: this.#open + this.#asking.size };
    this.#asking.add(company);
    return company;
  }

  answered(company: Company): void {
    this.#asking.delete(company);
  }

  add(tunnel: Socket): void {
    this.#open += 1;
    const forget = () => {
      this.#open -= 1;
    };
    tunnel.once('close', () => this.#clock.after(MS_UNTIL_CLOSE_IS_KNOWN, forget, 'idle'));
  }
}

export interface TunnelSettings {
  readonly proxy: ForwardProxy;
  readonly count: TunnelCount;
  readonly connectMs: number;
  /** Connects to the proxy itself. */
  readonly toProxy: Connect;
  /** Speaks TLS to the origin over the tunnel's socket. */
  readonly toOrigin: Connect;
}

export function createTunnelConnect(settings: TunnelSettings, clock: Clock): Connect {
  return (options, callback) => {
    const { url } = settings.proxy;
    const toProxy: buildConnector.Options = {
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      host: url.host,
      protocol: url.protocol,
      port: url.port || (url.protocol === 'https:' ? '443' : '80'),
      servername: url.protocol === 'https:' ? url.hostname : undefined,
    } as buildConnector.Options;
    settings.toProxy(toProxy, (error, socket) => {
      if (error !== null || socket === null) callback(error, null);
      else askForTunnel(settings, options, socket, callback, clock);
    });
  };
}

function askForTunnel(
  settings: TunnelSettings,
  options: buildConnector.Options,
  socket: Socket,
  callback: ConnectCallback,
  clock: Clock,
): void {
  const target = `${options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname}:${options.port || 443}`;
  const { authorization } = settings.proxy;
  const login = authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${login}\r\n`);
  const company = settings.count.ask();
  readAnswer(settings, socket, company, clock, (error, rest) => {
    settings.count.answered(company);
    if (error !== null) {
      socket.destroy();
      callback(error, null);
      return;
    }
    settings.count.add(socket);
    if (rest.length > 0) socket.unshift(rest);
    settings.toOrigin({ ...options, httpSocket: socket } as buildConnector.Options, callback);
  });
}

function readAnswer(
  settings: TunnelSettings,
  socket: Socket,
  company: Company,
  clock: Clock,
  done: (error: Error | null, rest: Buffer) => void,
): void {
  let head = Buffer.alloc(0);
  let timer: Timer | undefined;
  const finish = (error: Error | null, rest: Buffer = Buffer.alloc(0)) => {
    timer?.cancel();
    socket.off('data', onData).off('error', onError).off('end', onEnd);
    socket.pause();
    done(error === null ? null : tagProxyFailure(error), rest);
  };
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1 && head.length < MAX_PROXY_HEAD_BYTES) return;
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, 16))?.[1];
    if (end !== -1 && status?.startsWith('2') === true) finish(null, head.subarray(end + 4));
    else finish(refusal(company, Number(status ?? 0), head));
  };
  const onError = (error: Error) => finish(error);
  const onEnd = () => finish(Object.assign(new Error('the proxy closed the connection'), { code: 'UND_ERR_SOCKET' }));
  socket.on('data', onData).on('error', onError).on('end', onEnd);
  timer = clock.after(
    settings.connectMs,
    () => finish(Object.assign(new Error('the proxy did not answer CONNECT'), { code: 'ERR_REKNIT_CONNECT_TIMEOUT' })),
    'idle',
  );
}

function refusal(company: Company, statusCode: number, head: Buffer): Error {
  const retryAfter = /\r\nretry-after:\s*(\d+)\s*\r\n/i.exec(head.toString('latin1'))?.[1];
  return Object.assign(
    new Error(`the proxy answered CONNECT with ${statusCode === 0 ? 'no HTTP' : `status ${statusCode}`}`),
    {
      code: 'ERR_REKNIT_PROXY',
      statusCode,
      openTunnels: company.others,
      ...(retryAfter === undefined ? {} : { pushbackMs: Number(retryAfter) * 1000 }),
    },
  );
}

function tagProxyFailure(error: Error): Error {
  tagFailure(error, classify({ phase: 'connect', error, unsent: true, reusedSocket: false, answered: false }));
  return error;
}
