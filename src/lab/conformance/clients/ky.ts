/** ky, streaming into the file. */
import { Readable } from 'node:stream';
import { knobs, runClient, save } from './run-client.ts';

await runClient(async (url, file, [ky]) => {
  const response = await ky(url, {
    timeout: knobs.silenceMs,
    retry: { limit: knobs.attempts - 1, backoffLimit: knobs.maxDelayMs, retryOnTimeout: true },
  });
  await save(Readable.fromWeb(response.body), file);
});
