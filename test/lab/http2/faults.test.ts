/** The lab's frames as node:http2 sees them: an independent reader of the same RFC. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import {
  type Fault,
  http2Codes,
  type Lab,
  type OddFrame,
  type Run,
  type Scenario,
  startLab,
} from '../../../src/lab/index.ts';
import { openSession, type SessionSeen, type StreamSeen } from './http2-client.ts';

const sizeBytes = 64_000;
const cutBytes = 16_000;

interface Played extends StreamSeen {
  readonly run: Run;
  readonly client: SessionSeen;
}

/** One GET of a scenario in which request 1 meets these faults. */
async function play(lab: Lab, faults: Fault | readonly Fault[], resource: Scenario['resource'] = {}): Promise<Played> {
  const run = lab.play({
    name: 'fault',
    protocol: 'h2',
    resource: { sizeBytes, ...resource },
    requests: [{ on: 1, do: faults }],
  });
  const client = openSession(run.url, lab.ca);
  const seen = await client.get(run.url);
  client.session.destroy();
  await run.untilAnswered(1);
  return { ...seen, run, client };
}

const answeredOf = ({ run }: Played) => run.record.requests[0]!.answered;

for (const [number, code] of http2Codes.entries()) {
  test(`RST_STREAM ${code} at a byte of the body`, async () => {
    await using lab = await startLab();
    const seen = await play(lab, { kind: 'rst-stream', code, atByte: cutBytes });
    expect([seen.status, seen.headers['content-length'], seen.rstCode]).toEqual([200, String(sizeBytes), number]);
    expect(seen.body.equals(seen.run.bytes().subarray(0, seen.body.length))).toBe(true);
    expect(answeredOf(seen)).toMatchObject({ endedBy: 'rst-stream', complete: false, bodyBytesSent: cutBytes });
    // node:http2 takes NO_ERROR and CANCEL for an end (nodejs/node #35209).
    expect(seen.ended === 'end').toBe(code === 'NO_ERROR' || code === 'CANCEL');
  });
}

test('a stream is refused before any header, and the connection goes on', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'refused',
    protocol: 'h2',
    resource: { sizeBytes },
    requests: [{ on: 1, do: { kind: 'rst-stream', code: 'REFUSED_STREAM', at: 'request' } }],
  });
  const client = openSession(run.url, lab.ca);
  expect(await client.get(run.url)).toMatchObject({ status: 0, rstCode: 7, ended: 'ERR_HTTP2_STREAM_ERROR' });
  expect(await client.get(run.url)).toMatchObject({ status: 200, ended: 'end' });
  expect(run.record.connections).toMatchObject([{ requestCount: 2 }]);
  client.session.destroy();
});

test('RST_STREAM behind the last byte leaves the stream without its end', async () => {
  await using lab = await startLab();
  const seen = await play(lab, { kind: 'rst-stream', code: 'INTERNAL_ERROR', at: 'end' });
  expect([seen.rstCode, seen.ended]).toEqual([2, 'ERR_HTTP2_STREAM_ERROR']);
  expect(answeredOf(seen)).toMatchObject({ endedBy: 'rst-stream', bodyBytesSent: sizeBytes });
});

test('a code that nobody has named is sent as it is', async () => {
  await using lab = await startLab();
  expect((await play(lab, { kind: 'rst-stream', code: 0xbeef })).rstCode).toBe(0xbeef);
});

test('GOAWAY below the stream drops it: the client may send it again', async () => {
  await using lab = await startLab();
  const seen = await play(lab, { kind: 'goaway', code: 'NO_ERROR', covers: 'earlier', at: 'request' });
  expect(seen).toMatchObject({ status: 0, rstCode: 7, client: { goaways: ['0 0'] } });
  expect(answeredOf(seen).endedBy).toBe('goaway');
});

test('GOAWAY at the stream lets it end, and the connection ends behind it', async () => {
  await using lab = await startLab();
  const seen = await play(lab, { kind: 'goaway', code: 'NO_ERROR', covers: 'this', atByte: cutBytes });
  expect(seen).toMatchObject({ ended: 'end', client: { goaways: ['0 1'] } });
  expect(seen.body.equals(seen.run.bytes())).toBe(true);
  expect(answeredOf(seen).complete).toBe(true);
  await seen.run.untilIdle();
});

test('GOAWAY with ENHANCE_YOUR_CALM', async () => {
  await using lab = await startLab();
  const seen = await play(lab, { kind: 'goaway', code: 'ENHANCE_YOUR_CALM', covers: 'earlier', at: 'request' });
  expect(seen.client.goaways).toEqual(['11 0']);
});

test('END_STREAM too early is noticed by content-length, and by nothing else', async () => {
  await using lab = await startLab();
  const framed = await play(lab, { kind: 'end-stream', atByte: cutBytes });
  expect([framed.rstCode, framed.ended]).toEqual([1, 'ERR_HTTP2_STREAM_ERROR']);
  const unframed = await play(lab, { kind: 'end-stream', atByte: cutBytes }, { framing: 'close' });
  expect([unframed.headers['content-length'], unframed.ended, unframed.body.length]).toEqual([
    undefined,
    'end',
    cutBytes,
  ]);
  expect(answeredOf(unframed)).toMatchObject({ endedBy: 'end-stream', complete: false });
});

