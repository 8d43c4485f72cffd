/** The same request by curl, where it is there. Everything that may be secret goes through its standard input. */
import { spawn } from 'node:child_process';
import { formatBytes } from '../../core/index.ts';
import type { Bench } from './bench.ts';
import type { HeaderList } from './exchange.ts';
import type { Route } from './route.ts';

export interface OtherRequest {
  readonly bench: Bench;
  readonly route: Route;
  readonly headers: HeaderList;
  readonly subject: { readonly method: string; readonly body: Buffer | undefined };
  readonly surroundings: { readonly caText: string | undefined };
}

export interface OtherResult {
  readonly client: string;
  /** `undefined`: it had no time, which says nothing of it. */
  readonly isOk: boolean | undefined;
  readonly text: string;
}

const MAX_SECONDS = 8;
const MAX_BYTES = 4 * 1_048_576;

/** Exit codes of curl that a request meets (curl(1)). */
const curlWords: Readonly<Record<number, string>> = {
  5: 'could not resolve the proxy',
  6: 'could not resolve the host',
  7: 'could not connect',
  16: 'HTTP/2 framing layer',
  18: 'transfer closed with bytes remaining',
  28: 'timed out',
  35: 'TLS connect error',
  52: 'empty reply from server',
  55: 'failed sending',
  56: 'failure in receiving',
  60: 'certificate not trusted',
  61: 'bad content encoding',
  92: 'HTTP/2 stream not closed cleanly',
  97: 'proxy handshake',
};

/** `7.88.1`; undefined where there is no curl. */
export async function curlVersion(signal: AbortSignal): Promise<string | undefined> {
  return /^curl (\d+\.\d+\.\d+)/.exec((await saidBy('curl', ['-q', '--version'], signal)) ?? '')?.[1];
}

/** What Python’s requests would use; undefined where it is not there. */
export async function urllib3Version(signal: AbortSignal): Promise<string | undefined> {
  const said = await saidBy('python3', ['-c', 'import urllib3; print(urllib3.__version__)'], signal);
  return /^\d+\.\d+(?:\.\d+)?/.exec(said ?? '')?.[0];
}

function saidBy(command: string, args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH ?? '' },
      timeout: 2_000,
      signal,
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', () => resolve(undefined));
    child.once('close', () => resolve(said));
  });
}

/** Undefined where there is no curl, or what it would need is not passed to it. */
export function runCurl(request: OtherRequest): Promise<OtherResult | undefined> {
  const { bench, route, headers, subject, surroundings } = request;
  // Its authorities would have to be written to a file.
  if (surroundings.caText !== undefined || subject.body !== undefined || bench.requestsLeft < 1)
    return Promise.resolve(undefined);
  const args = ['-q', '-sS', '-K', '-', '--max-time', String(MAX_SECONDS), '-o', '-', '-w', '%{stderr}%{http_code}'];
  const child = spawn('curl', args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env.PATH ?? '' } });
  const kill = () => child.kill('SIGKILL');
  const seen: Seen = { bytes: 0, said: '', isCut: false };
  bench.signal.addEventListener('abort', kill, { once: true });
  child.once('spawn', () => bench.take());
  child.stdin.on('error', () => {});
  child.stdin.end(configOf(route, headers, subject.method));
  child.stdout.on('data', (chunk: Buffer) => {
    seen.bytes += chunk.length;
    if (bench.countBytes(chunk.length) && seen.bytes < MAX_BYTES) return;
    seen.isCut = true;
    kill();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    seen.said = `${seen.said}${text}`.slice(-MAX_SAID);
  });
  return new Promise<OtherResult | undefined>((resolve, reject) => {
    child.once('error', () => resolve(undefined));
    child.once('close', (code) => {
      if (bench.signal.aborted) reject(bench.signal.reason);
      else resolve(read(seen, code, subject.method));
    });
  }).finally(() => bench.signal.removeEventListener('abort', kill));
}

interface Seen {
  bytes: number;
  /** Its words, and last the status. */
  said: string;
  isCut: boolean;
}

const MAX_SAID = 2_000;
const TIMED_OUT = 28;

function read({ bytes, said, isCut }: Seen, code: number | null, method: string): OtherResult {
  const status = Number(/(\d{3})\s*$/.exec(said)?.[1] ?? 0);
  const client = 'curl';
  if (isCut) return { client, isOk: true, text: `HTTP 200, ${formatBytes(bytes)}, then we had seen enough` };
  if (code !== 0) {
    const text = `failed (${code}, ${curlWords[code ?? 0] ?? 'see curl(1)'})`;
    return { client, isOk: code === TIMED_OUT ? undefined : false, text };
  }
  const isOk = status >= 200 && status < 300 && (bytes > 0 || method !== 'GET' || status === 204);
  return { client, isOk, text: `HTTP ${status}, ${formatBytes(bytes)}` };
}

function configOf({ url, proxy, address }: Route, headers: HeaderList, method: string): string {
  const lines = [
    `url = ${quoted(url.href)}`,
    ...(method === 'HEAD' ? ['head'] : method === 'GET' ? [] : [`request = ${quoted(method)}`]),
  ];
  for (const [name, value] of headers) lines.push(`header = ${quoted(`${name}: ${value}`)}`);
  if (proxy === undefined) lines.push('noproxy = "*"');
  else {
    lines.push(`proxy = ${quoted(`${proxy.url.protocol}//${proxy.url.host}`)}`);
    if (proxy.authorization !== undefined)
      lines.push(`proxy-header = ${quoted(`Proxy-Authorization: ${proxy.authorization}`)}`);
  }
  if (address !== undefined) lines.push(`connect-to = ${quoted(`::${address}:`)}`);
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\r|\n/g, ' ')}"`;
}
