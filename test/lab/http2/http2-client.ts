/** node:http2 as an independent judge: what it saw of one stream. */
import { type ClientHttp2Session, connect, constants } from 'node:http2';

export interface StreamSeen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** `end`, or the code of the stream's error. */
  readonly ended: string;
  readonly rstCode: number;
}

export interface SessionSeen {
  readonly session: ClientHttp2Session;
  get(url: string, headers?: Readonly<Record<string, string>>, method?: string, body?: Buffer): Promise<StreamSeen>;
  /** `code last-stream-id` of every GOAWAY. */
  readonly goaways: readonly string[];
  readonly errors: readonly string[];
  readonly closed: Promise<void>;
}

export function openSession(url: string, ca?: string): SessionSeen {
  const session = connect(new URL(url).origin, { ...(ca !== undefined && { ca }), settings: { enablePush: false } });
  const goaways: string[] = [];
  const errors: string[] = [];
  session.on('goaway', (code, last) => goaways.push(`${code} ${last}`));
  session.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()));
  return {
    session,
    goaways,
    errors,
    closed,
    get: (target, headers = {}, method = 'GET', body) => exchange(session, target, headers, method, body),
  };
}

function exchange(
  session: ClientHttp2Session,
  url: string,
  headers: Readonly<Record<string, string>>,
  method: string,
  body: Buffer | undefined,
): Promise<StreamSeen> {
  const { pathname, search } = new URL(url);
  const stream = session.request(
    { ':method': method, ':path': `${pathname}${search}`, ...headers },
    { endStream: body === undefined },
  );
  const parts: Buffer[] = [];
  let status = 0;
  let answered: Record<string, string> = {};
  let ended = 'closed';
  stream.on('response', (fields) => {
    status = Number(fields[':status']);
    answered = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  });
  stream.on('data', (bytes: Buffer) => parts.push(bytes));
  stream.on('end', () => {
    ended = 'end';
  });
  stream.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? 'error';
  });
  if (body !== undefined) stream.end(body);
  return new Promise((resolve) =>
    stream.on('close', () => {
      const rstCode = stream.rstCode ?? constants.NGHTTP2_NO_ERROR;
      resolve({ status, headers: answered, body: Buffer.concat(parts), ended, rstCode });
    }),
  );
}
