import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Lab, type Scenario, startLab } from '../../../src/lab/index.ts';
import { openSession } from './http2-client.ts';

const plain: Scenario = { name: 'plain', protocol: 'h2', resource: { sizeBytes: 3_000_000 } };

function session(lab: Lab, url: string) {
  const opened = openSession(url, lab.ca);
  return { ...opened, [Symbol.dispose]: () => opened.session.destroy() };
}

test('a body of many windows comes whole over TLS, and the record says by what', async () => {
  await using lab = await startLab();
  const run = lab.play(plain);
  using client = session(lab, run.url);
  const { status, headers, body, ended } = await client.get(run.url);
  expect([status, ended, headers['content-length']]).toEqual([200, 'end', '3000000']);
  expect(body.equals(run.bytes())).toBe(true);
  await run.untilAnswered(1);
  expect(run.record.requests).toMatchObject([
    { n: 1, httpVersion: 'HTTP/2', answered: { complete: true, endedBy: 'complete', bodyBytesSent: 3_000_000 } },
  ]);
});

test('HTTP/2 in the clear is spoken to who opens with its preface', async () => {
  await using lab = await startLab({ http2: true });
  const run = lab.play({ name: 'clear', resource: { sizeBytes: 1000 } });
  using client = session(lab, run.url);
  expect((await client.get(run.url)).body.equals(run.bytes())).toBe(true);
  const byHttp1 = await (await fetch(run.url)).arrayBuffer();
  expect(Buffer.from(byHttp1).equals(run.bytes())).toBe(true);
  expect(run.record.requests.map(({ httpVersion }) => httpVersion)).toEqual(['HTTP/2', 'HTTP/1.1']);
});

test('ranges, validators and refusals mean what they mean over HTTP/1.1', async () => {
  await using lab = await startLab();
  const run = lab.play({ ...plain, resource: { sizeBytes: 1000 }, changes: [{ fromRequest: 4 }] });
  using client = session(lab, run.url);
  const etag = run.versions[0]!.etag!;
  const part = await client.get(run.url, { range: 'bytes=900-', 'if-range': etag });
  expect([part.status, part.headers['content-range'], part.headers.etag]).toEqual([206, 'bytes 900-999/1000', etag]);
  expect(part.body.equals(run.bytes().subarray(900))).toBe(true);
  expect((await client.get(run.url, { range: 'bytes=1000-' })).status).toBe(416);
  expect((await client.get(run.url, { 'if-none-match': etag })).status).toBe(304);
  const changed = await client.get(run.url, { range: 'bytes=900-', 'if-range': etag });
  expect([changed.status, changed.body.equals(run.versions[1]!.bytes())]).toEqual([200, true]);
  expect(run.record.connections.length).toBe(1);
});

test('header fields come back as they were sent, whatever their letters', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'fields', protocol: 'h2', resource: { sizeBytes: 1 } });
  using client = session(lab, run.url);
  const visible = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
  const upper = Array.from({ length: 128 }, (_, index) => String.fromCharCode(128 + index)).join('');
  for (const value of [`x${visible}x`, upper, 'a'.repeat(5000), 'k1']) {
    // Twice: the second time from the dynamic table.
    for (let count = 0; count < 2; count += 1) await client.get(run.url, { 'x-odd': value, 'x-other': 'k1' });
  }
  const seen = run.record.requests.map(({ headers }) => headers['x-odd']);
  const twice = (value: string) => [value, value];
  expect(seen).toEqual([...twice(`x${visible}x`), ...twice(upper), ...twice('a'.repeat(5000)), ...twice('k1')]);
  expect(run.record.requests[0]!.headers.host).toBe(new URL(run.url).host);
});

test('an upload is read to its end, and its effect is written down', async () => {
  await using lab = await startLab();
  const run = lab.play(plain);
  using client = session(lab, run.url);
  const sent = randomBytes(2_500_000);
  const sha256 = createHash('sha256').update(sent).digest('hex');
  const { body } = await client.get(run.url, {}, 'POST', sent);
  expect(JSON.parse(body.toString())).toEqual({ method: 'POST', bytes: 2_500_000, sha256 });
  expect(run.record.effects).toEqual([{ requestNumber: 1, method: 'POST', bytes: 2_500_000, sha256 }]);
});

test('streams of one connection are served side by side', async () => {
  await using lab = await startLab();
  const run = lab.play({
    ...plain,
    requests: [{ on: 1, do: { kind: 'gate', name: 'later' } }],
  });
  using client = session(lab, run.url);
  const first = client.get(run.url);
  await run.untilGate('later');
  expect((await client.get(run.url)).body.length).toBe(3_000_000);
  run.open('later');
  expect((await first).body.length).toBe(3_000_000);
  expect(run.record.connections).toMatchObject([{ requestCount: 2 }]);
});

test('a reader that does not read stops the lab, and only its own stream', async () => {
  await using lab = await startLab();
  const run = lab.play({ ...plain, resource: { sizeBytes: 3_000_000 } });
  using client = session(lab, run.url);
  const { pathname, search } = new URL(run.url);
  const idle = client.session.request({ ':path': `${pathname}${search}` });
  idle.on('error', () => {});
  await run.until(({ requests }) => (requests[0]?.answered.bodyBytesSent ?? 0) > 0);
  client.session.setLocalWindowSize(2 ** 24);
  expect((await client.get(run.url)).body.length).toBe(3_000_000);
  expect(run.record.requests[0]!.answered.bodyBytesSent).toBeLessThanOrEqual(65_535);
  idle.close(8);
  expect((await run.untilAnswered(1)).answered.endedBy).toBe('client');
});

test('the pages of the lab speak HTTP/2 as well', async () => {
  await using lab = await startLab({ http2: true });
  using client = session(lab, lab.origin);
  expect((await client.get(`${lab.origin}/`)).status).toBe(200);
  expect((await client.get(`${lab.origin}/record?run=none`)).status).toBe(404);
});
