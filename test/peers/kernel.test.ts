/**
 * Resets and silence that the kernel makes, as firewalls do, between a real nginx and the client: both live in a network
 * that the test makes for them. The rule of the resets is the one with which such firewalls are imitated in bug reports.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Ledger, ReknitEvent } from '../../src/http/index.ts';
import { jsonLines } from '../cli/command.ts';
import { sha256 } from '../wire/ways.ts';
import { until } from './daemon.ts';
import { createNamespace, hasNamespaces, type Namespace } from './namespace.ts';
import { configurationOf, nginxArguments, nginxProgram } from './nginx.ts';
import { alert } from './reading.ts';

const port = 8_080;
const url = `http://127.0.0.1:${port}/file.bin`;
const content = randomBytes(8_000_000);

const toServer = `OUTPUT -p tcp --dport ${port}`;
const reset = `${toServer} -j REJECT --reject-with tcp-reset`;
const resetAfterAMegabyte = `${toServer} -m connbytes --connbytes 1000000: --connbytes-dir reply --connbytes-mode bytes -j REJECT --reject-with tcp-reset`;
const silence = `OUTPUT -p tcp --sport ${port} -j DROP`;

/** Node.js 20 shows a reset that comes right behind the data as an orderly end (libuv #4997). */
const cut = expect.stringMatching(/^(reset|closed)$/);

const isPossible = nginxProgram !== undefined && (await hasNamespaces([reset, resetAfterAMegabyte, silence]));

const readBody = fileURLToPath(new URL('read-body.mjs', import.meta.url));
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

async function startNginx(namespace: Namespace, location: string): Promise<void> {
  const { folder } = namespace;
  await mkdir(join(folder, 'www'));
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'www/file.bin'), content);
  await writeFile(join(folder, 'nginx.conf'), configurationOf({ server: location, workers: 0 }, folder, port));
  const nginx = namespace.start(nginxProgram!, ...nginxArguments(folder));
  // Written when it listens.
  await until(() => {
    if (nginx.exitCode !== null) throw new Error(`nginx has ended with ${nginx.exitCode}`);
    return existsSync(join(folder, 'nginx.pid'));
  });
}

type Line = ReknitEvent | { readonly type: 'middle' } | ({ readonly type: 'result' } & Result);

interface Result {
  readonly sha256: string;
  readonly ledger: Ledger;
}

async function read(namespace: Namespace, onLine: (line: Line) => void): Promise<Result> {
  const child = namespace.start(process.execPath, readBody, url, JSON.stringify(alert));
  let result: Result | undefined;
  for await (const text of createInterface({ input: child.stdout! })) {
    const line = JSON.parse(text) as Line;
    if (line.type === 'result') result = line;
    else onLine(line);
  }
  return result!;
}

describe.skipIf(!isPossible)('a firewall', () => {
  test('that begins to reset in the middle of a body, and refuses until it stops: the body ends right', async () => {
    await using namespace = await createNamespace();
    await startNginx(namespace, 'location / { limit_rate 8m; }');
    let failureCount = 0;
    const result = await read(namespace, ({ type }) => {
      if (type === 'middle') namespace.iptables(`-A ${reset}`);
      if (type !== 'failure') return;
      failureCount += 1;
      if (failureCount === 3) namespace.iptables(`-D ${reset}`);
    });
    expect(result.sha256).toBe(sha256(content));
    expect(result.ledger.receivedBytes).toBe(content.length);
    const [first, second] = result.ledger.attempts;
    expect(first!.failure).toMatchObject({ kind: cut, phase: 'body' });
    expect(second!.failure).toMatchObject({ kind: 'refused', phase: 'connect', code: 'ECONNREFUSED' });
    expect(second!.hops).toEqual([]);
  });

  test('that swallows everything in the middle of a body: the silence is noticed, and the body ends right', async () => {
    await using namespace = await createNamespace();
    await startNginx(namespace, 'location / { limit_rate 8m; }');
    let failureCount = 0;
    const result = await read(namespace, ({ type }) => {
      if (type === 'middle') namespace.iptables(`-A ${silence}`);
      if (type !== 'failure') return;
      failureCount += 1;
      if (failureCount === 1) namespace.iptables(`-D ${silence}`);
    });
    expect(result.sha256).toBe(sha256(content));
    expect(result.ledger.receivedBytes).toBe(content.length);
    expect(result.ledger.attempts[0]!.failure).toMatchObject({ kind: 'stall', origin: 'clock', phase: 'body' });
  });

  test('that resets every connection after a megabyte: `reknit get` with two attempts ends right, byte for byte once', async () => {
    await using namespace = await createNamespace();
    await startNginx(namespace, '');
    namespace.iptables(`-A ${resetAfterAMegabyte}`);
    const file = join(namespace.folder, 'file.bin');
    const get = namespace.start(process.execPath, cli, 'get', url, '-o', file, '--json', '--max-attempts', '2');
    let stdout = '';
    get.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    const [code] = (await once(get, 'close')) as [number];
    expect(code).toBe(0);
    expect(sha256(await readFile(file))).toBe(sha256(content));
    const lines = jsonLines(stdout);
    expect(lines.at(-1)).toMatchObject({ event: 'done', bytes: content.length, refetchedBytes: 0, waitedMs: 0 });
    const failures = lines.filter(({ event }) => event === 'failure');
    expect(failures.length).toBeGreaterThanOrEqual(4);
    for (const failure of failures) expect(failure).toMatchObject({ kind: cut, phase: 'body' });
  });
});
