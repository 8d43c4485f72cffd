/** What each kind of origin needs, as its tools ask for it. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { newFolder, openMirror, read } from './cached.ts';
import { readBody, seededBytes, sha256, sri, startRegistry } from './registry.ts';

const file = seededBytes('file', 20_000);
const wrong = seededBytes('wrong', 20_000);

test('npm: scoped names, abbreviated packuments, tarballs here and elsewhere, shasum where there is no integrity', async () => {
  await using elsewhere = await startRegistry((_request, response) => response.end(file));
  await using npm = await startRegistry(({ path, headers }, response, { url }) => {
    if (path.endsWith('.tgz')) return void response.end(file);
    const isShort = headers.accept?.includes('application/vnd.npm.install-v1+json') === true;
    response.writeHead(200, { 'content-type': isShort ? 'application/vnd.npm.install-v1+json' : 'application/json' });
    const dist = (tarball: string) => ({ tarball, integrity: sri(file), unpackedSize: 1 });
    const versions = {
      '1.0.0': { dist: dist(`${url}/@a/b/-/b-1.0.0.tgz`) },
      '2.0.0': { dist: dist(`${elsewhere.url}/b-2.0.0.tgz?x=1`) },
      '3.0.0': { dist: { tarball: `${url}/@a/b/-/b-3.0.0.tgz`, shasum: '0'.repeat(40) } },
    };
    response.end(JSON.stringify({ name: '@a/b', versions, 'dist-tags': { latest: '1.0.0' } }));
  });
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  const base = one.mirror.urlFor('npm');
  const short = await read(`${base}@a%2fb`, { headers: { accept: 'application/vnd.npm.install-v1+json; q=1.0' } });
  expect([short.status, short.headers.get('content-type')]).toEqual([200, 'application/vnd.npm.install-v1+json']);
  const { versions } = JSON.parse(short.bytes.toString()) as {
    versions: Record<string, { dist: { tarball: string; unpackedSize?: number } }>;
  };
  // What lock files rest on.
  expect(versions['1.0.0']!.dist).toEqual({
    tarball: `${base}@a/b/-/b-1.0.0.tgz`,
    integrity: sri(file),
    unpackedSize: 1,
  });
  for (const version of ['1.0.0', '2.0.0'])
    expect((await read(versions[version]!.dist.tarball)).bytes.equals(file)).toBe(true);
  expect((await read(versions['3.0.0']!.dist.tarball)).status).toBe(502);
  expect((await read(`${base}@a%2fb`)).headers.get('content-type')).toBe('application/json');
});

test('npm: with a lock file a tarball is proven although its packument was never asked for', async () => {
  await using npm = await startRegistry(({ path }, response, { url }) => {
    if (path.endsWith('.tgz')) return void response.end(wrong);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ versions: { '1.0.0': { dist: { tarball: `${url}/b/-/b-1.0.0.tgz`, integrity: sri(file) } } } }),
    );
  });
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  expect((await read(`${one.mirror.urlFor('npm')}b/-/b-1.0.0.tgz`)).status).toBe(502);
});

test('cargo: config.json leads crates to the mirror, and each is proven by the checksum that its index has', async () => {
  await using crates = await startRegistry(({ path }, response) => response.end(path.includes('/bad/') ? wrong : file));
  await using index = await startRegistry(({ path, headers }, response) => {
    if (path === '/config.json') response.end(JSON.stringify({ dl: `${crates.url}/crates`, api: 'https://crates.io' }));
    else if (headers['if-none-match'] === '"i"') response.writeHead(304, { etag: '"i"' }).end();
    else response.writeHead(200, { etag: '"i"' }).end('{"name":"serde","vers":"1.0.0"}');
  });
  await using one = await openMirror({ origins: [{ preset: 'cargo', upstreams: [index.url] }] });
  const base = one.mirror.urlFor('cargo').replace(/^sparse\+/, '');
  const config = JSON.parse((await read(`${base}config.json`)).bytes.toString()) as { dl: string; api: string };
  expect(config.api).toBe('https://crates.io');
  const crate = (name: string) =>
    config.dl
      .replace('{crate}', name)
      .replace('{version}', '1.0.0')
      .replace('{sha256-checksum}', sha256(file))
      .replace('{prefix}', 'se/rd')
      .replace('{lowerprefix}', 'se/rd');
  expect((await read(crate('serde'))).bytes.equals(file)).toBe(true);
  expect((await read(crate('bad'))).status).toBe(502);
  expect(crates.requests[0]?.path).toBe('/crates/serde/1.0.0/download');
  expect((await read(`${base}se/rd/serde`)).bytes.toString()).toContain('"serde"');
});

test('go: what the proxy answers passes, whether it is there or not', async () => {
  await using proxy = await startRegistry(({ path }, response) => {
    if (path.endsWith('.zip')) response.end(file);
    else response.writeHead(path.includes('gone') ? 410 : 200).end('v1.0.0\n');
  });
  await using one = await openMirror({ origins: [{ preset: 'go', upstreams: [proxy.url] }] });
  const base = one.mirror.urlFor('go');
  expect((await read(`${base}/example.com/!m/@v/v1.0.0.zip`)).bytes.equals(file)).toBe(true);
  expect((await read(`${base}/example.com/m/@v/list`)).bytes.toString()).toBe('v1.0.0\n');
  expect((await read(`${base}/example.com/gone/@latest`)).status).toBe(410);
});

test('apt: indexes are proven by Release, packages by the lists that were asked for, and names by themselves', async () => {
  const packages = `Package: a\nFilename: pool/a.deb\nSHA256: ${sha256(file)}\n\nPackage: b\nFilename: ./pool/b.deb\nSHA256: ${sha256(file)}\n`;
  const list = gzipSync(packages);
  const folder = '/dists/stable/main/binary-amd64';
  const release = `-----BEGIN PGP SIGNED MESSAGE-----\nSuite: stable\nMD5Sum:\n 00 1 x\nSHA256:\n ${sha256(list)} ${list.length} main/binary-amd64/Packages.gz\n ${sha256('x')} 1 main/binary-amd64/Packages\n`;
  await using server = await startRegistry(({ path }, response) => {
    if (path === '/dists/stable/InRelease') response.end(release);
    else if (path === `${folder}/Packages.gz` || path === `${folder}/by-hash/SHA256/${sha256(list)}`)
      response.end(list);
    else response.end(path === '/pool/a.deb' ? file : wrong);
  });
  await using one = await openMirror({ origins: [{ preset: 'apt', upstreams: [server.url] }] });
  const base = one.mirror.urlFor('apt').replace(/\/$/, '');
  expect((await read(`${base}/dists/stable/InRelease`)).bytes.toString()).toBe(release);
  expect((await read(`${base}${folder}/Packages.gz`)).bytes.equals(list)).toBe(true);
  expect((await read(`${base}${folder}/by-hash/SHA256/${sha256(list)}`)).bytes.equals(list)).toBe(true);
  expect((await read(`${base}${folder}/Packages`)).status).toBe(502);
  expect((await read(`${base}${folder}/by-hash/SHA256/${sha256('y')}`)).status).toBe(502);
  expect((await read(`${base}/pool/a.deb`)).bytes.equals(file)).toBe(true);
  expect((await read(`${base}/pool/b.deb`)).status).toBe(502);
});

test('huggingface: files that are elsewhere come through the mirror, proven by the linked SHA-256', async () => {
  await using store = await startRegistry(({ path }, response) => response.end(path === '/good' ? file : wrong));
  await using hub = await startRegistry(({ path }, response) => {
    const isGood = path.includes('/good.bin');
    if (!path.includes('/resolve/')) return void response.end(`api ${path}`);
    response.writeHead(302, {
      location: `${store.url}/${isGood ? 'good' : 'bad'}`,
      'x-linked-etag': `"${sha256(file)}"`,
      'x-linked-size': String(file.length),
      'x-repo-commit': 'abc',
      'x-xet-hash': 'away',
    });
    response.end();
  });
  await using one = await openMirror({ origins: [{ preset: 'huggingface', upstreams: [hub.url] }] });
  const base = one.mirror.urlFor('huggingface');
  const { status, headers } = await read(`${base}/org/name/resolve/main/good.bin`, { method: 'HEAD' });
  const told = ['etag', 'content-length', 'x-repo-commit', 'location', 'x-xet-hash'].map((name) => headers.get(name));
  expect([status, ...told]).toEqual([200, `"${sha256(file)}"`, String(file.length), 'abc', null, null]);
  expect((await read(`${base}/org/name/resolve/main/good.bin`)).bytes.equals(file)).toBe(true);
  expect((await read(`${base}/org/name/resolve/main/bad.bin`)).status).toBe(502);
  expect((await read(`${base}/api/models/org/name`)).bytes.toString()).toBe('api /api/models/org/name');
});

test('generic: whatever the origin answers passes, and a body heals by its validator', async () => {
  await using server = await startRegistry(({ method, path, headers, body }, response) => {
    if (method === 'POST') response.writeHead(201).end(body);
    else if (headers.range !== undefined) {
      const at = Number(/\d+/.exec(headers.range)![0]);
      response
        .writeHead(206, { etag: '"g"', 'content-range': `bytes ${at}-${file.length - 1}/${file.length}` })
        .end(file.subarray(at));
    } else {
      response.writeHead(200, { etag: '"g"', 'content-length': file.length });
      response.write(file.subarray(0, 10_000), () => response.destroy());
    }
    void path;
  });
  await using one = await openMirror({ origins: [{ preset: 'generic', upstreams: [server.url] }] });
  const got = await readBody(await fetch(`${one.mirror.urlFor('generic')}a?b=c`));
  expect([got.error, got.bytes.equals(file), server.requests[0]?.path]).toEqual([undefined, true, '/a?b=c']);
  const posted = await read(`${one.mirror.urlFor('generic')}a`, { method: 'POST', body: 'hello' });
  expect([posted.status, posted.bytes.toString()]).toEqual([201, 'hello']);
});

test('an index that cannot be read, or is not there, is told as such', async () => {
  await using npm = await startRegistry(({ path }, response) => {
    response
      .writeHead(path === '/none' ? 404 : 200, { 'content-type': 'application/json' })
      .end('{"error":"Not found"');
  });
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [npm.url] }] });
  expect((await read(`${one.mirror.urlFor('npm')}none`)).status).toBe(404);
  expect((await read(`${one.mirror.urlFor('npm')}torn`)).status).toBe(502);
});

test('answers that a cache may share are shared by all origins of a mirror, each by its own name', async () => {
  await using folder = await newFolder();
  await using a = await startRegistry((_request, response) =>
    response.writeHead(200, { 'cache-control': 'max-age=60' }).end('a'),
  );
  await using b = await startRegistry((_request, response) =>
    response.writeHead(200, { 'cache-control': 'max-age=60' }).end('b'),
  );
  await using one = await openMirror({
    origins: [
      { preset: 'go', name: 'one', upstreams: [a.url] },
      { preset: 'go', name: 'two', upstreams: [b.url] },
    ],
    cacheDirectory: folder.path,
  });
  for (let n = 0; n < 2; n += 1) {
    expect((await read(`${one.mirror.urlFor('one')}/m/@v/list`)).bytes.toString()).toBe('a');
    expect((await read(`${one.mirror.urlFor('two')}/m/@v/list`)).bytes.toString()).toBe('b');
  }
});

test('a refusal of an origin reaches the tool as it is, and what one copy lacks the other may have', async () => {
  await using lacks = await startRegistry(({ path }, response) => {
    if (path.includes('login')) response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end('who are you');
    else response.writeHead(path.includes('forbidden') ? 403 : 404).end('no');
  });
  await using has = await startRegistry(({ path }, response) => {
    response.writeHead(path.includes('nowhere') ? 404 : 200).end('here');
  });
  await using single = await openMirror({
    origins: [
      { preset: 'go', upstreams: [lacks.url] },
      { preset: 'git', upstreams: [lacks.url] },
    ],
  });
  for (const base of [`${single.mirror.urlFor('go')}/m/@v/`, `${single.mirror.urlFor('git')}r/`]) {
    const login = await read(`${base}login`);
    expect([login.status, login.headers.get('www-authenticate'), login.bytes.toString()]).toEqual([
      401,
      'Basic realm="r"',
      'who are you',
    ]);
    expect((await read(`${base}forbidden`)).status).toBe(403);
  }
  const pack = await read(`${single.mirror.urlFor('git')}login/git-upload-pack`, { method: 'POST', body: 'x' });
  expect([pack.status, pack.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="r"']);
  await using both = await openMirror({
    origins: [{ preset: 'go', upstreams: [lacks.url, has.url] }],
    retry: { baseDelayMs: 10 },
  });
  for (let n = 0; n < 4; n += 1)
    expect((await read(`${both.mirror.urlFor('go')}/m/@v/${n}`)).bytes.toString()).toBe('here');
  expect((await read(`${both.mirror.urlFor('go')}/m/@v/nowhere`)).status).toBe(404);
});

test('an index that was cut where nothing tells its end is not believed before it was seen twice', async () => {
  const page = '<a href="/a-1.whl">a</a><a href="/a-2.whl">b</a>';
  await using server = await startRegistry(({ path }, response, { count }) => {
    // The end of the connection is the end of the page: nobody can see that the first one is short.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-type': 'text/html', connection: 'close' });
    response.end(count(path) === 1 ? page.slice(0, 25) : page);
  });
  await using one = await openMirror({ origins: [{ preset: 'pypi', upstreams: [`${server.url}/simple`] }] });
  const got = await read(`${one.mirror.urlFor('pypi')}a/`);
  expect([got.status, got.bytes.toString().match(/<a /g)?.length, server.requests.length]).toEqual([200, 2, 3]);
});
