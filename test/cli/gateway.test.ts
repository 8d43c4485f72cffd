/** `reknit gateway` as an operator runs it. */

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { modelStream, startLab } from '../../src/lab/index.ts';
import { chat, contentOf, readAll, upstream } from '../gateway/gate.ts';
import { createFolder, type JsonLine, jsonLines, reknit, type Started, start } from './command.ts';

/** The first line of its stderr that is this event. */
async function untilEvent({ child }: Started, event: string): Promise<JsonLine> {
  let text = '';
  for await (const [chunk] of onData(child.stderr!)) {
    text += String(chunk);
    const line = jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)).find((one) => one.event === event);
    if (line !== undefined) return line;
  }
  throw new Error(`it ended without ${event}: ${text}`);
}

async function* onData(stream: NodeJS.ReadableStream) {
  while (true) yield await once(stream, 'data');
}

const base = { listen: '127.0.0.1:0', admin: '127.0.0.1:0' };

const here = 'listen: 127.0.0.1:0\nadmin: false\nupstreams: ["http://a"]\n';

test('--check says what is right, and names line and field of what is not', async () => {
  await using folder = await createFolder();
  await writeFile(folder.file('g.yaml'), 'listen: 127.0.0.1:0\nupstreams: [http://a, http://b]\n');
  const right = await reknit(['gateway', '--config', 'g.yaml', '--check'], { cwd: folder.path });
  expect([right.code, right.stderr]).toEqual([0, 'reknit: g.yaml is right: 1 pool, 2 upstreams, 1 route\n']);
  await writeFile(folder.file('g.yaml'), 'listen: 127.0.0.1:0\nupstreams:\n  - url: nowhere\n    weight: -1\n');
  const wrong = await reknit(['gateway', '--config', 'g.yaml'], { cwd: folder.path });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain(
    'reknit: g.yaml:3: upstreams[0].url must be an http or https URL: received "nowhere"\n',
  );
  await writeFile(
    folder.file('g.yaml'),
    'listen: 127.0.0.1:0\nupstreams:\n  - { url: "http://a", credential: { env: NOT_SET } }\n',
  );
  const missing = await reknit(['gateway', '--config', 'g.yaml', '--check'], { cwd: folder.path });
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('environment variable NOT_SET')]);
  await writeFile(folder.file('g.yaml'), `${here}log: { to: nowhere/access.log }\n`);
  const unwritable = await reknit(['gateway', '--config', 'g.yaml'], { cwd: folder.path });
  expect([unwritable.code, unwritable.stderr]).toEqual([
    2,
    expect.stringContaining('Cannot write the log to nowhere/access.log: ENOENT'),
  ]);
});

test('SIGTERM lets a running stream end, and nothing new begins', async () => {
  await using folder = await createFolder();
  await using lab = await startLab();
  const run = lab.play(modelStream({ name: 'slow', tokens: 20, tokenMs: 50 }), { port: 'own' });
  await writeFile(folder.file('g.json'), JSON.stringify({ ...base, upstreams: [upstream('slow', run)] }));
  const started = start(['gateway', '--config', 'g.json', '--json'], { cwd: folder.path });
  const { urls, adminUrl } = (await untilEvent(started, 'listening')) as unknown as {
    urls: string[];
    adminUrl: string;
  };
  expect((await fetch(`${adminUrl}/readyz`)).status).toBe(200);
  const response = await chat(urls[0]!);
  const reading = readAll(response);
  started.child.kill('SIGTERM');
  await untilEvent(started, 'draining');
  await expect(fetch(`${urls[0]}/x`)).rejects.toThrow();
  const { text, error } = await reading;
  expect([error, text]).toEqual([undefined, run.bytes().toString()]);
  const { code, stdout } = await started.ended;
  expect(code).toBe(0);
  expect(String(stdout)).toMatch(/"operation":"POST \/v1\/chat\/completions","outcome":"complete"/);
});

test('what does not end in time is told so in the words of its protocol', async () => {
  await using folder = await createFolder();
  await using lab = await startLab();
  const run = lab.play(modelStream({ name: 'stalled', trouble: { kind: 'stall', atToken: 3 } }), { port: 'own' });
  const config = { ...base, upstreams: [upstream('stalled', run)], drain: { timeout: '200ms' } };
  await writeFile(folder.file('g.json'), JSON.stringify(config));
  const started = start(['gateway', '--config', 'g.json', '--json'], { cwd: folder.path });
  const { urls } = (await untilEvent(started, 'listening')) as unknown as { urls: string[] };
  const response = await chat(urls[0]!);
  started.child.kill('SIGTERM');
  const { text, error } = await readAll(response);
  expect(contentOf(text)).toBe('t0 t1 t2 ');
  expect(text).toContain('gateway_shutting_down');
  expect(error).toBeInstanceOf(TypeError);
  expect((await started.ended).code).toBe(0);
});

