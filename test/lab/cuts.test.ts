import { expect, test } from 'vitest';
import { type EndedHow, type Fault, type Framing, startLab } from '../../src/lab/index.ts';
import { exchange, open, parseAnswer, requestText } from './raw-client.ts';

const sizeBytes = 3_000_000;
const endOf = { rst: 'ECONNRESET', fin: 'fin', 'bare-fin': 'fin' } as const;

async function play(fault: Fault | readonly Fault[], framing: Framing = 'length') {
  const lab = await startLab();
  const run = lab.play({ name: 'cut', resource: { sizeBytes, framing }, requests: [{ on: 'every', do: fault }] });
  return { lab, run, [Symbol.asyncDispose]: () => lab.close() };
}

for (const by of ['rst', 'fin', 'bare-fin'] satisfies EndedHow[]) {
  for (const atByte of [0, 1, 65_536, 2_500_000]) {
    test(`a cut by ${by} at byte ${atByte} delivers exactly that many bytes`, async () => {
      await using played = await play({ kind: 'cut', by, at: 'body', atByte });
      const answer = await exchange(played.run.url);
      expect(answer.body.length).toBe(atByte);
      expect(answer.body.equals(played.run.bytes().subarray(0, atByte))).toBe(true);
      expect(answer.headers['content-length']).toBe(String(sizeBytes));
      expect(answer.ended).toBe(endOf[by]);
      await played.run.untilIdle();
      expect(played.run.record.requests[0]!.answered).toEqual({
        status: 200,
        headersSent: true,
        bodyBytesSent: atByte,
        endedBy: by === 'rst' ? 'rst' : 'fin',
        complete: false,
      });
    });
  }

  test(`a cut by ${by} at the request answers nothing`, async () => {
    await using played = await play({ kind: 'cut', by, at: 'request' });
    const answer = await exchange(played.run.url, {}, 'POST', 'hello');
    expect(answer.body.length).toBe(0);
    expect(answer.ended).toBe(endOf[by]);
    expect(played.run.record.requests[0]).toMatchObject({
      bodyBytes: 5,
      answered: { headersSent: false, complete: false },
    });
    expect(played.run.record.effects.length).toBe(1);
  });

  test(`a cut by ${by} in the headers leaves half a head`, async () => {
    await using played = await play({ kind: 'cut', by, at: 'headers' });
    const answer = await exchange(played.run.url);
    expect(answer.status).toBe(0);
    expect(answer.body.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.ended).toBe(endOf[by]);
    expect(played.run.record.requests[0]!.answered).toMatchObject({ headersSent: false, bodyBytesSent: 0 });
  });
}

test('a cut at an offset of the representation meets every answer that spans it', async () => {
  await using played = await play({ kind: 'cut', by: 'fin', at: 'body', atOffset: 2_000_000 });
  expect((await exchange(played.run.url)).body.length).toBe(2_000_000);
  expect((await exchange(played.run.url, { Range: 'bytes=1500000-' })).body.length).toBe(500_000);
  expect((await exchange(played.run.url, { Range: 'bytes=2500000-' })).body.length).toBe(500_000);
});

test('a cut every N bytes lies on the grid of the representation', async () => {
  await using played = await play({ kind: 'cut', by: 'fin', at: 'body', everyBytes: 1_000_000 });
  expect((await exchange(played.run.url)).body.length).toBe(1_000_000);
  expect((await exchange(played.run.url, { Range: 'bytes=1000000-' })).body.length).toBe(1_000_000);
  expect((await exchange(played.run.url, { Range: 'bytes=1999999-' })).body.length).toBe(1);
  const last = await exchange(played.run.url, { Range: 'bytes=2000000-' });
  expect(last.body.length).toBe(1_000_000);
  expect(played.run.record.requests.at(-1)!.answered).toMatchObject({ endedBy: 'complete', complete: true });
});

test('random cuts are the same for the same seed and differ between requests', async () => {
  const cutsOf = async () => {
    await using played = await play({ kind: 'cut', by: 'fin', at: 'body', atRandomByte: { min: 1000, max: 9000 } });
    const sizes: number[] = [];
    for (let n = 0; n < 5; n += 1) sizes.push((await exchange(played.run.url)).body.length);
    return sizes;
  };
  const sizes = await cutsOf();
  expect(sizes).toEqual(await cutsOf());
  expect(new Set(sizes).size).toBeGreaterThan(3);
  expect(sizes.every((size) => size >= 1000 && size <= 9000)).toBe(true);
});

