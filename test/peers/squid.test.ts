/** A real squid as the proxy of everything: for plain requests and for tunnels, limited, forbidding, killed, before a dead origin. */
import { describe, expect, test } from 'vitest';
import { type ClientOptions, createClient, type Ledger } from '../../src/http/index.ts';
import { type Scenario, startLab } from '../../src/lab/index.ts';
import { sha256 } from '../wire/ways.ts';
import { patient, readWith } from './reading.ts';
import { squidProgram, startSquid } from './squid.ts';

const MiB = 1_048_576;
const open = ['http_access allow all'];
/** What a corporate proxy with a limit of connections per user says. */
const atMostTwo = ['acl many maxconn 2', 'http_access deny many', 'http_access allow all'];

function through(squid: { readonly url: string }, options: ClientOptions = {}) {
  return createClient({ ...patient, ...options, proxy: squid.url });
}

describe.skipIf(squidProgram === undefined)('squid', () => {
  test('passes a cut origin on, and the rest is asked for through it', async () => {
    await using squid = await startSquid(open);
    await using lab = await startLab();
    await using client = through(squid);
    const run = lab.play({
      name: 'cut-behind-squid',
      resource: { sizeBytes: MiB },
      requests: [{ on: { to: 2 }, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 300_000 } }],
    });
    const { body, ledger } = await client.request(run.url);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(run.sha256);
    expect(run.record.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=300000-', 'bytes=600000-']);
    expect(ledger).toMatchObject({ hopCount: 3, receivedBytes: MiB, integrity: 'length' });
  });

  for (const tls of [false, true]) {
    const what = tls ? 'a tunnel' : 'a plain body';
    test(`killed in the middle of ${what} and started again: the body ends right`, async () => {
      await using squid = await startSquid(open);
      await using lab = await startLab({ tls });
      await using client = through(squid, { tls: { ca: lab.ca } });
      const run = lab.play({ name: 'big', resource: { sizeBytes: 24 * MiB } });
      const { body, ledger } = await client.request(run.url);
      const read = await readWith(body, 4 * MiB, () => squid.restart());
      expect(sha256(read)).toBe(run.sha256);
      expect(ledger.attemptCount).toBeGreaterThan(1);
      expect(ledger.receivedBytes).toBe(run.sizeBytes);
      // Of plain requests, those that squid takes and dies with reach nobody.
      if (tls) expect(ledger.hopCount).toBe(run.requestCount);
    });
  }

  test('that refuses a third tunnel while two are open is waited for, and every refusal is in the ledger', async () => {
    await using squid = await startSquid(atMostTwo);
    await using lab = await startLab({ tls: true });
    await using client = through(squid, { tls: { ca: lab.ca } });
    const gated: Scenario = {
      name: 'two-tunnels',
      resource: { sizeBytes: 200_000 },
      requests: [{ on: { to: 2 }, do: { kind: 'gate', name: 'held', at: 'body', atByte: 100_000 } }],
    };
    const run = lab.play(gated);
    const ledgers: Ledger[] = [];
    const read = async () => {
      const onEvent = ({ type }: { readonly type: string }) => {
        if (type === 'failure') run.open('held');
      };
      const { body, ledger } = await client.request(run.url, { onEvent });
      ledgers.push(ledger);
      return sha256(new Uint8Array(await body.arrayBuffer()));
    };
    const first = [read(), read()];
    await run.untilRequest(2);
    const digests = await Promise.all([...first, read(), read(), read(), read()]);
    expect(digests).toEqual(Array(6).fill(run.sha256));
    const failures = ledgers.flatMap(({ attempts }) => attempts).flatMap(({ failure }) => failure ?? []);
    expect(new Set(failures.map(({ kind }) => kind))).toEqual(new Set(['proxy-throttled']));
    const denied = (await squid.logged()).filter(({ result }) => result === 'TCP_DENIED');
    expect(denied).toHaveLength(failures.length);
  });

  test('that forbids the host with no tunnel open is permanent: one CONNECT, no other try', async () => {
    await using squid = await startSquid(['http_access deny all']);
    await using lab = await startLab({ tls: true });
    await using client = through(squid, { tls: { ca: lab.ca } });
    const run = lab.play({ name: 'forbidden' });
    await expect(client.request(run.url)).rejects.toMatchObject({
      reason: 'permanent',
      failure: { origin: 'proxy', kind: 'proxy-refused', status: 403 },
    });
    expect(run.requestCount).toBe(0);
    expect(await squid.logged()).toEqual([{ method: 'CONNECT', result: 'TCP_DENIED', status: 403 }]);
  });

  for (const tls of [false, true]) {
    test(`before an origin that is not up yet answers 503 ${tls ? 'to CONNECT' : 'to GET'} until it is`, async () => {
      await using squid = await startSquid(open);
      await using lab = await startLab({ tls });
      await using client = through(squid, { tls: { ca: lab.ca } });
      const run = lab.play({ name: 'late', resource: { sizeBytes: 100_000 }, refuses: { untilOpen: 'up' } });
      const { body, ledger } = await client.request(run.url, {
        onEvent: ({ type }) => {
          if (type === 'failure') run.open('up');
        },
      });
      expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(run.sha256);
      expect(ledger.attempts[0]!.failure).toMatchObject({ status: 503, origin: tls ? 'proxy' : 'status' });
      expect(run.requestCount).toBe(1);
    });
  }
});
