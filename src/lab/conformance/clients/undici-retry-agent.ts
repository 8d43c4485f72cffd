/** undici's RetryAgent outside of its redirects, so that a resume starts from the original URL. */
import { knobs, runClient, save } from './run-client.ts';

await runClient(async (url, file, [undici]) => {
  const agent = new undici.Agent({ allowH2: true, headersTimeout: knobs.silenceMs, bodyTimeout: knobs.silenceMs });
  const followed = agent.compose(undici.interceptors.redirect({ maxRedirections: 10 }));
  const dispatcher = new undici.RetryAgent(followed, {
    maxRetries: knobs.attempts - 1,
    minTimeout: knobs.minDelayMs,
    maxTimeout: knobs.maxDelayMs,
  });
  const { statusCode, body } = await undici.request(url, { dispatcher });
  if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
  await save(body, file);
});
