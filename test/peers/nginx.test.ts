/** A real nginx: reloaded, stopped, killed and started again, limited and slow, while its files are read. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/http/index.ts';
import { createFolder, jsonLines, start } from '../cli/command.ts';
import { sha256 } from '../wire/ways.ts';
import { nginxProgram, startNginx } from './nginx.ts';
import { alert, countAnswered, Load, patient, readWith } from './reading.ts';

const MiB = 1_048_576;
const content = randomBytes(12 * MiB);
const files = { 'file.bin': content, small: 'small' };
const inASecond = { files, server: 'location /file.bin { limit_rate 12m; }' };

describe.skipIf(nginxProgram === undefined)('nginx', () => {
  test('killed in the middle of a body and started again: the body ends right', async () => {
    await using nginx = await startNginx(inASecond);
    await using client = createClient(patient);
    const { body, ledger } = await client.request(`${nginx.url}/file.bin`);
    const read = await readWith(body, 3 * MiB, () => nginx.restart());
    expect(sha256(read)).toBe(sha256(content));
    expect(ledger.attemptCount).toBeGreaterThan(1);
    expect(ledger.integrity).toBe('length');
    expect(ledger.receivedBytes).toBe(content.length);
  });

  test('whose worker is killed in the middle of a body: the next worker sends the rest only', async () => {
    await using nginx = await startNginx({ ...inASecond, workers: 1 });
    await using client = createClient(patient);
    const { body, ledger } = await client.request(`${nginx.url}/file.bin`);
    const read = await readWith(body, 3 * MiB, () => nginx.signalWorkers('SIGKILL'));
    expect(sha256(read)).toBe(sha256(content));
    expect(ledger.receivedBytes).toBe(content.length);
    const [request, ...others] = await nginx.logged();
    expect(request).toMatchObject({ status: 206, range: `bytes=${ledger.attempts[0]!.newBytes}-` });
    expect(others).toEqual([]);
  });

  test('stopped by SIGSTOP in the middle of a body: the stall is noticed, and the body ends right', async () => {
    await using nginx = await startNginx(inASecond);
    await using client = createClient(alert);
    const { body, ledger } = await client.request(`${nginx.url}/file.bin`, {
      onEvent: ({ type }) => {
        if (type === 'failure') void nginx.signalWorkers('SIGCONT');
      },
    });
    const read = await readWith(body, 3 * MiB, () => nginx.signalWorkers('SIGSTOP'));
    expect(sha256(read)).toBe(sha256(content));
    expect(ledger.attempts[0]!.failure).toMatchObject({ kind: 'stall' });
    expect(await nginx.logged()).toHaveLength(ledger.hopCount);
  });

  test('reloaded ten times under load: no request fails, and its log has every hop that was answered', async () => {
    await using nginx = await startNginx({ files });
    await using client = createClient(patient);
    const load = new Load(client, `${nginx.url}/small`, 'small');
    for (let reload = 1; reload <= 10; reload += 1) {
      nginx.signal('SIGHUP');
      await load.untilMore(100);
    }
    await load.end();
    expect(load.failures).toEqual([]);
    expect(load.ledgers.length).toBeGreaterThanOrEqual(1_000);
    expect(await nginx.logged()).toHaveLength(load.answeredHopCount);
  });

  test('killed and started again five times under load: no request fails', async () => {
    await using nginx = await startNginx({ files });
    await using client = createClient(patient);
    const load = new Load(client, `${nginx.url}/small`, 'small');
    for (let restart = 1; restart <= 5; restart += 1) {
      await load.untilMore(100);
      await nginx.restart();
    }
    await load.untilMore(100);
    await load.end();
    expect(load.failures).toEqual([]);
    expect(load.ledgers.length).toBeGreaterThanOrEqual(600);
    expect(load.ledgers.filter((ledger) => ledger.attemptCount > 1).length).toBeGreaterThanOrEqual(5);
    expect((await nginx.logged()).length).toBeLessThanOrEqual(load.hopCount);
  });

  for (const status of [429, 503]) {
    test(`that answers ${status} to more than two at once: ten downloads at once all end right`, async () => {
      await using nginx = await startNginx({
        files: { 'file.bin': content.subarray(0, MiB) },
        http: 'limit_conn_zone $server_port zone=all:1m;',
        server: `limit_conn all 2; limit_conn_status ${status}; location /file.bin { limit_rate 16m; }`,
      });
      await using client = createClient(patient);
      const downloads = Array.from({ length: 10 }, async () => {
        const { body, ledger } = await client.request(`${nginx.url}/file.bin`);
        expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(sha256(content.subarray(0, MiB)));
        return ledger;
      });
      const ledgers = await Promise.all(downloads);
      const logged = await nginx.logged();
      expect(logged.some((request) => request.status === status)).toBe(true);
      expect(logged).toHaveLength(countAnswered(ledgers));
    });
  }

  test('that becomes slower than the floor is left for a fresh connection, which is fast again', async () => {
    await using nginx = await startNginx({
      files,
      server: 'location /file.bin { limit_rate 4k; limit_rate_after 8m; }',
    });
    await using client = createClient({ ...patient, timeouts: { stallMs: 500, minBytesPerSecond: 100_000 } });
    const { body, ledger } = await client.request(`${nginx.url}/file.bin`);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(sha256(content));
    expect(ledger.attempts[0]!.failure?.kind).toMatch(/^(trickle|stall)$/);
    expect(ledger).toMatchObject({ attemptCount: 2, receivedBytes: content.length });
    expect(await nginx.logged()).toHaveLength(2);
  });

  test('that is slow, but not below the floor, is left in peace', async () => {
    await using nginx = await startNginx({ files, server: 'location /file.bin { limit_rate 6m; }' });
    await using client = createClient({ ...patient, timeouts: { stallMs: 2_000, minBytesPerSecond: 1_000_000 } });
    const { body, ledger } = await client.request(`${nginx.url}/file.bin`);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(sha256(content));
    expect(ledger.attemptCount).toBe(1);
  });

  test('killed and started again under `reknit get`: exit 0, the right file, and only the rest asked for', async () => {
    await using nginx = await startNginx(inASecond);
    await using folder = await createFolder();
    const args = ['get', `${nginx.url}/file.bin`, '--json', '--retry-delay', '10ms', '--max-connections', '1'];
    const { child, ended } = start(args, { cwd: folder.path });
    await new Promise<void>((resolve) => {
      child.stdout!.on('data', (line: Buffer) => {
        if (String(line).includes('"progress"')) resolve();
      });
    });
    await nginx.restart();
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(await folder.sha256('file.bin')).toBe(sha256(content));
    const done = jsonLines(stdout).at(-1)!;
    expect(done).toMatchObject({ event: 'done', integrity: 'length', refetchedBytes: 0 });
    const ranges = (await nginx.logged()).map((request) => request.range);
    expect(ranges).toEqual([expect.stringMatching(/^bytes=\d+-$/)]);
  });
});
