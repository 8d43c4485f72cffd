/** `reknit mirror` as a user runs it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { seededBytes, startRegistry } from '../mirror/registry.ts';
import { createFolder, type JsonLine, jsonLines, reknit, type Started, start } from './command.ts';

/** The first line of its stderr that is this event. */
async function untilEvent({ child }: Started, event: string): Promise<JsonLine> {
  let text = '';
  while (true) {
    const [chunk] = await once(child.stderr!, 'data');
    text += String(chunk);
    const line = jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)).find((one) => one.event === event);
    if (line !== undefined) return line;
  }
}

interface Listening {
  readonly url: string;
  readonly origins: readonly {
    readonly name: string;
    readonly url: string;
    readonly upstreams: readonly string[];
    readonly hints: readonly string[];
  }[];
  readonly cache: { readonly folder: string } | undefined;
}

const anywhere = ['--listen', '127.0.0.1:0'];

test('it says where it listens and how to point tools there, serves, keeps what may be kept, and ends with 0', async () => {
  await using folder = await createFolder();
  await using server = await startRegistry((_request, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60' }).end('v1.0.0\n');
  });
  for (const from of ['miss', 'hit']) {
    const started = start(
      ['mirror', `go=${server.url}`, `corp:pypi=${server.url}/simple`, '--cache', 'kept', '--json', ...anywhere],
      { cwd: folder.path },
    );
    const { origins, cache, url } = (await untilEvent(started, 'listening')) as unknown as Listening;
    expect(origins.map(({ name, url: place }) => [name, place])).toEqual([
      ['go', `${url}/go`],
      ['corp', `${url}/corp/simple/`],
    ]);
    expect(origins[1]?.hints.join('\n')).toContain(`PIP_INDEX_URL=${url}/corp/simple/`);
    expect(cache?.folder).toBe('kept');
    const response = await fetch(`${url}/go/m/@v/list`);
    expect([await response.text(), response.headers.get('x-reknit-cache')]).toEqual(['v1.0.0\n', from]);
    const status = (await (await fetch(`${url}/~status`)).json()) as {
      readonly origins: readonly { readonly name: string }[];
    };
    expect(status.origins.map(({ name }) => name)).toEqual(['go', 'corp']);
    started.child.kill('SIGTERM');
    expect((await started.ended).code).toBe(0);
  }
  expect(server.requests).toHaveLength(1);
});

test('SIGTERM lets a running download end, and nothing new begins', async () => {
  await using folder = await createFolder();
  const body = seededBytes('body', 3_000_000);
  let more: () => void = () => {};
  await using server = await startRegistry((_request, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, 1_000_000));
    more = () => response.end(body.subarray(1_000_000));
  });
  const started = start(['mirror', `go=${server.url}`, '--no-cache', '--json', ...anywhere], { cwd: folder.path });
  const { url } = (await untilEvent(started, 'listening')) as unknown as Listening;
  const response = await fetch(`${url}/go/m/@v/v1.zip`);
  started.child.kill('SIGTERM');
  await untilEvent(started, 'draining');
  await expect(fetch(`${url}/go/m/@v/list`)).rejects.toThrow();
  more();
  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  expect((await started.ended).code).toBe(0);
});

test('wrong usage is one line that says what must hold, and exit code 2', async () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /at least one origin must be given/],
    [['nothing=http://a'], /must be PRESET, PRESET=URL or NAME:PRESET=URL/],
    [['git'], /upstreams of git must be a list of at least one URL/],
    [['npm=ftp://a'], /an upstream of npm must be an http or https URL/],
    [['npm', 'npm'], /npm is an origin already/],
    [['npm', '--listen', 'here'], /--listen as it must be HOST:PORT/],
    [['npm', '--cache-size', 'much'], /--cache-size as it must be a size/],
    [['npm', '--upstream', 'pypi=http://a'], /--upstream as it must be NAME=URL of one of the origins/],
    [['npm=http://user:hunter2@', '--quiet'], /must be an http or https URL/],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await reknit(['mirror', ...args]);
    expect([args, code, stderr]).toEqual([args, 2, expect.stringMatching(message)]);
    expect(stderr.split('\n').length).toBe(2);
    expect(stderr).not.toContain('hunter2');
  }
});

test('an address that is taken, and a folder that cannot be used, are trouble of this machine', async () => {
  await using folder = await createFolder();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const taken = await reknit(['mirror', 'npm', '--no-cache', '--listen', `127.0.0.1:${port}`], { cwd: folder.path });
  server.close();
  expect([taken.code, taken.stderr]).toEqual([6, expect.stringContaining('--listen HOST:PORT names another address')]);
  const folderless = await reknit(['mirror', 'npm', '--cache', '/dev/null/x', ...anywhere], { cwd: folder.path });
  expect([folderless.code, folderless.stderr]).toEqual([
    6,
    expect.stringContaining('Cannot keep answers in /dev/null/x'),
  ]);
});

test('an address that others can reach is said to be one', async () => {
  const started = start(['mirror', 'npm', '--no-cache', '--listen', '0.0.0.0:0']);
  while (true) {
    const [chunk] = await once(started.child.stderr!, 'data');
    if (String(chunk).includes('whoever reaches it can use the mirror')) break;
  }
  started.child.kill('SIGINT');
  expect((await started.ended).code).toBe(0);
});