test('a chunked body is cut inside of a chunk, or between two', async () => {
  for (const chunk of ['inside', 'between'] as const) {
    await using played = await play({ kind: 'cut', by: 'fin', at: 'body', atByte: 100, chunk }, 'chunked');
    const { body } = await exchange(played.run.url);
    const [size, rest] = [body.toString('latin1', 0, body.indexOf('\r\n')), body.subarray(body.indexOf('\r\n') + 2)];
    expect(rest.subarray(0, 100).equals(played.run.bytes().subarray(0, 100))).toBe(true);
    expect(Number.parseInt(size, 16) > 100).toBe(chunk === 'inside');
    expect(rest.length).toBe(chunk === 'inside' ? 100 : 102);
  }
});

test('a cut at the end of a chunked body leaves out only the last chunk', async () => {
  await using played = await play({ kind: 'cut', by: 'fin', at: 'end' }, 'chunked');
  const { body } = await exchange(played.run.url);
  expect(body.toString('latin1').endsWith('\r\n0\r\n\r\n')).toBe(false);
  expect(body.length).toBeGreaterThan(sizeBytes);
  expect(played.run.record.requests[0]!.answered).toMatchObject({
    bodyBytesSent: sizeBytes,
    endedBy: 'fin',
    complete: false,
  });
});

test('an answer that is cut may have said that it closes', async () => {
  await using played = await play({ kind: 'cut', by: 'fin', at: 'body', atByte: 10, connection: 'close' });
  const connection = open(played.run.url);
  connection.write(requestText(played.run.url));
  const answer = parseAnswer(await connection.seen);
  expect(answer.headers.connection).toBe('close');
  expect(answer.body.length).toBe(10);
});

test('a cut of the request body reads as far as it says', async () => {
  await using played = await play({ kind: 'cut', by: 'rst', at: 'upload', atByte: 3, afterDrainMs: 0 });
  const answer = await exchange(played.run.url, {}, 'POST', 'hello');
  expect(answer.ended).toBe('ECONNRESET');
  expect(played.run.record.requests[0]).toMatchObject({ bodyBytes: 3, answered: { endedBy: 'rst' } });
  expect(played.run.record.effects).toEqual([]);
});

test('a stall sends what it says and then nothing, until the client leaves', async () => {
  await using played = await play({ kind: 'stall', at: 'body', atByte: 1000 });
  const connection = open(played.run.url);
  connection.write(requestText(played.run.url));
  await played.run.until((record) => record.requests[0]?.answered.bodyBytesSent === 1000);
  await connection.untilSeenBytes(1000);
  connection.socket.destroy();
  const record = await played.run.untilAnswered(1);
  expect(record.answered).toMatchObject({ bodyBytesSent: 1000, endedBy: 'stall', complete: false });
  await played.run.untilIdle();
});

test('a stall with an end goes on to the right answer', async () => {
  await using played = await play([
    { kind: 'stall', at: 'request', forMs: 5 },
    { kind: 'stall', at: 'headers', forMs: 5 },
    { kind: 'stall', at: 'body', atByte: 7, forMs: 5 },
  ]);
  const answer = await exchange(played.run.url);
  expect(answer.body.equals(played.run.bytes())).toBe(true);
  expect(played.run.record.requests[0]!.answered.endedBy).toBe('complete');
});

test('a client that leaves in the middle is written down as such', async () => {
  await using played = await play({ kind: 'trickle', chunkBytes: 1000, everyMs: 1 });
  const connection = open(played.run.url);
  connection.write(requestText(played.run.url));
  await connection.untilSeenBytes(5000);
  connection.socket.destroy();
  const { answered } = await played.run.untilAnswered(1);
  expect(answered.endedBy).toBe('client');
  expect(answered.bodyBytesSent).toBeGreaterThanOrEqual(4000);
  expect(answered.bodyBytesSent).toBeLessThan(sizeBytes);
});

test('an answer waits at its gate until the test opens it', async () => {
  await using played = await play([
    { kind: 'gate', name: 'first' },
    { kind: 'gate', name: 'second', at: 'body', atByte: 100 },
  ]);
  const answer = exchange(played.run.url);
  await played.run.untilGate('first');
  expect(played.run.record.requests[0]!.answered.headersSent).toBe(false);
  played.run.open('first');
  await played.run.untilGate('second');
  expect(played.run.record.requests[0]!.answered.bodyBytesSent).toBe(100);
  played.run.open('second');
  expect((await answer).body.equals(played.run.bytes())).toBe(true);
});
