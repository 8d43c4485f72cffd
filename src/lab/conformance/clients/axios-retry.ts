/** axios with axios-retry, streaming into the file. */
import { knobs, runClient, save } from './run-client.ts';

await runClient(async (url, file, [axios, axiosRetry]) => {
  const client = axios.create({ responseType: 'stream', proxy: false, timeout: knobs.silenceMs });
  axiosRetry(client, {
    retries: knobs.attempts - 1,
    shouldResetTimeout: true,
    retryDelay: (count: number, error: Error) =>
      axiosRetry.exponentialDelay(Math.min(count, 3), error, knobs.minDelayMs),
  });
  await save((await client.get(url)).data, file);
});
