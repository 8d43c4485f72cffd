/** What a mirror must not let through: other people's credentials, foreign hosts, two requests in one. */
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { openMirror, read } from './cached.ts';
import { startRegistry } from './registry.ts';

/** The answer's status to these bytes on a connection of their own. */
function raw(url: string, bytes: string): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => {
      socket.destroy();
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]));
    });
    socket.write(bytes);
  });
}

function statusFor(url: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.end();
  });
}

test('it is no open proxy: only paths of its origins are served, and nothing else is asked', async () => {
  await using server = await startRegistry((_request, response) => response.end('secret'));
  await using other = await startRegistry((_request, response) => response.end('other'));
  const upstreams = [`${server.url}/public`];
  await using one = await openMirror({
    origins: [
      { preset: 'generic', upstreams },
      { preset: 'pypi', upstreams },
    ],
  });
  const { host } = new URL(one.mirror.url);
  const refused = [
    `GET ${other.url}/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    `GET ${server.url}/private HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    `GET /generic/../private HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    `GET /generic/%2e%2e/private HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    `GET /generic/..%2fprivate HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    `GET /genericx/a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    `CONNECT ${new URL(other.url).host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `POST /generic/a HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET /pypi/simple/a/ HTTP/1.1\r\nHost: ${host}\r\nHost: other\r\nConnection: close\r\n\r\n`,
    `GET /pypi/simple/a/ HTTP/1.0\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ];
  for (const bytes of refused) {
    const status = await raw(one.mirror.url, bytes);
    expect([bytes, status >= 400 && status < 500]).toEqual([bytes, true]);
  }
  expect([...server.requests, ...other.requests]).toEqual([]);
});

test('a page in a browser cannot use it by a name of its own, nor act through it', async () => {
  await using server = await startRegistry((_request, response) => response.end('ok'));
  await using one = await openMirror({ origins: [{ preset: 'generic', upstreams: [server.url] }] });
  const url = one.mirror.urlFor('generic');
  expect(await statusFor(url, { host: 'evil.example' })).toBe(421);
  expect(await statusFor(url, { 'sec-fetch-site': 'cross-site' }, 'POST')).toBe(403);
  expect(await statusFor(url, { host: 'localhost:80' })).toBe(200);
  expect(server.requests).toHaveLength(1);
});

test('the credential of an upstream goes there and nowhere else, and is shown to nobody', async () => {
  await using files = await startRegistry((_request, response) => response.end('file'));
  await using index = await startRegistry((_request, response, { url }) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<a href="${files.url}/a-1.whl">a</a><a href="${url}/own/b-1.whl">b</a>`);
  });
  const upstream = `${index.url.replace('//', '//user:hunter2@')}/simple`;
  await using one = await openMirror({ origins: [{ preset: 'pypi', upstreams: [upstream] }] });
  const page = await read(`${one.mirror.urlFor('pypi')}a/`);
  const links = [...page.bytes.toString().matchAll(/href="([^"]+)"/g)].map((match) => match[1]!);
  for (const link of links) await read(link);
  const basic = `Basic ${Buffer.from('user:hunter2').toString('base64')}`;
  expect(index.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
    ['/simple/a/', basic],
    ['/own/b-1.whl', basic],
  ]);
  expect(files.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  const shown = [page.bytes.toString(), JSON.stringify([one.events, one.mirror.origins, one.mirror.status()])];
  for (const link of links) shown.push(Buffer.from(/~file\/([\w-]+)/.exec(link)![1]!, 'base64url').toString());
  for (const text of shown) expect(text).not.toContain('hunter2');
});

test('what a client proves itself with goes to the origin it is for, and not to the hosts that its index names', async () => {
  await using files = await startRegistry((_request, response) => response.end('file'));
  await using index = await startRegistry((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<a href="${files.url}/a-1.whl">a</a>`);
  });
  await using one = await openMirror({ origins: [{ preset: 'pypi', upstreams: [`${index.url}/simple`] }] });
  const headers = { authorization: 'Basic mine', cookie: 'a=b' };
  const page = await read(`${one.mirror.urlFor('pypi')}a/`, { headers });
  await read(/href="([^"]+)"/.exec(page.bytes.toString())![1]!, { headers });
  expect(index.requests[0]?.headers).toMatchObject(headers);
  expect([files.requests[0]?.headers.authorization, files.requests[0]?.headers.cookie]).toEqual([undefined, undefined]);
});

test('fields of one connection stop here, in both directions, and upstreams hear nothing of the client', async () => {
  await using server = await startRegistry((_request, response) => {
    response.writeHead(200, { connection: 'x-hop', 'x-hop': '1', 'x-end': '2', 'keep-alive': 'timeout=5' }).end('ok');
  });
  await using one = await openMirror({
    origins: [
      { preset: 'generic', upstreams: [server.url] },
      { preset: 'go', upstreams: [server.url] },
    ],
  });
  const headers = { te: 'trailers', 'x-forwarded-for': '10.0.0.1', 'proxy-authorization': 'Basic x', 'x-end': 'kept' };
  for (const url of [`${one.mirror.urlFor('generic')}a`, `${one.mirror.urlFor('go')}/m/@v/list`]) {
    const got = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      httpRequest(url, { headers, agent: false }, resolve).on('error', reject).end();
    });
    got.resume();
    expect([got.headers['x-hop'], got.headers['x-end']]).toEqual([undefined, '2']);
    const sent = server.requests.at(-1)!.headers;
    for (const name of ['te', 'proxy-authorization', 'x-forwarded-for', 'x-forwarded-host'])
      expect([name, sent[name]]).toEqual([name, undefined]);
    expect(sent.host).toBe(new URL(server.url).host);
  }
});

test('a POST passes once, whatever comes of it', async () => {
  await using server = await startRegistry((_request, response) => response.destroy());
  await using one = await openMirror({ origins: [{ preset: 'npm', upstreams: [server.url] }] });
  const got = await read(`${one.mirror.urlFor('npm')}-/npm/v1/security/audits/quick`, { method: 'POST', body: '{}' });
  expect([got.status, server.requests.length]).toEqual([502, 1]);
});
