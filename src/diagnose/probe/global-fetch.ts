/** The same request by Node's own fetch (undici), without any healing. */
import { classify, describeFailure, formatBytes } from '../../core/index.ts';
import type { OtherRequest, OtherResult } from './curl.ts';

const MAX_MS = 8_000;
const MAX_BYTES = 4 * 1_048_576;
/** What fetch sets itself, and refuses from others. */
const notForFetch = /^(?:host|connection|content-length|expect|transfer-encoding|keep-alive|upgrade)$/i;

/** Undefined where fetch cannot be told what it would need: a proxy, authorities of one's own. */
export async function runFetch({
  bench,
  route,
  headers,
  subject,
  surroundings,
}: OtherRequest): Promise<OtherResult | undefined> {
  if (route.proxy !== undefined || surroundings.caText !== undefined || bench.requestsLeft < 1) return undefined;
  const controller = new AbortController();
  const stop = () => controller.abort();
  const timer = bench.clock.after(MAX_MS, stop);
  bench.signal.addEventListener('abort', stop, { once: true });
  const client = `fetch of Node.js ${process.versions.node}`;
  let bytes = 0;
  let isAnswered = false;
  try {
    bench.take();
    const response = await fetch(route.url, {
      method: subject.method,
      redirect: 'manual',
      signal: controller.signal,
      // Its pool would keep the connection when we are long gone.
      headers: [
        ...headers.filter(([name]) => !notForFetch.test(name)).map(([name, value]): [string, string] => [name, value]),
        ['connection', 'close'],
      ],
      ...(subject.body === undefined ? {} : { body: new Uint8Array(subject.body) }),
    });
    isAnswered = true;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (!bench.countBytes(chunk.length) || bytes >= MAX_BYTES) break;
    }
    const isOk = response.status < 400 && (bytes > 0 || subject.method === 'HEAD' || response.status === 204);
    return { client, isOk, text: `HTTP ${response.status}, ${formatBytes(bytes)}` };
  } catch (error) {
    if (bench.signal.aborted) throw bench.signal.reason;
    if (controller.signal.aborted) return { client, isOk: false, text: 'timed out' };
    const phase = isAnswered ? 'body' : 'wait';
    const failure = classify({ phase, error, unsent: false, reusedSocket: false, answered: isAnswered });
    return { client, isOk: false, text: describeFailure(failure, { atByte: bytes, totalBytes: undefined }) };
  } finally {
    timer.cancel();
    bench.signal.removeEventListener('abort', stop);
    controller.abort();
  }
}
