/** A real haproxy in front: reloaded, killed, with a queue that overflows, with servers that die, and with its own time limits. */
import { randomBytes } from 'node:crypto';
import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createClient, type GaveUpError } from '../../src/http/index.ts';
import { startLab } from '../../src/lab/index.ts';
import { sha256 } from '../wire/ways.ts';
import { haproxyProgram, startHaproxy } from './haproxy.ts';
import { type Nginx, nginxProgram, startNginx } from './nginx.ts';
import { countAnswered, Load, patient, readWith } from './reading.ts';

const MiB = 1_048_576;
const content = randomBytes(8 * MiB);
const small = { files: { small: 'small' } };
const inASecond = { files: { 'file.bin': content }, server: 'location /file.bin { limit_rate 8m; }', workers: 1 };

/** A server is tried again, and then the other one; a connection to a server serves one request. */
const usual = ['option http-server-close', 'option redispatch 1', 'retries 3'];

function servers(...peers: readonly { readonly port: number }[]): readonly string[] {
  return peers.map(({ port }, index) => `server s${index} 127.0.0.1:${port}`);
}

/** nginx makes its ETag of a file's time and size: equal times are equal ETags. */
async function setModified(nginx: Nginx, seconds: number): Promise<void> {
  await utimes(join(nginx.folder, 'www/file.bin'), seconds, seconds);
}

