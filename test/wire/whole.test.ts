/** Bodies whole or not at all, the general `retry`, statuses as errors, and bad input. */
import { describe, expect, test } from 'vitest';
import {
  createClient,
  healing,
  install,
  isReknitError,
  ledgerOf,
  type ReknitError,
  retry,
} from '../../src/http/index.ts';
import { startLab } from '../../src/lab/index.ts';
import { quick, sha256 } from './ways.ts';

const cutHalfway = { kind: 'cut', by: 'rst', at: 'body', atByte: 20 } as const;
const json = '{"name":"reknit","list":[1,2,3],"text":"whole or not at all"}';

describe('json', () => {
  test('is whole, however it was cut', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({ name: 'json', resource: { bodyText: json }, requests: [{ on: 1, do: cutHalfway }] });
    expect(await client.json(run.url)).toEqual(JSON.parse(json));
  });

  test('without validator and length begins anew', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const resource = { bodyText: json, validator: 'none', framing: 'chunked' } as const;
    const run = lab.play({ name: 'json', resource, requests: [{ on: { to: 2 }, do: cutHalfway }] });
    expect(await client.json(run.url)).toEqual(JSON.parse(json));
    expect(run.requestCount).toBe(3);
  });

  test('that `validate` does not believe is asked for again', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({
      name: 'doubtful',
      resource: { bodyText: '{"ready":false}' },
      changes: [{ fromRequest: 3, bodyText: '{"ready":true}' }],
    });
    const value = await client.json(run.url, { validate: (value) => (value as { ready: boolean }).ready });
    expect(value).toEqual({ ready: true });
    expect(run.requestCount).toBe(3);
  });

  test('that is whole and no JSON is not asked for eight times', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({ name: 'no-json', resource: { bodyText: '<html>' } });
    await expect(client.json(run.url)).rejects.toThrow(SyntaxError);
    expect(run.requestCount).toBe(1);
  });

  test('of a final status rejects, with the status in the failure', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({
      name: 'gone',
      requests: [{ on: 'every', do: { kind: 'status', status: 404, bodyText: 'no such thing' } }],
    });
    const error = (await client.json(run.url).catch((reason: unknown) => reason)) as ReknitError;
    expect(error).toMatchObject({ code: 'ERR_REKNIT_GAVE_UP', reason: 'permanent', failure: { status: 404 } });
    expect(error.message).toContain('HTTP 404 Not Found');
    expect(error.message).toContain('the server said: no such thing');
    expect(run.requestCount).toBe(1);
  });
});

test('text of a changed file is the new text, never a mixture', async () => {
  await using lab = await startLab();
  await using client = createClient(quick);
  const run = lab.play({
    name: 'changed',
    resource: { bodyText: 'old '.repeat(1_000) },
    changes: [{ fromRequest: 2, bodyText: 'new '.repeat(1_000) }],
    requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: 1_000 } }],
  });
  expect(await client.text(run.url)).toBe('new '.repeat(1_000));
});

test('a gzip body that was cut inside right framing is noticed, and asked for again', async () => {
  await using lab = await startLab();
  await using client = createClient(quick);
  const run = lab.play({
    name: 'gzip',
    resource: { bodyText: 'abc'.repeat(9_999), encoding: 'gzip' },
    requests: [{ on: 1, do: { kind: 'gzip-damage', how: 'truncated' } as never }],
  });
  expect(await client.text(run.url)).toBe('abc'.repeat(9_999));
  expect(run.requestCount).toBe(2);
});

describe('retry', () => {
  const cutAlways = {
    name: 'cut',
    resource: { sizeBytes: 1_000, validator: 'none', framing: 'chunked' },
    requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', atByte: 100 } }],
  } as const;

  test('tries the whole operation again when the network failed under it, however it was wrapped', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({ ...cutAlways, requests: [{ ...cutAlways.requests[0], on: { to: 2 } }] });
    const unpack = async (response: Response) => {
      try {
        return new Uint8Array(await response.arrayBuffer());
      } catch (cause) {
        throw new Error('unexpected end of archive', { cause });
      }
    };
    const numbers: number[] = [];
    const bytes = await retry(
      async ({ client, attemptNumber }) => {
        numbers.push(attemptNumber);
        return unpack(await client.fetch(run.url));
      },
      { client },
    );
    expect(sha256(bytes)).toBe(run.sha256);
    expect(numbers).toEqual([1, 2, 3]);
  });

  test('N attempts are N, never N times N, and one ledger holds them all', async () => {
    await using lab = await startLab();
    await using client = createClient({ ...quick, retry: { ...quick.retry, maxAttempts: 4 } });
    const run = lab.play({ name: 'down', requests: [{ on: 'every', do: { kind: 'cut', by: 'fin', at: 'request' } }] });
    const error = await retry(async ({ client }) => client.text(run.url), { client }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ reason: 'attempts-exhausted' });
    expect(run.requestCount).toBe(4);
    expect(ledgerOf(error as Error)!.hopCount).toBe(4);
  });

  test('shares its deadline with its requests', async () => {
    await using lab = await startLab();
    await using client = createClient({ ...quick, timeouts: { deadlineMs: 150 } });
    const run = lab.play({ name: 'silent', requests: [{ on: 'every', do: { kind: 'stall', at: 'headers' } }] });
    const startedAtMs = performance.now();
    const twice = retry(
      async ({ client }) => {
        await client.request(run.url, { deadlineMs: 100 }).catch(() => {});
        await client.request(run.url, { deadlineMs: 60_000 });
      },
      { client },
    );
    await expect(twice).rejects.toMatchObject({ code: 'ERR_REKNIT_DEADLINE' });
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  test('does not send a POST again that may have run, though its failure is transient', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({ name: 'post', requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'request' } }] });
    const order = retry(({ client }) => client.request(run.url, { method: 'POST', body: 'one' }), { client });
    await expect(order).rejects.toMatchObject({ reason: 'may-have-run' });
    expect(run.requestCount).toBe(1);
  });

  test('does not repeat a failure of the consumer', async () => {
    await using lab = await startLab();
    await using client = createClient(quick);
    const run = lab.play({ name: 'fine', resource: { sizeBytes: 100 } });
    const corrupt = async () => {
      await client.bytes(run.url);
      throw Object.assign(new Error('corrupt archive'), { code: 'Z_DATA_ERROR' });
    };
    await expect(retry(corrupt, { client })).rejects.toThrow('corrupt archive');
    expect(run.requestCount).toBe(1);
  });
});

