/** A client that does what the catalogue calls right, in the plainest way: it keeps all bytes, so it may start again. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Answer, parseAnswer, requestText } from './raw-client.ts';

export type Outcome =
  | { readonly kind: 'healed'; readonly body: Buffer; readonly attempts: number }
  | { readonly kind: 'failed'; readonly why: string; readonly attempts: number };

interface Kept {
  readonly body: Buffer;
  readonly etag: string | undefined;
  readonly total: number | undefined;
}

const nothing: Kept = { body: Buffer.alloc(0), etag: undefined, total: undefined };
const maxAttemptsWithoutProgress = 6;
const maxHops = 5;
const headersMs = 500;
const stallMs = 150;
const wholeMs = 1500;

export async function fetchPatiently(url: string, ca?: string): Promise<Outcome> {
  let kept = nothing;
  let barren = 0;
  for (let attempts = 1; ; attempts += 1) {
    const answer = await followed(url, headersFor(kept), ca);
    if (isPermanent(answer)) return { kind: 'failed', why: `${answer.status} ${answer.ended}`, attempts };
    const before = kept.body.length;
    const read = take(kept, answer);
    kept = read.kept;
    if (read.isWhole) return { kind: 'healed', body: kept.body, attempts };
    barren = kept.body.length > before ? 0 : barren + 1;
    if (barren >= maxAttemptsWithoutProgress) return { kind: 'failed', why: `no progress: ${answer.ended}`, attempts };
    await new Promise((resolve) => setTimeout(resolve, 10 * barren));
  }
}

function headersFor({ body, etag }: Kept): Record<string, string> {
  const isStrong = etag?.startsWith('"') === true;
  return body.length > 0 && isStrong ? { Range: `bytes=${body.length}-`, 'If-Range': etag } : {};
}

const permanent = /^(CERT_|DEPTH_|ERR_TLS_|ERR_SSL_WRONG|loop)/;

function isPermanent({ status, ended }: Answer): boolean {
  return permanent.test(ended) || status === 501 || ([401, 403, 404].includes(status) && ended !== 'resume');
}

/** What is kept behind this answer, and whether that is the whole. */
function take(kept: Kept, answer: Answer): { kept: Kept; isWhole: boolean } {
  const { status, headers } = answer;
  const body = contentOf(answer);
  if (status === 206) return takePart(kept, headers, body);
  if (status === 416) return { kept, isWhole: headers['content-range'] === `bytes */${kept.body.length}` };
  if (status !== 200) return { kept, isWhole: false };
  const fresh = { body: body.bytes, etag: headers.etag, total: body.isWhole ? body.bytes.length : undefined };
  const isSame = headers.etag !== undefined && headers.etag === kept.etag;
  if (isSame && body.bytes.length <= kept.body.length && !body.isWhole) return { kept, isWhole: false };
  return { kept: fresh, isWhole: body.isWhole && headers['content-range'] === undefined };
}

function takePart(kept: Kept, headers: Answer['headers'], body: Content): { kept: Kept; isWhole: boolean } {
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '');
  const [from, last, total] = (range?.slice(1) ?? []).map(Number);
  const fits =
    from === kept.body.length &&
    headers.etag === kept.etag &&
    headers['content-type'] === 'application/octet-stream' &&
    headers['content-encoding'] === undefined &&
    (kept.total === undefined || kept.total === total);
  if (!fits || from === undefined || last === undefined) return { kept, isWhole: false };
  const joined = Buffer.concat([kept.body, body.bytes.subarray(0, last + 1 - from)]);
  return { kept: { ...kept, body: joined, total }, isWhole: joined.length === total };
}

interface Content {
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

function contentOf({ headers, body, ended }: Answer): Content {
  if (headers['transfer-encoding'] === 'chunked') return unchunkWhatCame(body);
  const length = headers['content-length'];
  if (length === undefined) return { bytes: body, isWhole: ended === 'fin' };
  return { bytes: body.subarray(0, Number(length)), isWhole: body.length >= Number(length) };
}

function unchunkWhatCame(body: Buffer): Content {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const text = end < 0 ? '' : body.toString('latin1', at, end);
    if (!/^[0-9a-f]+$/.test(text)) return { bytes: Buffer.concat(parts), isWhole: false };
    const size = Number.parseInt(text, 16);
    if (size === 0) return { bytes: Buffer.concat(parts), isWhole: true };
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

async function followed(url: string, headers: Record<string, string>, ca: string | undefined): Promise<Answer> {
  let target = url;
  for (let hop = 0; hop <= maxHops; hop += 1) {
    const answer = await once(target, headers, ca);
    if (answer.status < 300 || answer.status > 308) {
      return headers.Range !== undefined && answer.status >= 400 ? { ...answer, ended: 'resume' } : answer;
    }
    target = new URL(answer.headers.location ?? '', target).href;
  }
  return { status: 0, headers: {}, body: Buffer.alloc(0), ended: 'loop' };
}

function once(url: string, headers: Record<string, string>, ca: string | undefined): Promise<Answer> {
  const { port } = new URL(url);
  const at = { host: '127.0.0.1', port: Number(port) };
  const socket = ca === undefined ? connect(at) : connectTls({ ...at, ca, servername: 'localhost' });
  const parts: Buffer[] = [];
  let ended = 'fin';
  const giveUp = () => {
    ended = 'timeout';
    socket.destroy();
  };
  const whole = setTimeout(giveUp, wholeMs);
  socket.setTimeout(headersMs, giveUp);
  socket.on('data', (bytes) => {
    parts.push(bytes);
    socket.setTimeout(stallMs);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? 'error';
  });
  socket.write(requestText(url, { Connection: 'close', ...headers }));
  return new Promise((resolve) =>
    socket.on('close', () => {
      clearTimeout(whole);
      resolve(parseAnswer({ bytes: finalAnswer(Buffer.concat(parts)), ended }));
    }),
  );
}

/** Without the informational answers in front. */
function finalAnswer(bytes: Buffer): Buffer {
  const isInformational = /^HTTP\/1\.1 1\d\d /.test(bytes.toString('latin1', 0, 13));
  return isInformational ? finalAnswer(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)) : bytes;
}
