/**
 * Every scenario of the lab over HTTP/2 through the client. The lab says which bytes are right and counts the requests; the
 * ledger must agree. What each cell ends as is data, in `http2-outcomes.ts`.
 */
import { describe, expect, test } from 'vitest';
import { type Client, createClient, type Ledger, ledgerOf } from '../../src/http/index.ts';
import { type CatalogueEntry, catalogue, type Run, scenarioNamed, startLab } from '../../src/lab/index.ts';
import { http2OutcomeOf } from './http2-outcomes.ts';
import { quick, sha256, timeoutsFor } from './ways.ts';

interface Answer {
  readonly body: Uint8Array;
  readonly ledger: Ledger | undefined;
}

const ways: Readonly<Record<string, (client: Client, url: string) => Promise<Answer>>> = {
  fetch: async (client, url) => {
    const response = await client.fetch(url);
    const ledger = ledgerOf(response);
    try {
      return { body: new Uint8Array(await response.arrayBuffer()), ledger };
    } catch (error) {
      throw Object.assign(error as Error, { ledger });
    }
  },
  request: async (client, url) => {
    const { body, ledger } = await client.request(url);
    return { body: new Uint8Array(await body.arrayBuffer()), ledger };
  },
  'with proof': async (client, url) => {
    const { body, ledger } = await client.request(url, { requireProof: true });
    return { body: new Uint8Array(await body.arrayBuffer()), ledger };
  },
};

function judge(run: Run, { body, ledger }: Answer): string {
  const version = run.versionOf(sha256(body));
  if (version >= 0) return `version ${version}`;
  return ledger?.integrity === 'unverifiable' ? 'wrong but unverifiable' : 'wrong';
}

function judgeError(error: unknown): string {
  const own = (error as { readonly cause?: { readonly code?: string } }).cause;
  const { code, reason, message } = (own?.code?.startsWith('ERR_REKNIT') === true ? own : error) as {
    readonly code?: string;
    readonly reason?: string;
    readonly message?: string;
  };
  return reason ?? code ?? `error ${message}`;
}

const sizeBytes = 2 * 1024 * 1024;

async function play({ scenario }: CatalogueEntry, way: string) {
  await using lab = await startLab({ sparePorts: 1 });
  const client = createClient({
    ...quick,
    timeouts: timeoutsFor(scenario),
    connections: { http2: true },
    tls: { ca: lab.ca },
  });
  const run = lab.play(scenarioNamed(scenario.name, { sizeBytes }));
  try {
    const answer = await ways[way]!(client, run.url);
    return { outcome: judge(run, answer), run, ledger: answer.ledger };
  } catch (error) {
    const ledger = (error as { readonly ledger?: Ledger }).ledger ?? ledgerOf(error as Error);
    return { outcome: judgeError(error), run, ledger };
  } finally {
    await client.destroy();
  }
}

const entries = catalogue.filter(({ needs }) => needs === 'http2');

describe.concurrent.each(Object.keys(ways))('by %s', (way) => {
  for (const entry of entries) {
    const { name } = entry.scenario;
    test(`${name}: ${entry.description} It ends as ${http2OutcomeOf(name, way)}`, async () => {
      const { outcome, run, ledger } = await play(entry, way);
      expect(outcome).toBe(http2OutcomeOf(name, way));
      expect(ledger?.hopCount).toBe(run.requestCount);
      if (outcome.startsWith('version')) expect(entry.expect).not.toBe('fails');
    });
  }
});