test('a content-length that is not met ends the stream all the same', async () => {
  await using lab = await startLab();
  const seen = await play(lab, { kind: 'wrong-length', byBytes: 1000 });
  expect([seen.headers['content-length'], seen.rstCode]).toEqual([String(sizeBytes + 1000), 1]);
  expect(answeredOf(seen)).toMatchObject({ endedBy: 'end-stream', complete: false });
});

test('an unknown frame changes nothing', async () => {
  await using lab = await startLab();
  const seen = await play(lab, { kind: 'odd-frame', which: 'unknown-type', atByte: cutBytes });
  expect([seen.ended, seen.body.equals(seen.run.bytes())]).toEqual(['end', true]);
});

test('a stall ends when the client leaves, and only that stream is silent', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'stall',
    protocol: 'h2',
    resource: { sizeBytes },
    requests: [{ on: 1, do: { kind: 'stall', at: 'body', atByte: cutBytes } }],
  });
  const client = openSession(run.url, lab.ca);
  const silent = client.get(run.url);
  await run.until(({ requests }) => requests[0]?.answered.bodyBytesSent === cutBytes);
  expect((await client.get(run.url)).body.length).toBe(sizeBytes);
  client.session.destroy();
  await silent;
  expect((await run.untilAnswered(1)).answered.endedBy).toBe('stall');
});

test('a reset of the connection ends every stream on it', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'cut',
    protocol: 'h2',
    resource: { sizeBytes },
    requests: [
      { on: 1, do: { kind: 'stall', at: 'body' } },
      { on: 2, do: { kind: 'cut', by: 'rst', at: 'body', atByte: cutBytes } },
    ],
  });
  const client = openSession(run.url, lab.ca);
  const seen = await Promise.all([client.get(run.url), client.get(run.url)]);
  expect(seen.map(({ ended }) => ended)).toEqual(['ECONNRESET', 'ECONNRESET']);
  await run.untilIdle();
  expect(run.record.requests[1]!.answered).toMatchObject({ endedBy: 'rst', bodyBytesSent: cutBytes });
});

/** A client that knows how to ask and counts bytes. */
async function rawBytes(lab: Lab, run: Run): Promise<Buffer> {
  const { port, pathname, search } = new URL(run.url);
  const isSecure = run.url.startsWith('https:');
  const at = { host: '127.0.0.1', port: Number(port) };
  const socket = isSecure ? connectTls({ ...at, ca: lab.ca, ALPNProtocols: ['h2'] }) : connect(at);
  const literal = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const fields = { ':method': 'GET', ':scheme': 'http', ':path': `${pathname}${search}` };
  const block = Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  );
  const head = Buffer.from([0, 0, block.length, 1, 5, 0, 0, 0, 1]);
  socket.write(
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'), head, block]),
  );
  const parts: Buffer[] = [];
  socket.on('data', (bytes) => parts.push(bytes));
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(parts)));
  });
}

test('a cut inside of a DATA frame leaves it short, one between two leaves it whole', async () => {
  await using lab = await startLab();
  for (const [chunk, declaredBytes] of [
    ['inside', 16_384],
    ['between', 10_000],
  ] as const) {
    const run = lab.play({
      name: 'chunk',
      protocol: 'h2c',
      resource: { sizeBytes },
      requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: 10_000, chunk } }],
    });
    const bytes = await rawBytes(lab, run);
    const tail = bytes.subarray(bytes.length - 10_000);
    expect(tail.equals(run.bytes().subarray(0, 10_000))).toBe(true);
    const dataHead = bytes.subarray(bytes.length - 10_009, bytes.length - 10_000);
    expect([dataHead.readUIntBE(0, 3), dataHead[3], dataHead[4]]).toEqual([declaredBytes, 0, 0]);
  }
});

test('over HTTP/1.1 a fault of HTTP/2 leaves the answer alone', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'by-http1',
    protocol: 'h2c',
    resource: { sizeBytes },
    requests: [{ on: 1, do: { kind: 'rst-stream', code: 'CANCEL' } }],
  });
  const body = Buffer.from(await (await fetch(run.url)).arrayBuffer());
  expect(body.equals(run.bytes())).toBe(true);
});

/** The first bytes of each, which node:http2 on Node 20 answers by silence. */
const oddHeads = {
  'data-on-stream-0': '000015000000000000',
  oversized: '004001be0000000001',
  'bad-headers': '000003010400000001ffff7f',
  'window-overflow': '0000040800000000007fffffff0000040800000000007fffffff',
  junk: Buffer.from('HTTP/1.1 502').toString('hex'),
};
for (const [which, head] of Object.entries(oddHeads) as [OddFrame, string][]) {
  test(`a frame that is ${which} goes out in front of the answer`, async () => {
    await using lab = await startLab();
    const run = lab.play({
      name: 'odd',
      protocol: 'h2c',
      resource: { sizeBytes: 10 },
      requests: [
        {
          on: 1,
          do: [
            { kind: 'odd-frame', which, at: 'request' },
            { kind: 'cut', by: 'fin', at: 'end' },
          ],
        },
      ],
    });
    const hex = (await rawBytes(lab, run)).toString('hex');
    const oddAt = hex.indexOf(head);
    expect(oddAt).toBeGreaterThan(0);
    expect(hex.indexOf(Buffer.from(':status').toString('hex'))).toBeGreaterThan(oddAt);
    expect(hex.endsWith(run.bytes().toString('hex'))).toBe(true);
  });
}