describe('install', () => {
  test('leaves a call with its own dispatcher, and everything after uninstall, alone', async () => {
    await using lab = await startLab();
    const run = lab.play({ name: 'failing', requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'request' } }] });
    const before = globalThis.fetch;
    const uninstall = install(quick);
    expect((await fetch(run.url)).status).toBe(200);
    uninstall();
    expect(globalThis.fetch).toBe(before);
    const second = lab.play({ name: 'failing', requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'request' } }] });
    await expect(fetch(second.url)).rejects.toThrow('fetch failed');
  });

  test('does not limit the wait for an answer that could not be asked for again', async () => {
    await using lab = await startLab();
    const uninstall = install({ ...quick, timeouts: { headersMs: 100 } });
    try {
      const run = lab.play({ name: 'slow', requests: [{ on: 1, do: { kind: 'delay', delayMs: 500 } }] });
      expect((await fetch(run.url, { method: 'POST', body: 'x' })).status).toBe(200);
      expect(run.requestCount).toBe(1);
    } finally {
      uninstall();
    }
  });

  test('rejects in the platform’s own words where it always did', async () => {
    const uninstall = install(quick);
    try {
      await expect(fetch('/relative')).rejects.toThrow('Failed to parse URL');
      expect(await (await fetch('data:,hello')).text()).toBe('hello');
    } finally {
      uninstall();
    }
  });
});

describe('bad input gets one line: the field, what must hold, what came', () => {
  const rows: readonly (readonly [make: () => unknown, message: string])[] = [
    [
      () => createClient({ retry: { maxAttempts: 0 } }),
      'Cannot create a client as maxAttempts must be an integer >= 1: received 0',
    ],
    [
      () => createClient({ retry: { maxAttempts: 2.5 } }),
      'Cannot create a client as maxAttempts must be an integer >= 1: received 2.5',
    ],
    [
      () => createClient({ timeouts: { stallMs: -1 } }),
      'Cannot create a client as stallMs must be an integer >= 1: received -1',
    ],
    [
      () => createClient({ budget: { ratio: 20 } }),
      'Cannot create a client as ratio must be a number from 0 to 1: received 20',
    ],
    [
      () => createClient({ maxAttempts: 3 } as never),
      'Cannot create a client as there is no option maxAttempts: did you mean retry.maxAttempts?',
    ],
    [
      () => createClient({ retry: { retries: 3 } as never }),
      /^Cannot create a client as there is no option retry\.retries/ as never,
    ],
    [
      () => createClient({ proxy: 'socks5://x' }),
      'Cannot use the proxy as it must be an http or https URL: received "socks5://x"',
    ],
    [
      () => healing({ timeouts: { connectMs: '5s' as never } }),
      'Cannot create the interceptor as connectMs must be an integer >= 1: received "5s"',
    ],
    [
      () => createClient().request('ftp://x/y'),
      'Cannot send the request as url must be an absolute http or https URL: received "ftp://x/y"',
    ],
    [
      () => createClient().fetch('nonsense'),
      'Cannot send the request as url must be an absolute http or https URL: received "nonsense"',
    ],
    [
      () => createClient().request('http://x/', { deadlineMs: 0 }),
      'Cannot send the request as deadlineMs must be an integer from 1 to 2147483647: received 0',
    ],
    [
      () => createClient().request('http://x/', { idempotencyKey: 'a\nb' }),
      /^Cannot send the request as idempotencyKey must be/ as never,
    ],
  ];
  for (const [make, message] of rows) {
    test(String(message), async () => {
      const error = await (async () => make())().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isReknitError(error) && error.code).toBe('ERR_REKNIT_CONFIG');
      expect((error as Error).message).toMatch(message);
    });
  }
});
