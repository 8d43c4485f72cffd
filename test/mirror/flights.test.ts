import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startFront } from '../../src/lab/index.ts';
import { newFolder, openMirror, read } from './cached.ts';
import { readBody, seededBytes, sri, startRegistry } from './registry.ts';

const tarball = seededBytes('tarball', 6_000_000);

/** A registry that answers a tarball as `give` does; its packument is right. */
async function startNpm(
  give: (response: ServerResponse, n: number, range: string | undefined) => void,
  bytes = tarball,
) {
  let n = 0;
  return await startRegistry(({ path, headers }, response, { url }) => {
    if (path === '/p') {
      const dist = { tarball: `${url}/p/-/p-1.0.0.tgz`, integrity: sri(bytes) };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ name: 'p', versions: { '1.0.0': { dist } } }));
    } else {
      n += 1;
      give(response, n, headers.range);
    }
  });
}

const path = 'p/-/p-1.0.0.tgz';

test('many who ask at once get one fetch, and whoever comes late begins at the first byte', async () => {
  let more: () => void = () => {};
  await using npm = await startNpm((response) => {
    response.writeHead(200, { 'content-length': tarball.length });
    response.write(tarball.subarray(0, 3_000_000));
    more = () => response.end(tarball.subarray(3_000_000));
  });
  await using folder = await newFolder();
  await using one = await openMirror({
    origins: [{ preset: 'npm', upstreams: [npm.url] }],
    cacheDirectory: folder.path,
  });
  const url = one.mirror.urlFor('npm') + path;
  const early = [await fetch(url), await fetch(url), await fetch(url)];
  const reader = early[0]!.body!.getReader();
  for (let have = 0; have < 2_000_000; ) have += (await reader.read()).value!.length;
  const late = await fetch(url);
  expect(late.headers.get('x-reknit-cache')).toBe('joined');
  more();
  for (const response of [...early.slice(1), late]) expect((await readBody(response)).bytes.equals(tarball)).toBe(true);
  await reader.cancel();
  expect(npm.count(`/${path}`)).toBe(1);
});

test('a client that does not read holds nobody up, and one that leaves takes nobody along', async () => {
  await using npm = await startNpm((response) => response.end(tarball));
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  const url = new URL(one.mirror.urlFor('npm') + path);
  const idle = connect({ host: url.hostname, port: Number(url.port) });
  await once(idle, 'connect');
  idle.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
  await once(idle, 'readable');
  idle.pause();
  const leaving = await fetch(url);
  await leaving.body!.cancel();
  for (let n = 0; n < 2; n += 1) expect((await read(url.href)).bytes.equals(tarball)).toBe(true);
  idle.destroy();
});

test('when everybody has left, the upstream is left, too', async () => {
  let left: () => void = () => {};
  const hasLeft = new Promise<void>((resolve) => {
    left = resolve;
  });
  await using npm = await startNpm((response) => {
    response.on('close', left);
    response.writeHead(200, { 'content-length': tarball.length });
    response.write(tarball.subarray(0, 3_000_000));
  });
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  const both = [await fetch(one.mirror.urlFor('npm') + path), await fetch(one.mirror.urlFor('npm') + path)];
  for (const response of both) await response.body!.cancel();
  await hasLeft;
});

test('a body that is cut again and again comes whole, and nobody notices', async () => {
  const etag = '"one"';
  await using npm = await startNpm((response, _n, range) => {
    const [, from] = /^bytes=(\d+)-$/.exec(range ?? '') ?? [];
    const at = Number(from ?? 0);
    const head = { etag, 'content-length': tarball.length - at, 'accept-ranges': 'bytes' };
    if (from === undefined) response.writeHead(200, head);
    else response.writeHead(206, { ...head, 'content-range': `bytes ${at}-${tarball.length - 1}/${tarball.length}` });
    response.end(tarball.subarray(at));
  });
  const { port } = new URL(npm.url);
  const target = { host: '127.0.0.1', port: Number(port) };
  await using front = await startFront({
    target,
    rules: [{ on: 'every', do: { kind: 'cut', by: 'rst', atByte: 1_000_000 } }],
  });
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [front.url] }] });
  const both = await Promise.all([1, 2].map(() => read(one.mirror.urlFor('npm') + path)));
  for (const { bytes } of both) expect(bytes.equals(tarball)).toBe(true);
  expect(front.record.connections.filter(({ endedBy }) => endedBy === 'rst').length).toBeGreaterThan(4);
});

test('a short file that is wrong once is fetched again past caches, and only the right one is seen', async () => {
  const right = seededBytes('right', 50_000);
  await using npm = await startNpm(
    (response, n) => response.end(n === 1 ? seededBytes('wrong', 50_000) : right),
    right,
  );
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  const got = await read(one.mirror.urlFor('npm') + path);
  expect([got.status, got.bytes.equals(right)]).toEqual([200, true]);
  const asked = npm.requests.filter((request) => request.path === `/${path}`);
  expect(asked.map(({ headers }) => headers['cache-control'])).toEqual([undefined, 'no-cache']);
});

