import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newFolder, openMirror, read } from './cached.ts';
import { seededBytes, sri, startRegistry } from './registry.ts';

const small = seededBytes('small', 40_000);
const large = seededBytes('large', 3_000_000);

/** An npm registry of two packages; its packuments are fresh for as long as `lifetime` says. */
async function startNpm(lifetime: () => Record<string, string>) {
  return await startRegistry(({ path, headers }, response, { url }) => {
    const [, name] = /^\/(small|large)$/.exec(path) ?? [];
    if (name !== undefined) {
      const head = lifetime();
      if (head.etag !== undefined && headers['if-none-match'] === head.etag) {
        response.writeHead(304, head).end();
        return;
      }
      const dist = { tarball: `${url}/${name}/-/${name}-1.0.0.tgz`, integrity: sri(name === 'small' ? small : large) };
      response.writeHead(200, { 'content-type': 'application/json', ...head });
      response.end(JSON.stringify({ name, versions: { '1.0.0': { dist } } }));
    } else response.writeHead(200, { etag: '"1"' }).end(path.startsWith('/small') ? small : large);
  });
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

test('a tarball is fetched once, kept when it is proven, and served to a later process', async () => {
  await using folder = await newFolder();
  await using npm = await startNpm(() => ({ 'cache-control': 'max-age=300' }));
  const origins = [{ preset: 'npm', upstreams: [npm.url] }] as const;
  for (const [name, bytes] of [
    ['small', small],
    ['large', large],
  ] as const) {
    for (const from of ['miss', 'hit', 'hit']) {
      // Its close waits for what is being kept.
      await using first = await openMirror({ origins, cacheDirectory: folder.path });
      const got = await read(`${first.mirror.urlFor('npm')}${name}/-/${name}-1.0.0.tgz`);
      expect([name, got.from, got.status, got.bytes.equals(bytes)]).toEqual([name, from, 200, true]);
    }
    expect(npm.count(`/${name}/-/${name}-1.0.0.tgz`)).toBe(1);
  }
});

test('what is stale is asked for with its validator, and a 304 renews it', async () => {
  await using folder = await newFolder();
  await using npm = await startNpm(() => ({ 'cache-control': 'max-age=0', etag: '"v1"' }));
  await using one = await openMirror({
    origins: [{ preset: 'npm', upstreams: [npm.url] }],
    cacheDirectory: folder.path,
  });
  const url = `${one.mirror.urlFor('npm')}small`;
  const first = await read(url);
  await expect.poll(async () => (await read(url)).from).toBe('revalidated');
  const again = await read(url);
  expect([again.from, again.bytes.equals(first.bytes)]).toEqual(['revalidated', true]);
  expect(npm.requests.at(-1)?.headers['if-none-match']).toBe('"v1"');
});

test('what no index proves and nothing says to be fresh is asked for each time', async () => {
  await using folder = await newFolder();
  await using npm = await startNpm(() => ({ 'last-modified': 'Mon, 06 Jan 2020 00:00:00 GMT' }));
  await using one = await openMirror({
    origins: [{ preset: 'npm', upstreams: [npm.url] }],
    cacheDirectory: folder.path,
  });
  const url = `${one.mirror.urlFor('npm')}small`;
  for (let n = 1; n <= 3; n += 1) {
    await read(url);
    expect(npm.count('/small')).toBe(n);
  }
});

test('an old index serves while no upstream answers, if the user says so, and only then', async () => {
  await using folder = await newFolder();
  const npm = await startNpm(() => ({ 'cache-control': 'max-age=0', etag: '"v1"' }));
  const origins = [{ preset: 'npm', upstreams: [npm.url] }] as const;
  const retry = { maxAttempts: 1 };
  {
    await using one = await openMirror({ origins, cacheDirectory: folder.path, retry });
    expect((await read(`${one.mirror.urlFor('npm')}small`)).from).toBe('miss');
  }
  await npm[Symbol.asyncDispose]();
  {
    await using one = await openMirror({ origins, cacheDirectory: folder.path, retry });
    expect((await read(`${one.mirror.urlFor('npm')}small`)).status).toBe(502);
  }
  await using one = await openMirror({
    origins,
    cacheDirectory: folder.path,
    retry,
    staleIfErrorMs: 86_400_000,
  });
  const got = await read(`${one.mirror.urlFor('npm')}small`);
  expect([got.status, got.from]).toEqual([200, 'stale']);
});

test('no damage in the folder reaches a client: what does not agree with its digest is fetched again', async () => {
  await using folder = await newFolder();
  await using npm = await startNpm(() => ({ 'cache-control': 'max-age=300' }));
  const origins = [{ preset: 'npm', upstreams: [npm.url] }] as const;
  const damages: ((path: string) => Promise<void>)[] = [
    (path) => truncate(path, 10),
    (path) => writeFile(path, ''),
    async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(path, bytes);
    },
  ];
  for (const damage of damages) {
    for (const kind of ['bodies', 'entries']) {
      {
        await using fill = await openMirror({ origins, cacheDirectory: folder.path });
        for (const name of ['small', 'large']) await read(`${fill.mirror.urlFor('npm')}${name}/-/${name}-1.0.0.tgz`);
      }
      const all = await filesBelow(join(folder.path, 'v1', kind));
      const sizes = await Promise.all(all.map(async (path) => (await stat(path)).size));
      // The packuments stay: what they promise would hide that a damaged tarball was believed.
      const files = kind === 'entries' ? all : all.filter((_, index) => sizes[index]! >= small.length);
      expect(files.length).toBeGreaterThan(1);
      for (const path of files) await damage(path);
      await using one = await openMirror({ origins, cacheDirectory: folder.path });
      for (const [name, bytes] of [
        ['small', small],
        ['large', large],
      ] as const) {
        const got = await read(`${one.mirror.urlFor('npm')}${name}/-/${name}-1.0.0.tgz`);
        expect([kind, name, got.from, got.bytes.equals(bytes)]).toEqual([kind, name, 'miss', true]);
      }
    }
  }
});

