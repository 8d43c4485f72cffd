/**
 * The same request by Node's own fetch (undici), without any healing, in a process of its own: its assertions take the
 * process down that they are in (undici #5360), and its pool would keep the connection when we are long gone.
 */
import { spawn } from 'node:child_process';
import { classify, describeFailure, formatBytes } from '../../core/index.ts';
import type { OtherRequest, OtherResult } from './curl.ts';

const MAX_MS = 8_000;
const MAX_BYTES = 4 * 1_048_576;
/** What fetch sets itself, and refuses from others. */
const notForFetch = /^(?:host|connection|content-length|expect|transfer-encoding|keep-alive|upgrade)$/i;

/** Reads the request from standard input: nothing of it is seen in the list of processes. */
const program = `
let text = '';
for await (const chunk of process.stdin) text += chunk;
const { url, method, headers, body, maxBytes } = JSON.parse(text);
let bytes = 0;
let status = 0;
const tell = (error) => process.stdout.write(JSON.stringify({ bytes, status, error }), () => process.exit(0));
try {
  const response = await fetch(url, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body: Buffer.from(body, 'base64') }) });
  status = response.status;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes >= maxBytes) break;
  }
  tell();
} catch (error) {
  const link = (one) => one instanceof Error ? { name: one.name, message: one.message, code: one.code, syscall: one.syscall, cause: link(one.cause) } : undefined;
  tell(link(error));
}`;

interface Told {
  readonly bytes: number;
  readonly status: number;
  readonly error?: object;
}

/** Undefined where fetch cannot be told what it would need: a proxy, authorities of one's own. */
export function runFetch({
  bench,
  route,
  headers,
  subject,
  surroundings,
}: OtherRequest): Promise<OtherResult | undefined> {
  if (route.proxy !== undefined || surroundings.caText !== undefined || bench.requestsLeft < 1)
    return Promise.resolve(undefined);
  bench.take();
  const client = `fetch of Node.js ${process.versions.node}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH ?? '' },
  });
  return new Promise((resolve, reject) => {
    let said = '';
    let isLate = false;
    const kill = () => child.kill('SIGKILL');
    bench.signal.addEventListener('abort', kill, { once: true });
    const timer = bench.clock.after(MAX_MS, () => {
      isLate = true;
      kill();
    });
    child.stdin.on('error', () => {});
    child.stdin.end(
      JSON.stringify({
        url: route.url.href,
        method: subject.method,
        headers: headers.filter(([name]) => !notForFetch.test(name)),
        body: subject.body?.toString('base64'),
        maxBytes: Math.max(1, Math.min(MAX_BYTES, bench.bytesLeft)),
      }),
    );
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', () => resolve(undefined));
    child.once('close', () => {
      timer.cancel();
      bench.signal.removeEventListener('abort', kill);
      if (bench.signal.aborted) reject(bench.signal.reason);
      else
        resolve(
          isLate
            ? { client, isOk: undefined, text: 'timed out' }
            : read(client, said, subject.method, bench.countBytes),
        );
    });
  });
}

function read(client: string, said: string, method: string, countBytes: (bytes: number) => boolean): OtherResult {
  if (said === '') return { client, isOk: false, text: 'took its process down' };
  const { bytes, status, error } = JSON.parse(said) as Told;
  countBytes(bytes);
  if (error === undefined) {
    const isOk = status >= 200 && status < 300 && (bytes > 0 || method !== 'GET' || status === 204);
    return { client, isOk, text: `HTTP ${status}, ${formatBytes(bytes)}` };
  }
  const answered = status > 0;
  const failure = classify({
    phase: answered ? 'body' : 'wait',
    error: toError(error),
    unsent: false,
    reusedSocket: false,
    answered,
  });
  return { client, isOk: false, text: describeFailure(failure, { atByte: bytes, totalBytes: undefined }) };
}

/** As it was thrown on the other side. */
function toError(told: object): Error {
  const { message, cause, ...rest } = told as { message?: string; cause?: object };
  return Object.assign(new Error(message ?? '', cause === undefined ? {} : { cause: toError(cause) }), rest);
}
