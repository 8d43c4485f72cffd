/**
 * Every scenario of the lab's catalogue through every way into the client. The lab says which bytes are right and counts
 * the requests; the ledger must agree. What the catalogue leaves open (`either`) is pinned here by `outcomes`.
 */
import { describe, expect, test } from 'vitest';
import { type Client, createClient, install, type Ledger, ledgerOf } from '../../src/http/index.ts';
import { type CatalogueEntry, catalogue, type Run, startLab } from '../../src/lab/index.ts';
import { outcomeOf } from './outcomes.ts';
import { quick, sha256, timeoutsFor } from './ways.ts';

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  readonly ledger: Ledger | undefined;
}

const fetchBefore = globalThis.fetch;

async function readResponse(response: Response): Promise<Answer> {
  const ledger = ledgerOf(response);
  try {
    return { status: response.status, body: new Uint8Array(await response.arrayBuffer()), ledger };
  } catch (error) {
    throw Object.assign(error as Error, { ledger });
  }
}

const ways: Readonly<Record<string, (client: Client, url: string, options: object) => Promise<Answer>>> = {
  fetch: async (client, url) => readResponse(await client.fetch(url)),
  request: async (client, url) => {
    const { statusCode, body, ledger } = await client.request(url);
    return { status: statusCode, body: new Uint8Array(await body.arrayBuffer()), ledger };
  },
  bytes: async (client, url) => ({ status: 200, body: await client.bytes(url), ledger: undefined }),
  install: async (_client, url, options) => {
    const uninstall = install(options);
    try {
      return await readResponse(await fetch(url));
    } finally {
      uninstall();
    }
  },
};

/** What came out, in the words of `outcomes.ts`. */
function judge(run: Run, answer: Answer): string {
  if (answer.status >= 400) return `status ${answer.status}`;
  const version = run.versionOf(sha256(answer.body));
  if (version >= 0) return `version ${version}`;
  return answer.ledger?.integrity === 'unverifiable' ? 'wrong but unverifiable' : 'wrong';
}

function judgeError(error: unknown): string {
  const own = (error as { readonly cause?: { readonly code?: string } }).cause;
  const { code, reason, message } = (own?.code?.startsWith('ERR_REKNIT') === true ? own : error) as {
    readonly code?: string;
    readonly reason?: string;
    readonly message?: string;
  };
  // The decoder of `fetch` may complain before ours does: the same damage, by the same word.
  if (own?.code?.startsWith('Z_') === true) return 'ERR_REKNIT_INTEGRITY';
  return reason ?? code ?? `error ${message}`;
}

async function play(
  entry: CatalogueEntry,
  wayName: string,
): Promise<{ readonly outcome: string; readonly run: Run; readonly ledger: Ledger | undefined }> {
  await using lab = await startLab({ tls: entry.needs === 'tls' });
  const options = {
    ...quick,
    timeouts: timeoutsFor(entry.scenario),
    // Two seconds of refusals are more than twenty short waits.
    ...(entry.scenario.name === 'refused2s' ? { retry: { ...quick.retry, maxAttempts: 5_000 } } : {}),
    ...(entry.needs === 'tls' ? { tls: { ca: lab.ca } } : {}),
  };
  const client = createClient(options);
  const run = lab.play(entry.scenario);
  await run.ready;
  try {
    const answer = await ways[wayName]!(client, run.url, options);
    return { outcome: judge(run, answer), run, ledger: answer.ledger };
  } catch (error) {
    const ledger = (error as { readonly ledger?: Ledger }).ledger ?? ledgerOf(error as Error);
    return { outcome: judgeError(error), run, ledger };
  } finally {
    await client.destroy();
    expect(globalThis.fetch).toBe(fetchBefore);
  }
}

/** Connections that the lab closes before it reads: what was written into them is a hop of ours, and no request of its. */
const unreadFamilies: ReadonlySet<string> = new Set([
  'fin-on-accept',
  'reset-on-accept',
  'silent-on-accept',
  'reset-above-two',
]);

// The scenarios over HTTP/2 and those behind a proxy have matrices of their own.
for (const entry of catalogue.filter(({ needs }) => needs === undefined || needs === 'tls')) {
  const { name } = entry.scenario;
  describe.concurrent(`${name}: ${entry.description}`, () => {
    for (const way of Object.keys(ways).filter((way) => way !== 'install')) checkCell(entry, way);
  });
  checkCell(entry, 'install');
}

function checkCell(entry: CatalogueEntry, way: string): void {
  const { name } = entry.scenario;
  test(`${name} by ${way} ends as it should: ${outcomeOf(entry, way)}`, async () => {
    const { outcome, run, ledger } = await play(entry, way);
    expect(outcome).toBe(outcomeOf(entry, way));
    if (ledger !== undefined && !unreadFamilies.has(name)) expect(ledger.hopCount).toBe(run.requestCount);
  });
}
