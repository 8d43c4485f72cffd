/** A connection in steps of its own, so that each failure has its phase: lookup, connect, tunnel, handshake. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { classify, type Phase, redactUrl } from '../../core/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { limited } from './limited.ts';
import { hostOf, type Lookup, portOf, type Route, type TlsOptions } from './route.ts';
import { readPeer } from './tls-peer.ts';
import type { ConnectionTrace } from './trace.ts';

export interface ConnectSettings {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly lookup: Lookup;
  readonly tls: TlsOptions | undefined;
  /** Kept by the bench, which destroys what is left. */
  readonly keep: (socket: Socket) => void;
  readonly sinceStartMs: () => number;
}

export interface Connection {
  readonly trace: ConnectionTrace;
  readonly route: Route;
  /** Absent where it could not be made: `trace.failure` says why. */
  readonly socket: Socket | undefined;
}

const LOOKUP_MS = 6_000;
/** TCP sends a lost SYN again after 1 and 3 s: whoever gives up before 4 sees neither. */
const CONNECT_MS = 4_500;
/** Of several addresses, each but the last. */
const NEXT_ADDRESS_MS = 1_500;
const TLS_MS = 5_000;
const TUNNEL_MS = 5_000;

/** Never rejects but by the abort: a failure is a finding. */
export async function makeConnection(
  route: Route,
  trace: ConnectionTrace,
  settings: ConnectSettings,
): Promise<Connection> {
  let phase: Phase = 'resolve';
  const enter = (next: Phase) => {
    phase = next;
  };
  try {
    const socket = await establish(route, trace, settings, enter);
    watchEnd(socket, trace, settings.sinceStartMs);
    return { trace, route, socket };
  } catch (error) {
    if (settings.signal.aborted) throw settings.signal.reason;
    trace.failure = classify({ phase, error, unsent: true, reusedSocket: false, answered: false });
    trace.endedMs = settings.sinceStartMs();
    trace.endedBy = 'error';
    return { trace, route, socket: undefined };
  }
}

async function establish(
  route: Route,
  trace: ConnectionTrace,
  settings: ConnectSettings,
  enter: (phase: Phase) => void,
): Promise<Socket> {
  const { proxy, url } = route;
  const addresses = route.address === undefined ? await lookUp(hostOf(proxy?.url ?? url), settings) : [route.address];
  trace.lookedUpMs = settings.sinceStartMs();
  enter('connect');
  const tcp = await connectFirst(addresses, portOf(proxy?.url ?? url), route, trace, settings);
  trace.connectedMs = settings.sinceStartMs();
  trace.localAddress = tcp.localAddress ?? '';
  trace.localPort = tcp.localPort ?? 0;
  let socket: Socket = tcp;
  if (proxy?.url.protocol === 'https:') socket = await secure(tcp, proxy.url, { ...route, alpn: [] }, trace, settings);
  if (url.protocol !== 'https:') return socket;
  if (proxy !== undefined) await openTunnel(socket, route, settings);
  enter('tls');
  const secured = await secure(socket, url, route, trace, settings);
  trace.securedMs = settings.sinceStartMs();
  return secured;
}

/** Addresses of a name, or of itself. */
export function lookUp(
  host: string,
  { clock, signal, lookup }: Pick<ConnectSettings, 'clock' | 'signal' | 'lookup'>,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return Promise.resolve([host]);
  const limit = { clock, signal, limitMs: LOOKUP_MS, code: 'EAI_AGAIN', what: 'looking up the name' };
  return limited(limit, (resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error !== null) reject(error);
      else resolve(addresses.map(({ address }) => address));
    });
    return () => {};
  });
}