describe.skipIf(haproxyProgram === undefined || nginxProgram === undefined)('haproxy', () => {
  test('reloaded ten times under load: no request fails, and its log has every hop that was answered', async () => {
    await using nginx = await startNginx(small);
    await using haproxy = await startHaproxy({ listen: [...usual, ...servers(nginx)] });
    await using client = createClient(patient);
    const load = new Load(client, `${haproxy.url}/small`, 'small');
    for (let reload = 1; reload <= 10; reload += 1) {
      await haproxy.reload();
      await load.untilMore(100);
    }
    await load.end();
    expect(load.failures).toEqual([]);
    expect(load.ledgers.length).toBeGreaterThanOrEqual(1_000);
    expect(await haproxy.logged()).toHaveLength(load.answeredHopCount);
  });

  test('killed and started again five times under load: no request fails', async () => {
    await using nginx = await startNginx(small);
    await using haproxy = await startHaproxy({ listen: [...usual, ...servers(nginx)] });
    await using client = createClient(patient);
    const load = new Load(client, `${haproxy.url}/small`, 'small');
    for (let restart = 1; restart <= 5; restart += 1) {
      await load.untilMore(100);
      await haproxy.restart();
    }
    await load.untilMore(100);
    await load.end();
    expect(load.failures).toEqual([]);
    expect(load.ledgers.filter((ledger) => ledger.attemptCount > 1).length).toBeGreaterThanOrEqual(5);
    expect((await nginx.logged()).length).toBeLessThanOrEqual(load.hopCount);
  });

  test('killed and started again under a load of POSTs: none takes effect twice, and those that failed say that they may have run', async () => {
    await using lab = await startLab();
    const run = lab.play({ name: 'effects', resource: { sizeBytes: 100 } }, { port: 'own' });
    const { pathname, search, port } = new URL(run.url);
    await using haproxy = await startHaproxy({ listen: [...usual, ...servers({ port: Number(port) })] });
    await using client = createClient(patient);
    const served: string[] = [];
    const failed: GaveUpError[] = [];
    let isOver = false;
    const users = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const body = randomBytes(1_000);
        const answer = client.request(`${haproxy.url}${pathname}${search}`, { method: 'POST', body });
        await answer.then(
          async ({ body: received }) => {
            await received.dump();
            served.push(sha256(body));
          },
          (error) => failed.push(error as GaveUpError),
        );
      }
    });
    for (let restart = 1; restart <= 5; restart += 1) {
      await run.untilRequest(run.requestCount + 100);
      await haproxy.restart();
    }
    await run.untilRequest(run.requestCount + 100);
    isOver = true;
    await Promise.all(users);
    const effects = run.record.effects.map((effect) => effect.sha256);
    expect(new Set(effects).size).toBe(effects.length);
    expect(effects).toEqual(expect.arrayContaining(served));
    expect(failed.filter((error) => error.reason !== 'may-have-run')).toEqual([]);
  });

  test('that answers 503 from a full queue: ten downloads at once all end right', async () => {
    await using nginx = await startNginx({
      files: { 'file.bin': content.subarray(0, MiB) },
      server: 'location /file.bin { limit_rate 16m; }',
    });
    const [server] = servers(nginx);
    await using haproxy = await startHaproxy({
      defaults: ['timeout queue 20ms'],
      listen: [...usual, `${server} maxconn 2`],
    });
    await using client = createClient(patient);
    const downloads = Array.from({ length: 10 }, async () => {
      const { body, ledger } = await client.request(`${haproxy.url}/file.bin`);
      expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(sha256(content.subarray(0, MiB)));
      return ledger;
    });
    const ledgers = await Promise.all(downloads);
    const logged = await haproxy.logged();
    expect(logged).toContainEqual({ status: 503, ended: 'sQ' });
    expect(logged).toHaveLength(countAnswered(ledgers));
  });

  test('whose server is killed in the middle of a body: the rest comes from its twin with the same ETag', async () => {
    await using first = await startNginx(inASecond);
    await using second = await startNginx(inASecond);
    await Promise.all([setModified(first, 1_700_000_000), setModified(second, 1_700_000_000)]);
    await using haproxy = await startHaproxy({ listen: [...usual, 'balance first', ...servers(first, second)] });
    await using client = createClient(patient);
    const { body, ledger } = await client.request(`${haproxy.url}/file.bin`);
    const read = await readWith(body, 2 * MiB, () => first.kill());
    expect(sha256(read)).toBe(sha256(content));
    expect(ledger).toMatchObject({ receivedBytes: content.length, integrity: 'length' });
    expect(ledger.attempts[0]!.failure).toMatchObject({ phase: 'body' });
    expect(await second.logged()).toMatchObject([{ status: 206 }]);
  });

  test('whose server is killed in the middle of a body, and the other one has another ETag: no mixture, and `bytes` begins again', async () => {
    await using first = await startNginx(inASecond);
    const other = randomBytes(content.length);
    await using second = await startNginx({ files: { 'file.bin': other } });
    await setModified(second, (await stat(join(first.folder, 'www/file.bin'))).mtimeMs / 1_000 + 100);
    await using haproxy = await startHaproxy({ listen: [...usual, 'balance first', ...servers(first, second)] });
    await using client = createClient(patient);
    const { body } = await client.request(`${haproxy.url}/file.bin`);
    const read = readWith(body, 2 * MiB, () => first.kill());
    await expect(read.then(sha256)).rejects.toMatchObject({ code: 'ERR_REKNIT_CONTENT_CHANGED' });
    await first.start();
    const whole = client.bytes(`${haproxy.url}/file.bin`, {
      onEvent: ({ type }) => {
        if (type === 'response') void first.kill();
      },
    });
    expect(sha256(await whole)).toBe(sha256(other));
  });

  test('whose server is silent answers 504, and the request is tried until the server is awake', async () => {
    await using nginx = await startNginx({ ...small, workers: 1 });
    await using haproxy = await startHaproxy({
      defaults: ['timeout server 150ms'],
      listen: [...usual, ...servers(nginx)],
    });
    await using client = createClient(patient);
    await nginx.signalWorkers('SIGSTOP');
    const response = await client.request(`${haproxy.url}/small`, {
      onEvent: ({ type }) => {
        if (type === 'failure') void nginx.signalWorkers('SIGCONT');
      },
    });
    expect(await response.body.text()).toBe('small');
    expect(response.ledger.attempts[0]!.failure).toMatchObject({ kind: 'status', status: 504 });
    expect((await haproxy.logged())[0]).toEqual({ status: 504, ended: 'sH' });
  });

  test('that answers 408 in the middle of an upload is sent the whole upload again', async () => {
    await using lab = await startLab();
    const run = lab.play({ name: 'uploads', resource: { sizeBytes: 100 } }, { port: 'own' });
    const { pathname, search, port } = new URL(run.url);
    await using haproxy = await startHaproxy({
      defaults: ['timeout http-request 150ms', 'option http-buffer-request'],
      listen: [...usual, ...servers({ port: Number(port) })],
    });
    await using client = createClient(patient);
    let onFailure = () => {};
    const failed = new Promise<void>((resolve) => {
      onFailure = resolve;
    });
    const body = async function* () {
      yield 'first ';
      await failed;
      yield 'second';
    };
    const response = await client.request(`${haproxy.url}${pathname}${search}`, {
      method: 'PUT',
      body,
      onEvent: ({ type }) => {
        if (type === 'failure') onFailure();
      },
    });
    expect(response.statusCode).toBe(200);
    expect(response.ledger.attempts[0]!.failure).toMatchObject({ kind: 'status', status: 408 });
    expect(run.record.effects.map((effect) => effect.sha256)).toEqual([sha256(Buffer.from('first second'))]);
  });
});