test('a full cache gives up what was not used for longest', async () => {
  await using folder = await newFolder();
  await using files = await startRegistry(({ path }, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=600' }).end(seededBytes(path, 100_000));
  });
  const maxCacheBytes = 1_000_000;
  const origins = [{ preset: 'go', upstreams: [files.url] }] as const;
  {
    await using one = await openMirror({ origins, cacheDirectory: folder.path, maxCacheBytes });
    for (let n = 0; n < 30; n += 1) await read(`${one.mirror.urlFor('go')}/m/@v/v${n}.zip`);
  }
  // The second process counts what is there when it begins.
  await using one = await openMirror({ origins, cacheDirectory: folder.path, maxCacheBytes });
  await expect.poll(async () => (await filesBelow(join(folder.path, 'v1', 'bodies'))).length).toBeLessThanOrEqual(10);
  expect((await read(`${one.mirror.urlFor('go')}/m/@v/v29.zip`)).from).toBe('hit');
});

test('answers to credentials, private ones and those with cookies are kept for nobody', async () => {
  await using folder = await newFolder();
  let head: Record<string, string> = {};
  await using files = await startRegistry(({ headers }, response) => {
    response.writeHead(200, { ...head }).end(`for ${headers.authorization ?? 'all'}`);
  });
  await using one = await openMirror({
    origins: [{ preset: 'go', upstreams: [files.url] }],
    cacheDirectory: folder.path,
  });
  const url = `${one.mirror.urlFor('go')}/m/@v/list`;
  for (const own of [
    { 'cache-control': 'private, max-age=60' },
    { 'set-cookie': 'a=b' },
    { 'cache-control': 'no-store' },
  ]) {
    head = own;
    for (let n = 0; n < 2; n += 1) {
      const got = await read(url);
      expect([own, got.from, got.headers.get('set-cookie')]).toEqual([own, 'miss', null]);
    }
  }
  head = { 'cache-control': 'max-age=60' };
  const mine = await read(url, { headers: { authorization: 'Bearer mine' } });
  expect([mine.from, mine.bytes.toString()]).toEqual(['miss', 'for Bearer mine']);
  expect((await read(url)).bytes.toString()).toBe('for all');
  const other = await read(url, { headers: { authorization: 'Bearer other' } });
  expect(other.bytes.toString()).toBe('for Bearer other');
});