async function connectFirst(
  addresses: readonly string[],
  port: number,
  route: Route,
  trace: ConnectionTrace,
  settings: ConnectSettings,
): Promise<Socket> {
  let failure: unknown;
  for (const [index, address] of addresses.entries()) {
    trace.address = address;
    trace.port = port;
    const limitMs = route.connectMs ?? (index < addresses.length - 1 ? NEXT_ADDRESS_MS : CONNECT_MS);
    try {
      return await connectTo(address, port, limitMs, settings);
    } catch (error) {
      if (settings.signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function connectTo(address: string, port: number, limitMs: number, settings: ConnectSettings): Promise<Socket> {
  const socket = connectTcp({ host: address, port, noDelay: true });
  settings.keep(socket);
  const limit = { ...settings, limitMs, code: 'ERR_REKNIT_CONNECT_TIMEOUT', what: 'connecting' };
  try {
    await limited<void>(limit, (resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
      return () => void socket.off('connect', resolve).off('error', reject);
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function openTunnel(socket: Socket, { url, proxy }: Route, settings: ConnectSettings): Promise<void> {
  const target = `${url.hostname}:${portOf(url)}`;
  const limit = { ...settings, limitMs: TUNNEL_MS, code: 'ERR_REKNIT_CONNECT_TIMEOUT', what: 'the proxy’s answer' };
  const headers = [
    'Host',
    target,
    ...(proxy?.authorization === undefined ? [] : ['Proxy-Authorization', proxy.authorization]),
  ];
  const answer = await limited<IncomingMessage>(limit, (resolve, reject) => {
    const connect = httpRequest({ method: 'CONNECT', path: target, headers, createConnection: () => socket });
    connect.once('connect', resolve).on('error', reject).end();
    return () => {};
  });
  const statusCode = answer.statusCode ?? 0;
  if (statusCode >= 200 && statusCode < 300) return;
  socket.destroy();
  throw Object.assign(new Error(`the proxy answered CONNECT with status ${statusCode}`), {
    code: 'ERR_REKNIT_PROXY',
    statusCode,
    openTunnels: 0,
  });
}

async function secure(
  raw: Socket,
  url: URL,
  route: Route,
  trace: ConnectionTrace,
  settings: ConnectSettings,
): Promise<TLSSocket> {
  const host = hostOf(url);
  const { ca, cert, key } = settings.tls ?? {};
  const socket = connectTls({
    socket: raw,
    host,
    // Judged below: then the certificate can be shown, and nothing was sent to whom we do not trust.
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca: ca as string | Buffer | (string | Buffer)[] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(route.minTls === undefined ? {} : { minVersion: route.minTls }),
    ...(route.maxTls === undefined ? {} : { maxVersion: route.maxTls }),
    ALPNProtocols: [...(route.alpn ?? ['http/1.1'])],
  });
  settings.keep(socket);
  const limit = { ...settings, limitMs: TLS_MS, code: 'ERR_TLS_HANDSHAKE_TIMEOUT', what: 'the TLS handshake' };
  await limited<void>(limit, (resolve, reject) => {
    const onEnd = () =>
      reject(
        Object.assign(new Error('Client network socket disconnected before secure TLS connection was established'), {
          code: 'ECONNRESET',
        }),
      );
    socket.once('secureConnect', resolve).once('error', reject).once('close', onEnd);
    return () => void socket.off('secureConnect', resolve).off('error', reject).off('close', onEnd);
  }).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  trace.tls = readPeer(socket);
  if (socket.authorized) return socket;
  socket.destroy();
  const reason = socket.authorizationError as unknown as Error & { code?: string };
  throw Object.assign(new Error(redactUrl(String(reason?.message ?? reason))), {
    code: reason?.code ?? String(reason),
  });
}

/** Notes who ended it; an error behind the last request is part of that, not an accident. */
function watchEnd(socket: Socket, trace: ConnectionTrace, sinceStartMs: () => number): void {
  const end = (by: NonNullable<ConnectionTrace['endedBy']>) => {
    if (trace.endedBy !== undefined) return;
    trace.endedBy = by;
    trace.endedMs = sinceStartMs();
  };
  socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNRESET' ? 'reset' : 'error'));
  socket.on('end', () => end('fin'));
  socket.on('close', () => end('us'));
}
