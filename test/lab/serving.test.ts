import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { expect, test } from 'vitest';
import { startLab } from '../../src/lab/index.ts';
import { exchange, open, parseAnswer, requestText, unchunk } from './raw-client.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test('a clean scenario serves the body whose digest the run tells', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'clean', resource: { sizeBytes: 300_001 } });
  const answer = await exchange(run.url);
  expect(answer.status).toBe(200);
  expect(answer.headers['content-length']).toBe('300001');
  expect(sha256(answer.body)).toBe(run.sha256);
  expect(answer.body.equals(run.bytes())).toBe(true);
  expect(answer.ended).toBe('fin');
  await run.untilIdle();
  expect(run.record).toMatchObject({
    bodyBytesSent: 300_001,
    connections: [{ n: 1, requestCount: 1 }],
    requests: [
      {
        n: 1,
        method: 'GET',
        requestOnConnection: 1,
        answered: { status: 200, headersSent: true, endedBy: 'complete', complete: true },
      },
    ],
  });
  expect(lab.openSockets).toBe(0);
});

test('the same seed gives the same bytes, another seed others, and no two aligned words are equal', async () => {
  await using lab = await startLab({ seed: 7 });
  const [one, two] = [
    lab.play({ name: 'a', resource: { sizeBytes: 65_536 } }),
    lab.play({ name: 'b', seed: 7, resource: { sizeBytes: 65_536 } }),
  ];
  const other = lab.play({ name: 'c', seed: 8, resource: { sizeBytes: 65_536 } });
  expect(one.sha256).toBe(two.sha256);
  expect(one.sha256).not.toBe(other.sha256);
  expect(one.sha256).toBe('ea06acad47ca9411d975bf7bf4fa5d6f778c5fe8e35d3f8f6fac7e40d3e33a26');
  const bytes = one.bytes();
  const words = new Set<number>();
  for (let at = 0; at < bytes.length; at += 4) words.add(bytes.readUInt32LE(at));
  expect(words.size).toBe(bytes.length / 4);
});

test('a body above the kept size is made piece by piece, the same as a small one', async () => {
  await using lab = await startLab();
  const sizeBytes = 300 * 1024 * 1024;
  const run = lab.play({ name: 'large', resource: { sizeBytes } });
  const answer = await exchange(run.url, { Range: `bytes=${sizeBytes - 1_000_003}-` });
  expect(answer.body.length).toBe(1_000_003);
  const small = lab.play({ name: 'small', resource: { sizeBytes: 100_000 } });
  const start = await exchange(run.url, { Range: 'bytes=3-99999' });
  expect(start.body.equals(small.bytes().subarray(3))).toBe(true);
});

test('chunked framing carries the same body', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'chunked', resource: { sizeBytes: 200_000, framing: 'chunked' } });
  const answer = await exchange(run.url);
  expect(answer.headers['transfer-encoding']).toBe('chunked');
  expect(answer.headers['content-length']).toBeUndefined();
  expect(unchunk(answer.body)?.equals(run.bytes())).toBe(true);
});

test('close framing ends the body with the connection', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'close', resource: { sizeBytes: 5_000, framing: 'close' } });
  const answer = await exchange(run.url);
  expect(answer.headers.connection).toBe('close');
  expect(answer.headers['content-length']).toBeUndefined();
  expect(answer.body.equals(run.bytes())).toBe(true);
});

test('pipelined requests are answered in their order on one connection', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'pipeline', resource: { sizeBytes: 10 } });
  const connection = open(run.url);
  const text = requestText(run.url);
  connection.write(text + text + requestText(run.url, { Connection: 'close', Range: 'bytes=2-3' }));
  const { bytes } = await connection.seen;
  expect(bytes.toString('latin1').match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 206']);
  expect(run.record.requests.map((request) => request.requestOnConnection)).toEqual([1, 2, 3]);
  expect(bytes.subarray(-2).equals(run.bytes().subarray(2, 4))).toBe(true);
});

test('node:http reads it over a connection that is kept', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'kept', resource: { sizeBytes: 1_000_000 } });
  const read = () =>
    new Promise<string>((resolve, reject) => {
      get(run.url, (response) => {
        const hash = createHash('sha256');
        response.on('data', (bytes) => hash.update(bytes)).on('end', () => resolve(hash.digest('hex')));
        response.on('error', reject);
      }).on('error', reject);
    });
  expect(await read()).toBe(run.sha256);
  expect(await read()).toBe(run.sha256);
});

test('HEAD has the head of GET and no body', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'head', resource: { sizeBytes: 1234 } });
  const answer = await exchange(run.url, {}, 'HEAD');
  expect(answer.headers['content-length']).toBe('1234');
  expect(answer.body.length).toBe(0);
});

test('a POST is answered with what was received, and kept as an effect', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'post' });
  const answer = await exchange(run.url, { 'Idempotency-Key': 'k1' }, 'POST', 'hello');
  const expected = { method: 'POST', bytes: 5, sha256: sha256(Buffer.from('hello')) };
  expect(JSON.parse(answer.body.toString())).toEqual(expected);
  expect(run.record.effects).toEqual([{ requestNumber: 1, ...expected, idempotencyKey: 'k1' }]);
});

