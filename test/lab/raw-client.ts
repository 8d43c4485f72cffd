/** An observer on a raw socket: it keeps every byte and how the connection ended. */
import { connect, type Socket } from 'node:net';

export interface Seen {
  /** Everything that came, as one string of bytes. */
  readonly bytes: Buffer;
  /** `fin`, or the code of the socket's error. */
  readonly ended: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Behind the head, with its framing. */
  readonly body: Buffer;
  readonly ended: string;
}

/** A connection that a test writes to piece by piece. */
export interface RawConnection {
  readonly socket: Socket;
  write(text: string): void;
  /** Resolves once this text has come. */
  untilSeen(text: string): Promise<void>;
  untilSeenBytes(count: number): Promise<void>;
  readonly seen: Promise<Seen>;
  readonly soFar: () => Buffer;
}

export function open(url: string): RawConnection {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const parts: Buffer[] = [];
  let check = () => {};
  const soFar = () => Buffer.concat(parts);
  const seen = new Promise<Seen>((resolve) => {
    let code: string | undefined;
    socket.on('data', (bytes) => {
      parts.push(bytes);
      check();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? 'error';
    });
    socket.on('close', () => resolve({ bytes: soFar(), ended: code ?? 'fin' }));
  });
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      check = () => {
        if (holds()) resolve();
      };
      check();
    });
  return {
    socket,
    write: (text) => void socket.write(text),
    untilSeen: (text) => until(() => soFar().includes(text)),
    untilSeenBytes: (count) => until(() => soFar().length >= count),
    seen,
    soFar,
  };
}

export function requestText(url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): string {
  const { pathname, search, host } = new URL(url);
  const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** One request on a connection of its own, read to the end of the connection. */
export async function exchange(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  body = '',
): Promise<Answer> {
  const connection = open(url);
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  connection.write(requestText(url, { Connection: 'close', ...length, ...headers }, method) + body);
  return parseAnswer(await connection.seen);
}

export function parseAnswer({ bytes, ended }: Seen): Answer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: {}, body: bytes, ended };
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 2);
  return { status: Number(statusLine.split(' ')[1]), headers, body: bytes.subarray(end + 4), ended };
}

/** Takes chunked framing off; `undefined` where it is broken or cut. */
export function unchunk(body: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, end), 16);
    if (end < 0 || Number.isNaN(size)) return undefined;
    if (size === 0) return Buffer.concat(parts);
    if (end + 2 + size + 2 > body.length) return undefined;
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
