/** Every scenario of the lab that plays at a proxy, through the client: to an https origin, so by CONNECT. */
import { describe, expect, test } from 'vitest';
import { createClient, type Ledger } from '../../src/http/index.ts';
import { type CatalogueEntry, catalogue, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from './ways.ts';

/** What is not named here ends as version 0. */
const outcomes: Readonly<Record<string, string>> = {
  'proxy-refuses': 'permanent',
  'proxy-wants-credentials': 'permanent',
};

async function play({ scenario }: CatalogueEntry) {
  await using lab = await startLab({ tls: true });
  const run = lab.play(scenarioNamed(scenario.name, { sizeBytes: 1024 * 1024 }));
  const client = createClient({ ...quick, tls: { ca: lab.ca }, proxy: run.proxy!.url });
  try {
    const { body, ledger } = await client.request(run.url);
    return { outcome: `version ${run.versionOf(sha256(new Uint8Array(await body.arrayBuffer())))}`, run, ledger };
  } catch (error) {
    const { reason, ledger, message } = error as { reason?: string; ledger?: Ledger; message: string };
    return { outcome: reason ?? message, run, ledger };
  } finally {
    await client.destroy();
  }
}

describe.concurrent('behind a proxy', () => {
  for (const entry of catalogue.filter(({ needs }) => needs === 'proxy')) {
    const { name } = entry.scenario;
    test(`${name}: ${entry.description} It ends as ${outcomes[name] ?? 'version 0'}`, async () => {
      const { outcome, run, ledger } = await play(entry);
      expect(outcome).toBe(outcomes[name] ?? 'version 0');
      expect(ledger?.hopCount).toBe(run.requestCount);
    });
  }
});
