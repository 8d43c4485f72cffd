/**
 * A real nginx as the cache in front of a package index, with the same upstream listed twice, as such caches do so that
 * nginx itself tries again. What it hides, what it passes on, and what it makes worse.
 */
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/http/index.ts';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder, reknit } from '../cli/command.ts';
import { sha256 } from '../wire/ways.ts';
import { type Nginx, nginxProgram, startNginx } from './nginx.ts';
import { patient } from './reading.ts';

const sizeBytes = 2_000_000;

interface Cache extends AsyncDisposable {
  readonly run: Run;
  readonly url: string;
  readonly nginx: Nginx;
}

/** The cache before a run of the lab. `bypass` asks past it for those who say `Cache-Control: no-cache`. */
async function startCache(lab: Lab, scenario: Scenario, bypass = ''): Promise<Cache> {
  const run = lab.play(scenario, { port: 'own' });
  const { host, pathname, search } = new URL(run.url);
  const nginx = await startNginx({
    http: `
      proxy_cache_path FOLDER/cache keys_zone=packages:1m;
      upstream index { server ${host} fail_timeout=1s; server ${host} fail_timeout=1s; }`,
    server: `
      location / {
        proxy_pass http://index;
        proxy_cache packages; proxy_cache_valid 200 1h; proxy_cache_lock on;
        proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504;
        proxy_read_timeout 300ms;
        ${bypass}
      }`,
  });
  const url = `${nginx.url}${pathname}${search}`;
  return { run, url, nginx, [Symbol.asyncDispose]: () => nginx[Symbol.asyncDispose]() };
}

describe.skipIf(nginxProgram === undefined)('nginx as the cache of a package index', () => {
  test('tries the upstream’s second entry by itself: the client sees one good answer', async () => {
    await using lab = await startLab();
    await using cache = await startCache(lab, {
      name: 'first-reset',
      resource: { sizeBytes },
      requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'request' } }],
    });
    await using client = createClient(patient);
    const { body, ledger } = await client.request(cache.url);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(cache.run.sha256);
    expect(ledger.hopCount).toBe(1);
    expect(cache.run.requestCount).toBe(2);
  });

  test('whose upstream is away longer than both entries: its 502s are waited out', async () => {
    await using lab = await startLab();
    await using cache = await startCache(lab, {
      name: 'away',
      resource: { sizeBytes },
      connections: [{ on: { to: 2 }, do: { kind: 'cut', by: 'rst' } }],
    });
    await using client = createClient(patient);
    const { body, ledger } = await client.request(cache.url);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(cache.run.sha256);
    expect(ledger.attempts[0]!.failure).toMatchObject({ kind: 'status', status: 502 });
    expect(await cache.nginx.logged()).toHaveLength(ledger.hopCount);
  });

  test('whose upstream dies in the middle of a body: the rest comes from the next try, and the cache then holds it whole', async () => {
    await using lab = await startLab();
    await using cache = await startCache(lab, {
      name: 'cut-under-the-cache',
      resource: { sizeBytes },
      requests: [{ on: { to: 2 }, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 700_000 } }],
    });
    await using client = createClient(patient);
    const { body, ledger } = await client.request(cache.url);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(cache.run.sha256);
    expect(ledger.attemptCount).toBe(3);
    expect(ledger.integrity).toBe('length');
    expect(sha256(await client.bytes(cache.url))).toBe(cache.run.sha256);
    expect(cache.run.requestCount).toBe(3);
    const logged = await cache.nginx.logged();
    expect(logged.map((request) => request.cache)).toEqual(['MISS', 'MISS', 'MISS', 'HIT']);
  });

  test('whose upstream stalls in the middle of a body: the same', async () => {
    await using lab = await startLab();
    await using cache = await startCache(lab, {
      name: 'stall-under-the-cache',
      resource: { sizeBytes },
      requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: 700_000 } }],
    });
    await using client = createClient(patient);
    const { body, ledger } = await client.request(cache.url);
    expect(sha256(new Uint8Array(await body.arrayBuffer()))).toBe(cache.run.sha256);
    expect(ledger).toMatchObject({ attemptCount: 2, hopCount: 2, integrity: 'length' });
  });

  /** A body that only the end of its connection ends: nginx cannot see the cut, keeps the half, and gives it a length. */
  const halfCached: Scenario = {
    name: 'half-cached',
    resource: { sizeBytes, framing: 'close' },
    requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: 700_000 } }],
  };

  test('that keeps a cut body as whole: `reknit get --checksum` asks past it and ends right', async () => {
    await using lab = await startLab();
    await using cache = await startCache(lab, halfCached, 'proxy_cache_bypass $http_cache_control;');
    await using client = createClient(patient);
    expect(await client.bytes(cache.url)).toHaveLength(700_000);
    await using folder = await createFolder();
    const checksum = `sha256:${cache.run.sha256}`;
    const { code } = await reknit(['get', cache.url, '-o', 'file.bin', '--checksum', checksum], { cwd: folder.path });
    expect(code).toBe(0);
    expect(await folder.sha256('file.bin')).toBe(cache.run.sha256);
    expect(cache.run.requestCount).toBe(2);
    expect((await cache.nginx.logged()).map((request) => request.cache)).toEqual(['MISS', 'HIT', 'BYPASS']);
  });

  test('that keeps a cut body as whole and cannot be asked past: exit 5, both digests, no file', async () => {
    await using lab = await startLab();
    await using cache = await startCache(lab, halfCached);
    await using client = createClient(patient);
    const half = await client.bytes(cache.url);
    await using folder = await createFolder();
    const checksum = `sha256:${cache.run.sha256}`;
    const get = ['get', cache.url, '-o', 'file.bin', '--checksum', checksum, '--retry-delay', '10ms'];
    const { code, stderr } = await reknit(get, { cwd: folder.path });
    expect(code).toBe(5);
    expect(stderr).toContain(cache.run.sha256);
    expect(stderr).toContain(sha256(half));
    await expect(folder.sha256('file.bin')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(cache.run.requestCount).toBe(1);
  });
});