test('a chunked upload is read to its end', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'upload' });
  const connection = open(run.url);
  connection.write(
    `${requestText(run.url, { 'Transfer-Encoding': 'chunked', Connection: 'close' }, 'PUT')}3\r\nabc\r\n`,
  );
  connection.write('2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n');
  const answer = parseAnswer(await connection.seen);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ bytes: 5, sha256: sha256(Buffer.from('abcde')) });
});

test('content changes from the request on that the scenario names', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'changes',
    resource: { sizeBytes: 1000 },
    changes: [
      { fromRequest: 2, keeps: { from: 0, to: 500 } },
      { fromRequest: 3, sizeBytes: 900, validator: 'same' },
    ],
  });
  const answers = [await exchange(run.url), await exchange(run.url), await exchange(run.url)];
  expect(answers.map(({ body }) => run.versionOf(sha256(body)))).toEqual([0, 1, 2]);
  const [first, second, third] = answers.map(({ headers }) => headers.etag);
  expect(second).not.toBe(first);
  expect(third).toBe(second);
  expect(answers[1]!.body.subarray(0, 500).equals(answers[0]!.body.subarray(0, 500))).toBe(true);
  expect(answers[1]!.body.subarray(500).equals(answers[0]!.body.subarray(500))).toBe(false);
});

test('an unknown run is 404, a malformed request 400', async () => {
  await using lab = await startLab();
  expect((await exchange(`${lab.origin}/s/x/file.bin?run=none`)).status).toBe(404);
  const connection = open(lab.origin);
  connection.write('not a request\r\n\r\n');
  expect(parseAnswer(await connection.seen).status).toBe(400);
});

test('closing the lab ends every socket and every wait', async () => {
  const lab = await startLab();
  const run = lab.play({ name: 'stall', requests: [{ on: 'every', do: { kind: 'stall', at: 'request' } }] });
  const connection = open(run.url);
  connection.write(requestText(run.url));
  await run.untilRequest(1);
  const idle = run.untilIdle();
  await Promise.all([lab.close(), expect(idle).rejects.toThrow('closed')]);
  await connection.seen;
  expect(lab.openSockets).toBe(0);
});

test('closing the lab lets go of a request that waits at a gate', async () => {
  const lab = await startLab();
  const run = lab.play({ name: 'gate', requests: [{ on: 1, do: { kind: 'gate', name: 'never' } }] });
  const connection = open(run.url);
  connection.write(requestText(run.url));
  await run.untilGate('never');
  await lab.close();
  await connection.seen;
  expect(run.record.requests[0]!.answered.endedBy).toBe('client');
});

test('a client may start the scenarios that the lab was given, and read the record', async () => {
  await using lab = await startLab({ scenarios: [{ name: 'offered', resource: { sizeBytes: 77 } }] });
  const list = (await exchange(lab.origin)).body.toString();
  const url = /^\s*(http\S*\/s\/offered\/\S*)$/m.exec(list)?.[1] ?? 'not listed';
  expect((await exchange(url)).body.length).toBe(77);
  expect((await exchange(`${lab.origin}/s/offered/other.bin?run=mine`)).status).toBe(200);
  expect((await exchange(`${lab.origin}/s/unknown/file.bin?run=mine`)).status).toBe(404);
  const record = JSON.parse((await exchange(`${lab.origin}/record?run=mine`)).body.toString());
  expect(record).toMatchObject({ bodyBytesSent: 77, requests: [{ path: '/s/offered/other.bin' }] });
});

test('the same seed puts the same bytes on the wire', async () => {
  const play = async () => {
    await using lab = await startLab({ seed: 3, nowMs: () => 1_800_000_000_000 });
    const run = lab.play({
      name: 'same',
      resource: { sizeBytes: 50_000, validator: 'last-modified-weak', framing: 'chunked' },
      changes: [{ fromRequest: 3 }],
      requests: [
        { on: 2, do: { kind: 'status', status: 503, retryAfterDateInMs: 1000 } },
        { on: 'every', do: { kind: 'cut', by: 'fin', at: 'body', atRandomByte: { min: 1, max: 49_000 } } },
      ],
    });
    const answers: Buffer[] = [];
    for (let n = 0; n < 4; n += 1) {
      const connection = open(run.url);
      connection.write(requestText(run.url));
      if (n === 1) connection.socket.end();
      answers.push((await connection.seen).bytes);
    }
    return answers;
  };
  expect(await play()).toEqual(await play());
});

test('bytes that are no text are served verbatim, also as a later version', async () => {
  await using lab = await startLab();
  const [first, second] = [Buffer.from([0, 0xff, 0x80, 10]), Buffer.from([0xc3, 0x28])];
  const run = lab.play({
    name: 'bytes',
    resource: { bodyBase64: first.toString('base64') },
    changes: [{ fromRequest: 2, bodyBase64: second.toString('base64') }],
  });
  const answers = [await exchange(run.url), await exchange(run.url)];
  expect(answers.map(({ body }) => body.toString('hex'))).toEqual([first.toString('hex'), second.toString('hex')]);
  expect(answers.map(({ headers }) => headers['content-length'])).toEqual(['4', '2']);
  expect(run.versions.map(({ sizeBytes }) => sizeBytes)).toEqual([4, 2]);
});
