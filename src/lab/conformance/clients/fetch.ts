/** The built-in fetch, once: what a program does that takes the network for granted. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { runClient, save } from './run-client.ts';

await runClient(async (url, file) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  await save(Readable.fromWeb(response.body as ReadableStream), file);
});
