/** Connections of our own: each failure knows its phase, its address and, for TLS, the issuer that was found. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { classify, type Failure, type Phase, tagFailure } from '../core/index.ts';
import type { Clock } from '../runtime/index.ts';
import { guardPausedEnd } from './paused-end.ts';

export interface TlsOptions {
  /** Authorities to trust instead of the built-in ones, PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** Client certificate, PEM. */
  readonly cert?: string | Buffer | undefined;
  /** Its key, PEM. */
  readonly key?: string | Buffer | undefined;
}

export interface ConnectSettings {
  readonly connectMs: number;
  readonly http2: boolean;
  readonly tls: TlsOptions | undefined;
  /** Path of a unix socket to connect to, whatever the URL's host is. */
  readonly socketPath: string | undefined;
}

export type ConnectCallback = (error: Error | null, socket: Socket | null) => void;
export type Connect = (options: buildConnector.Options, callback: ConnectCallback) => void;

/** Each address gets this long before the next is tried; Node's own 250 ms gives up on healthy, distant ones. */
const MS_PER_ADDRESS = 1_000;

export function createConnect(settings: ConnectSettings, clock: Clock): Connect {
  const connect = buildConnector({
    timeout: 0,
    allowH2: settings.http2,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(MS_PER_ADDRESS, 10),
    ...(settings.tls === undefined ? {} : settings.tls),
    ...(settings.socketPath === undefined ? {} : { socketPath: settings.socketPath }),
  } as buildConnector.BuildOptions) as unknown as (
    options: buildConnector.Options,
    callback: ConnectCallback,
  ) => Socket;

  return (options, callback) => {
    const watch = new ConnectWatch(options.protocol === 'https:' || options.httpSocket !== undefined);
    let timer: ReturnType<Clock['after']> | undefined;
    const socket = connect(options, (error, connected) => {
      timer?.cancel();
      if (connected) guardPausedEnd(connected);
      // undici leaves the second argument out beside an error.
      callback(error === null ? null : watch.tag(error), connected ?? null);
    });
    watch.observe(socket, options.httpSocket !== undefined);
    timer = clock.after(settings.connectMs, () => socket.destroy(connectTimeout(settings.connectMs, watch)), 'idle');
  };
}

function connectTimeout(connectMs: number, watch: ConnectWatch): Error {
  const place =
    watch.phase === 'resolve' ? 'looking up the name' : watch.phase === 'tls' ? 'the TLS handshake' : 'connecting';
  const error = new Error(`${place} took longer than ${connectMs} ms`);
  return Object.assign(error, { code: 'ERR_REKNIT_CONNECT_TIMEOUT' });
}

/** Follows a connection in the making through its phases. */
class ConnectWatch {
  readonly #isTls: boolean;
  phase: Phase = 'resolve';
  address: string | undefined;
  #issuer: string | undefined;

  constructor(isTls: boolean) {
    this.#isTls = isTls;
  }

  observe(socket: Socket, isTunnel: boolean): void {
    if (isTunnel) this.phase = 'tls';
    socket.once('lookup', (_error, address) => {
      this.phase = 'connect';
      this.address = typeof address === 'string' ? address : undefined;
    });
    socket.once('connect', () => {
      if (this.#isTls) this.phase = 'tls';
    });
    // Before the certificate is judged: afterwards it is gone, and the person needs to hear whose it was.
    if (this.#isTls) socket.prependListener('secure', () => this.#noteIssuer(socket as TLSSocket));
  }

  #noteIssuer(socket: TLSSocket): void {
    const { issuer } = socket.getPeerCertificate();
    const name = issuer?.O ?? issuer?.CN;
    this.#issuer = Array.isArray(name) ? name.join(', ') : name;
  }

  /** Classifies the failure here, where its phase is known; nobody above can mistake it. */
  tag(error: Error): Error {
    const phase: Phase =
      this.phase === 'resolve' && this.address === undefined && !isLookup(error) ? 'connect' : this.phase;
    const failure = classify({ phase, error, unsent: true, reusedSocket: false, answered: false });
    const what =
      this.#issuer !== undefined && isUnknownIssuer(failure.code)
        ? `${failure.what}; it was issued by ${JSON.stringify(this.#issuer)}, to trust that issuer pass its certificate (\`tls.ca\`, --cacert, NODE_EXTRA_CA_CERTS)`
        : failure.what;
    tagFailure(error, { ...failure, what } satisfies Failure);
    return error;
  }
}

/** Only these are mended by trusting somebody; an expired certificate, or one for another host, is not. */
const unknownIssuerCodes: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
]);

function isUnknownIssuer(code: string | undefined): boolean {
  return code !== undefined && unknownIssuerCodes.has(code);
}

function isLookup(error: Error): boolean {
  return (error as { syscall?: unknown }).syscall === 'getaddrinfo';
}