test('SIGHUP takes a new configuration over, keeps connections and health, and the last good one where it is broken', async () => {
  await using folder = await createFolder();
  await using lab = await startLab();
  const runs = ['one', 'two'].map((name) => lab.play({ name, resource: { bodyText: name } }, { port: 'own' }));
  const pools = Object.fromEntries(
    runs.map((run) => [run.scenario.name, { upstreams: [upstream(run.scenario.name, run)] }]),
  );
  const write = (pool: string) =>
    writeFile(folder.file('g.json'), JSON.stringify({ ...base, pools, routes: [{ pool }] }));
  await write('one');
  const started = start(['gateway', '--config', 'g.json', '--json'], { cwd: folder.path });
  const { urls, adminUrl } = (await untilEvent(started, 'listening')) as unknown as {
    urls: string[];
    adminUrl: string;
  };
  const ask = async () => await (await fetch(`${urls[0]}/x`)).text();
  expect(await ask()).toBe('one');
  const tell = async (event: string) => {
    const told = untilEvent(started, event);
    started.child.kill('SIGHUP');
    await told;
  };
  await write('two');
  await tell('reloaded');
  expect(await ask()).toBe('two');
  await writeFile(folder.file('g.json'), '{"listen": 1}');
  await tell('reload-failed');
  expect(await ask()).toBe('two');
  expect(await (await fetch(`${adminUrl}/metrics`)).text()).toMatch(/^reknit_config_last_reload_failed 1$/m);
  await write('one');
  await tell('reloaded');
  expect(await ask()).toBe('one');
  expect(runs[0]!.record.connections).toHaveLength(1);
  const status = (await (await fetch(`${adminUrl}/pools`)).json()) as {
    generation: number;
    upstreams: { attempts: number }[];
  };
  expect([status.generation, status.upstreams.map(({ attempts }) => attempts)]).toEqual([3, [2, 2]]);
  started.child.kill('SIGTERM');
  expect((await started.ended).code).toBe(0);
});

test('a request on a kept connection is answered while the gateway drains, and its connection ends with it', async () => {
  await using folder = await createFolder();
  await using lab = await startLab();
  const run = lab.play({ name: 'well', resource: { bodyText: 'well' } }, { port: 'own' });
  await writeFile(
    folder.file('g.json'),
    JSON.stringify({ ...base, upstreams: [upstream('well', run)], drain: { announce: '5s' } }),
  );
  const started = start(['gateway', '--config', 'g.json', '--json'], { cwd: folder.path });
  const { urls, adminUrl } = (await untilEvent(started, 'listening')) as unknown as {
    urls: string[];
    adminUrl: string;
  };
  started.child.kill('SIGTERM');
  await untilEvent(started, 'draining');
  expect((await fetch(`${adminUrl}/readyz`)).status).toBe(503);
  const asking = httpRequest(`${urls[0]}/x`, { headers: { connection: 'keep-alive' } }).end();
  const [answer] = (await once(asking, 'response')) as [import('node:http').IncomingMessage];
  expect([answer.statusCode, answer.headers.connection]).toEqual([200, 'close']);
  answer.resume();
  started.child.kill('SIGTERM');
  expect((await started.ended).code).toBe(0);
});

test('it goes on serving when nobody reads its messages any more', async () => {
  await using folder = await createFolder();
  await using lab = await startLab();
  const run = lab.play({ name: 'well', resource: { bodyText: 'well' } }, { port: 'own' });
  await writeFile(folder.file('g.json'), JSON.stringify({ ...base, upstreams: [upstream('well', run)] }));
  const started = start(['gateway', '--config', 'g.json', '--json'], { cwd: folder.path });
  const { urls } = (await untilEvent(started, 'listening')) as unknown as { urls: string[] };
  started.child.stderr!.destroy();
  started.child.kill('SIGHUP');
  expect(await (await fetch(`${urls[0]}/x`)).text()).toBe('well');
  started.child.kill('SIGTERM');
  expect((await started.ended).code).toBe(0);
});
