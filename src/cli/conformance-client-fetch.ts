/** `client.fetch` as a program would use it: `node conformance-client-fetch.js URL FILE`. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createClient } from '../http/index.ts';

const [url = '', file = ''] = process.argv.slice(2);
const client = createClient({
  retry: { maxAttempts: 20, baseDelayMs: 100, throttleDelayMs: 100, maxDelayMs: 1_000 },
  timeouts: { connectMs: 2_000, headersMs: 2_000, stallMs: 2_000 },
  connections: { http2: true },
  budget: { capacity: 1_000, ratio: 1 },
});
try {
  const response = await client.fetch(url, { throwOnStatus: true });
  await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(file));
} catch (error) {
  const { message, cause } = error as Error;
  process.stderr.write(`${cause instanceof Error ? cause.message.split('\n', 1)[0] : message}\n`);
  process.exitCode = 1;
} finally {
  await client.destroy();
}
