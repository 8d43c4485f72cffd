import { expect, test } from 'vitest';
import { createMirror } from '../../src/mirror/index.ts';
import { readBody, seededBytes, sha256, startRegistry } from './registry.ts';

const wheel = seededBytes('wheel', 300_000);
const large = seededBytes('large', 3_000_000);
const jsonType = 'application/vnd.pypi.simple.v1+json';

/** An index whose files are on another host, as those of pypi.org are. */
async function startIndex(files: string) {
  return await startRegistry(({ path, headers }, response) => {
    if (path !== '/simple/foo/') {
      response.writeHead(404).end('no');
      return;
    }
    if (headers.accept?.includes(jsonType) === true) {
      response.writeHead(200, { 'content-type': jsonType });
      const file = { filename: 'foo-1.0-py3-none-any.whl', url: `${files}/foo-1.0-py3-none-any.whl`, yanked: false };
      const json = {
        meta: { 'api-version': '1.1' },
        name: 'foo',
        files: [
          { ...file, hashes: { sha256: sha256(wheel) }, size: 300_000 },
          { filename: 'foo-2.0.tar.gz', url: `${files}/foo-2.0.tar.gz`, hashes: { sha256: sha256(large) } },
        ],
      };
      response.end(JSON.stringify(json));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!DOCTYPE html><html><body><!-- <a href="not-a-link">x</a> -->
<a href="${files}/foo-1.0-py3-none-any.whl#sha256=${sha256(wheel)}" data-requires-python="&gt;=3.7" data-core-metadata="sha256=${sha256('meta')}">foo</a>
<A HREF='${files}/foo-2.0.tar.gz#sha256=${sha256(large)}' data-yanked="bad &amp; old">large</A>
<a href="${files}/wrong-1.0.tar.gz#sha256=${sha256('something else')}">wrong</a>
</body></html>`);
  });
}

async function startFiles() {
  return await startRegistry(({ path }, response) => {
    if (path === '/foo-1.0-py3-none-any.whl') response.end(wheel);
    else if (path === '/foo-1.0-py3-none-any.whl.metadata') response.end('meta');
    else if (path.startsWith('/foo-2.0')) response.end(large);
    else response.end(seededBytes('wrong', 2_000_000));
  });
}

async function linksOf(url: string): Promise<{ readonly text: string; readonly links: readonly string[] }> {
  const text = await (await fetch(url)).text();
  return {
    text,
    links: [...text.matchAll(/href="([^"]+)"/gi)].map((match) => match[1]!).filter((link) => link !== 'not-a-link'),
  };
}

test('the links of a simple index lead to the mirror, and all else on the page stays as it was', async () => {
  await using files = await startFiles();
  await using index = await startIndex(files.url);
  await using mirror = await createMirror({ origins: [{ preset: 'pypi', upstreams: [`${index.url}/simple/`] }] });
  const { text, links } = await linksOf(`${mirror.urlFor('pypi')}foo/`);
  expect(links).toHaveLength(3);
  for (const link of links) expect(link.startsWith(`${mirror.url}/pypi/`)).toBe(true);
  expect(links[0]).toMatch(new RegExp(`/foo-1.0-py3-none-any.whl#sha256=${sha256(wheel)}$`));
  expect(text).toContain('<!-- <a href="not-a-link">x</a> -->');
  expect(text).toContain(`data-requires-python="&gt;=3.7" data-core-metadata="sha256=${sha256('meta')}"`);
  expect(text).toContain('data-yanked="bad &amp; old">large</A>');
  expect(text).not.toContain(files.url);
});

test('a wheel, its metadata and a large file come whole, from the host that the index named', async () => {
  await using files = await startFiles();
  await using index = await startIndex(files.url);
  await using mirror = await createMirror({ origins: [{ preset: 'pypi', upstreams: [`${index.url}/simple`] }] });
  const { links } = await linksOf(`${mirror.urlFor('pypi')}foo/`);
  const [foo = '', big = ''] = links.map((link) => link.replace(/#.*/, ''));
  expect((await readBody(await fetch(foo))).bytes.equals(wheel)).toBe(true);
  expect((await readBody(await fetch(`${foo}.metadata`))).bytes.toString()).toBe('meta');
  expect((await readBody(await fetch(big))).bytes.equals(large)).toBe(true);
});

test('the JSON form is rewritten alike, and its hashes are kept', async () => {
  await using files = await startFiles();
  await using index = await startIndex(files.url);
  await using mirror = await createMirror({ origins: [{ preset: 'pypi', upstreams: [`${index.url}/simple/`] }] });
  const response = await fetch(`${mirror.urlFor('pypi')}foo/`, { headers: { accept: jsonType } });
  expect(response.headers.get('content-type')).toBe(jsonType);
  const { files: named, meta } = (await response.json()) as {
    files: { url: string; hashes: object; size: number }[];
    meta: object;
  };
  expect(meta).toEqual({ 'api-version': '1.1' });
  expect(named[0]).toEqual(
    expect.objectContaining({ hashes: { sha256: sha256(wheel) }, size: 300_000, yanked: false }),
  );
  expect((await readBody(await fetch(named[0]!.url))).bytes.equals(wheel)).toBe(true);
});

test('a file that is not what the index promises is never received whole', async () => {
  await using files = await startFiles();
  await using index = await startIndex(files.url);
  await using mirror = await createMirror({ origins: [{ preset: 'pypi', upstreams: [`${index.url}/simple/`] }] });
  const { links } = await linksOf(`${mirror.urlFor('pypi')}foo/`);
  const { bytes, error } = await readBody(await fetch(links[2]!));
  expect(error).toBeDefined();
  expect(bytes.length).toBeLessThan(2_000_000);
});

test('nobody can make the mirror fetch what no index has named', async () => {
  await using files = await startFiles();
  await using index = await startIndex(files.url);
  await using mirror = await createMirror({ origins: [{ preset: 'pypi', upstreams: [`${index.url}/simple/`] }] });
  const { links } = await linksOf(`${mirror.urlFor('pypi')}foo/`);
  const [, token = ''] = /~file\/([^/]+)/.exec(links[0]!)!;
  const [payload = '', signature = ''] = token.split('.');
  const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('/foo-1.0', '/large-1.0')).toString(
    'base64url',
  );
  for (const path of [
    `/pypi/~file/${forged}.${signature}/x`,
    `/pypi/~file/${forged}/x`,
    `/pypi/~file/x`,
    `/${files.url}/x`,
  ]) {
    expect([path, (await fetch(mirror.url + path)).status]).toEqual([path, 404]);
  }
  expect(files.requests).toEqual([]);
});

test('a file whose host is dead, or breaks off, comes from where the other index has one of the same digest', async () => {
  await using files = await startFiles();
  const dead = await startFiles();
  await dead[Symbol.asyncDispose]();
  await using breaking = await startRegistry(({ headers }, response) => {
    if (headers.range !== undefined) return void response.writeHead(500).end();
    response.writeHead(200, { 'content-length': large.length });
    response.write(large.subarray(0, 2_000_000), () => response.destroy());
  });
  for (const first of [dead.url, breaking.url]) {
    await using index = await startIndex(first);
    await using other = await startIndex(files.url);
    await using mirror = await createMirror({
      origins: [{ preset: 'pypi', upstreams: [`${index.url}/simple/`, `${other.url}/simple/`] }],
      cacheDirectory: false,
      retry: { maxAttempts: 2, baseDelayMs: 10 },
    });
    const key = first.replace(/\W/g, '');
    let page = await linksOf(`${mirror.urlFor('pypi')}foo/`);
    // Whichever index was asked: the test is about the other one's files.
    const isFirst = (link: string) =>
      Buffer.from(/~file\/([\w-]+)/.exec(link)![1]!, 'base64url')
        .toString()
        .startsWith(first);
    for (let n = 0; n < 10 && !isFirst(page.links[1]!); n += 1) page = await linksOf(`${mirror.urlFor('pypi')}foo/`);
    expect([key, isFirst(page.links[1]!)]).toEqual([key, true]);
    const got = await readBody(await fetch(page.links[1]!.replace(/#.*/, '')));
    expect([key, got.error, got.bytes.equals(large)]).toEqual([key, undefined, true]);
  }
});