test('a long file that is wrong at its end is fetched again, and goes on where both are the same', async () => {
  const damaged = Buffer.from(tarball);
  damaged[tarball.length - 5_000]! ^= 1;
  await using npm = await startNpm((response, n) => response.end(n === 1 ? damaged : tarball));
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  expect((await read(one.mirror.urlFor('npm') + path)).bytes.equals(tarball)).toBe(true);
});

test('a long file that is wrong at its beginning is cut for whoever has read of it, and right the next time', async () => {
  const damaged = Buffer.from(tarball);
  damaged[100]! ^= 1;
  await using npm = await startNpm((response, n) => response.end(n === 1 ? damaged : tarball));
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  const first = await readBody(await fetch(one.mirror.urlFor('npm') + path));
  expect([first.error === undefined, first.bytes.length < tarball.length]).toEqual([false, true]);
  expect((await read(one.mirror.urlFor('npm') + path)).bytes.equals(tarball)).toBe(true);
});

test('a file that stays wrong is an error with both digests, short or long', async () => {
  const right = seededBytes('right', 50_000);
  await using npm = await startNpm((response) => response.end(seededBytes('wrong', 50_000)), right);
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  const got = await read(one.mirror.urlFor('npm') + path);
  expect([got.status, got.bytes.toString()]).toEqual([
    502,
    expect.stringMatching(/promises sha512=\w+, and sha512=\w+ came/),
  ]);
  expect(npm.count(`/${path}`)).toBe(2);
});

test('what one upstream breaks off, the other ends, under the proof of the digest', async () => {
  let broken = 0;
  await using good = await startNpm((response, _n, range) => {
    const at = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(
      at === 0 ? 200 : 206,
      at === 0 ? {} : { 'content-range': `bytes ${at}-${tarball.length - 1}/${tarball.length}` },
    );
    response.end(tarball.subarray(at));
  });
  await using bad = await startNpm((response) => {
    broken += 1;
    // No validator, and no range: the client below cannot go on here.
    response.writeHead(200, { 'content-length': tarball.length });
    response.write(tarball.subarray(0, 2_000_000), () => response.destroy());
  });
  const upstreams = [bad.url, good.url];
  await using one = await openMirror({
    origins: [{ preset: 'npm', upstreams }],
    retry: { maxAttempts: 2, baseDelayMs: 10 },
  });
  // Who is asked first is drawn: until the broken one was among them.
  for (let n = 0; n < 200 && broken === 0; n += 1)
    expect((await read(one.mirror.urlFor('npm') + path)).bytes.equals(tarball)).toBe(true);
  expect(broken).toBeGreaterThan(0);
});

test('ranges are served from what comes, and joined only with the same version', async () => {
  await using npm = await startNpm((response) =>
    response.writeHead(200, { etag: '"t"', 'content-length': tarball.length }).end(tarball),
  );
  await using folder = await newFolder();
  await using one = await openMirror({
    origins: [{ preset: 'npm', upstreams: [npm.url] }],
    cacheDirectory: folder.path,
  });
  const url = one.mirror.urlFor('npm') + path;
  const part = await read(url, { headers: { range: 'bytes=1000000-1999999' } });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 1000000-1999999/${tarball.length}`]);
  expect(part.bytes.equals(tarball.subarray(1_000_000, 2_000_000))).toBe(true);
  const tail = await read(url, { headers: { range: 'bytes=-10', 'if-range': '"t"' } });
  expect([tail.status, tail.bytes.equals(tarball.subarray(-10))]).toEqual([206, true]);
  expect((await read(url, { headers: { range: 'bytes=10-', 'if-range': '"other"' } })).status).toBe(200);
  expect((await read(url, { headers: { range: `bytes=${tarball.length}-` } })).status).toBe(416);
  expect((await read(url, { headers: { 'if-none-match': '"t"' } })).status).toBe(304);
});

test('who waits beside an answer that is for one client only gets an answer of its own', async () => {
  let give: () => void = () => {};
  let n = 0;
  await using server = await startRegistry((_request, response) => {
    n += 1;
    const text = `for number ${n}`;
    const answer = () => response.writeHead(200, { 'cache-control': 'private' }).end(text);
    if (n === 1) give = answer;
    else answer();
  });
  await using one = await openMirror({ origins: [{ preset: 'go', upstreams: [server.url] }] });
  const url = `${one.mirror.urlFor('go')}/m/@v/list`;
  const first = read(url);
  await expect.poll(() => server.requests.length).toBe(1);
  const second = read(url);
  await expect.poll(() => one.mirror.status().requestsInProgress).toBe(2);
  give();
  const texts = (await Promise.all([first, second])).map(({ bytes }) => bytes.toString());
  expect(texts).toEqual(['for number 1', 'for number 2']);
});
