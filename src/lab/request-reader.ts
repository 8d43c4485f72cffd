import type { ByteQueue } from './byte-queue.ts';

/** The head of a request as it came. */
export interface RequestHead {
  readonly method: string;
  /** The request target verbatim. */
  readonly target: string;
  readonly version: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  /** Names in lower case; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values alternating, as sent. */
  readonly rawHeaders: readonly string[];
}

export type ReadHead =
  | { readonly kind: 'head'; readonly head: RequestHead }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'ended' };

export const maxHeadBytes = 256 * 1024;

/** Reads the next request head; what follows it stays in the queue. */
export async function readHead(input: ByteQueue): Promise<ReadHead> {
  let seen: Buffer = Buffer.alloc(0);
  for (;;) {
    const bytes = await input.next();
    if (bytes === undefined) return { kind: 'ended' };
    seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
    // RFC 9112 2.2: empty lines before a request line are skipped.
    while (seen[0] === 13 && seen[1] === 10) seen = seen.subarray(2);
    const end = seen.indexOf('\r\n\r\n');
    if (end >= 0) {
      input.unread(seen.subarray(end + 4));
      return parseHead(seen.toString('latin1', 0, end));
    }
    if (seen.length > maxHeadBytes) return { kind: 'malformed', why: `a head of more than ${maxHeadBytes} bytes` };
  }
}

function parseHead(text: string): ReadHead {
  const [requestLine = '', ...lines] = text.split('\r\n');
  const match = /^([!#$%&'*+.^_`|~\w-]+) (\S+) (HTTP\/1\.[01])$/.exec(requestLine);
  if (match === null) return { kind: 'malformed', why: `the request line ${JSON.stringify(requestLine.slice(0, 80))}` };
  const headers: Record<string, string> = Object.create(null);
  const rawHeaders: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) return { kind: 'malformed', why: `the header line ${JSON.stringify(line.slice(0, 80))}` };
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    rawHeaders.push(name, value);
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  const [, method = '', target = '', version = 'HTTP/1.1'] = match;
  return {
    kind: 'head',
    head: { method, target, version: version as RequestHead['version'], headers: { ...headers }, rawHeaders },
  };
}

/** How a body ended: read to its end, cut by the sender, not valid, or left where `stop` said so. */
export type BodyEnd = 'complete' | 'cut' | 'malformed' | 'stopped';

/** A place in a body where reading is interrupted once. */
export interface BodyInterruption {
  readonly atByte: number;
  /** Resolves to whether to read on. */
  happen(): Promise<boolean>;
}

/** Reads a request's body to its end; `onBytes` gets each piece. */
export async function readBody(
  input: ByteQueue,
  headers: Readonly<Record<string, string>>,
  onBytes: (bytes: Buffer) => void,
  interruption?: BodyInterruption,
): Promise<BodyEnd> {
  const reading: Reading = {
    input,
    onBytes,
    interruption,
    leftBytes: interruption?.atByte ?? Number.POSITIVE_INFINITY,
  };
  if (/\bchunked\b/i.test(headers['transfer-encoding'] ?? '')) return readChunks(reading);
  const length = headers['content-length'];
  if (length === undefined) return 'complete';
  if (!/^\d+$/.test(length)) return 'malformed';
  return readExactly(reading, Number(length));
}

interface Reading {
  readonly input: ByteQueue;
  readonly onBytes: (bytes: Buffer) => void;
  readonly interruption: BodyInterruption | undefined;
  /** Until the interruption. */
  leftBytes: number;
}

async function readExactly(reading: Reading, sizeBytes: number): Promise<BodyEnd> {
  let leftBytes = sizeBytes;
  while (leftBytes > 0) {
    if (reading.leftBytes <= 0) {
      if (!(await reading.interruption?.happen())) return 'stopped';
      reading.leftBytes = Number.POSITIVE_INFINITY;
    }
    const bytes = await reading.input.next();
    if (bytes === undefined) return 'cut';
    const take = Math.min(bytes.length, leftBytes, reading.leftBytes);
    reading.input.unread(bytes.subarray(take));
    reading.onBytes(bytes.subarray(0, take));
    leftBytes -= take;
    reading.leftBytes -= take;
  }
  return 'complete';
}

async function readChunks(reading: Reading): Promise<BodyEnd> {
  const { input } = reading;
  for (;;) {
    const line = await readLine(input);
    if (line === undefined) return 'cut';
    const size = /^([0-9a-f]{1,12})\s*(;.*)?$/i.exec(line)?.[1];
    if (size === undefined) return 'malformed';
    const sizeBytes = Number.parseInt(size, 16);
    if (sizeBytes === 0) return readTrailers(input);
    const end = await readExactly(reading, sizeBytes);
    if (end !== 'complete') return end;
    const gap = await readLine(input);
    if (gap === undefined) return 'cut';
    if (gap !== '') return 'malformed';
  }
}

async function readTrailers(input: ByteQueue): Promise<BodyEnd> {
  for (;;) {
    const line = await readLine(input);
    if (line === undefined) return 'cut';
    if (line === '') return 'complete';
  }
}

async function readLine(input: ByteQueue): Promise<string | undefined> {
  let seen: Buffer = Buffer.alloc(0);
  for (;;) {
    const bytes = await input.next();
    if (bytes === undefined) return undefined;
    seen = Buffer.concat([seen, bytes]);
    const end = seen.indexOf('\r\n');
    if (end >= 0) {
      input.unread(seen.subarray(end + 2));
      return seen.toString('latin1', 0, end);
    }
    if (seen.length > maxHeadBytes) return '\0';
  }
}
