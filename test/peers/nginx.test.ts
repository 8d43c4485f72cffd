/** A real nginx: reloaded, stopped, killed and started again while its files are read. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/http/index.ts';
import { quick, sha256 } from '../wire/ways.ts';

const binary = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find((path) => existsSync(path));
if (binary === undefined) process.stderr.write('skipped: nginx is not installed (apt-get install nginx-light)\n');

const content = randomBytes(24 * 1024 * 1024);

class Nginx {
  readonly folder: string;
  readonly port: number;
  #process: ReturnType<typeof spawn> | undefined;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when the port answers. */
  async start(): Promise<void> {
    this.#process = spawn(binary!, ['-p', this.folder, '-c', join(this.folder, 'nginx.conf'), '-g', 'daemon off;'], {
      stdio: 'ignore',
    });
    while (
      !(await fetch(`${this.url}/small`).then(
        async (response) => response.text(),
        () => undefined,
      ))
    )
      await new Promise(setImmediate);
  }

  async signal(name: NodeJS.Signals): Promise<void> {
    process.kill(Number(await readFile(join(this.folder, 'nginx.pid'), 'utf8')), name);
  }

  async #workers(): Promise<readonly number[]> {
    const pid = (await readFile(join(this.folder, 'nginx.pid'), 'utf8')).trim();
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.trim().split(/\s+/).filter(Boolean).map(Number);
  }

  async signalWorkers(name: NodeJS.Signals): Promise<void> {
    for (const pid of await this.#workers()) process.kill(pid, name);
  }

  /** As a crash or the OOM killer would: no goodbye. */
  async kill(): Promise<void> {
    const ended = once(this.#process!, 'exit');
    const workers = await this.#workers();
    this.#process!.kill('SIGKILL');
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    await ended;
  }
}

let nginx: Nginx;

beforeAll(async () => {
  if (binary === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'reknit-nginx-'));
  const port = await freePort();
  await mkdir(join(folder, 'www'));
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'www/file.bin'), content);
  await writeFile(join(folder, 'www/small'), 'small');
  await writeFile(join(folder, 'nginx.conf'), configuration(folder, port));
  nginx = new Nginx(folder, port);
  await nginx.start();
});

afterAll(async () => {
  if (binary === undefined) return;
  await nginx.kill();
  await rm(nginx.folder, { recursive: true });
});

function configuration(folder: string, port: number): string {
  return `
pid ${folder}/nginx.pid;
error_log ${folder}/logs/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/www;
    location /file.bin { limit_rate 12m; }
  }
}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const patient = { ...quick, retry: { ...quick.retry, maxAttempts: 5_000 } };

describe.skipIf(binary === undefined)('nginx', () => {
  test('killed in the middle of a body and started again: the body ends right', async () => {
    await using client = createClient(patient);
    const { body, ledger } = await client.request(`${nginx.url}/file.bin`);
    const chunks: Buffer[] = [];
    let restarted: Promise<void> | undefined;
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      if (restarted === undefined && ledger.deliveredBytes > 4_000_000)
        restarted = nginx.kill().then(() => nginx.start());
    }
    await restarted;
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(content));
    expect(ledger.attemptCount).toBeGreaterThan(1);
    expect(ledger.integrity).toBe('length');
    expect(ledger.receivedBytes).toBe(content.length);
  });

  test('stopped by SIGSTOP in the middle of a body: the stall is noticed, and the body ends right', async () => {
    await using client = createClient(patient);
    const { body, ledger } = await client.request(`${nginx.url}/file.bin`, {
      onEvent: ({ type }) => {
        if (type === 'failure') void nginx.signalWorkers('SIGCONT');
      },
    });
    const chunks: Buffer[] = [];
    let isStopped = false;
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      if (!isStopped && ledger.deliveredBytes > 4_000_000) {
        isStopped = true;
        await nginx.signalWorkers('SIGSTOP');
      }
    }
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(content));
    expect(ledger.attempts[0]!.failure).toMatchObject({ kind: 'stall' });
  });

  test('reloaded ten times under load: no request fails', async () => {
    await using client = createClient({ ...patient, connections: { maxPerOrigin: 8 } });
    let isOver = false;
    let served = 0;
    const load = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        expect(await client.text(`${nginx.url}/small`)).toBe('small');
        served += 1;
      }
    });
    for (let reload = 1; reload <= 10; reload += 1) {
      await nginx.signal('SIGHUP');
      const until = served + 100;
      while (served < until) await new Promise(setImmediate);
    }
    isOver = true;
    await Promise.all(load);
    expect(served).toBeGreaterThanOrEqual(1_000);
  });
});
