import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Fault, type ResourcePlan, type Run, startLab, type Wrong206 } from '../../src/lab/index.ts';
import { exchange, open, parseAnswer, requestText } from './raw-client.ts';

const sizeBytes = 100_000;

async function play(fault: Fault | readonly Fault[] | undefined, resource: ResourcePlan = {}) {
  const lab = await startLab();
  const requests = fault === undefined ? [] : [{ on: 'every', do: fault } as const];
  const run = lab.play({ name: 'answers', resource: { sizeBytes, ...resource }, requests });
  return { lab, run, [Symbol.asyncDispose]: () => lab.close() };
}

const part = (run: Run, from: number, to: number = sizeBytes) => run.bytes().subarray(from, to);

describe('ranges and conditions', () => {
  const cases: readonly (readonly [range: string, status: number, from: number, to: number])[] = [
    ['bytes=0-', 206, 0, sizeBytes],
    ['bytes=10-19', 206, 10, 20],
    ['bytes=99999-', 206, 99_999, sizeBytes],
    ['bytes=-5', 206, sizeBytes - 5, sizeBytes],
    ['bytes=-200000', 206, 0, sizeBytes],
    ['bytes=50-9999999', 206, 50, sizeBytes],
    ['bytes=20-10', 200, 0, sizeBytes],
    ['bytes=0-1,5-6', 200, 0, sizeBytes],
    ['lines=1-2', 200, 0, sizeBytes],
  ];
  for (const [range, status, from, to] of cases) {
    test(`Range: ${range} is ${status}`, async () => {
      await using played = await play(undefined);
      const answer = await exchange(played.run.url, { Range: range });
      expect(answer.status).toBe(status);
      expect(answer.body.equals(part(played.run, from, to))).toBe(true);
      const expected = status === 206 ? `bytes ${from}-${to - 1}/${sizeBytes}` : undefined;
      expect(answer.headers['content-range']).toBe(expected);
      expect(played.run.record.requests[0]!.range).toBe(range);
    });
  }

  test('a range behind the end is 416 with the total', async () => {
    await using played = await play(undefined);
    const answer = await exchange(played.run.url, { Range: 'bytes=100000-' });
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */100000']);
  });

  test('If-Range takes a strong ETag and an exact date only', async () => {
    await using played = await play(undefined, { validator: 'both' });
    const { headers } = await exchange(played.run.url);
    const status = async (ifRange: string) =>
      (await exchange(played.run.url, { Range: 'bytes=5-', 'If-Range': ifRange })).status;
    expect(await status(headers.etag!)).toBe(206);
    expect(await status(headers['last-modified']!)).toBe(206);
    expect(await status('"other"')).toBe(200);
    expect(await status(`W/${headers.etag}`)).toBe(200);
    expect(await status(new Date(Date.parse(headers['last-modified']!) + 1000).toUTCString())).toBe(200);
    expect(played.run.record.requests[1]!.ifRange).toBe(headers.etag);
  });

  test('a weak ETag never satisfies If-Range', async () => {
    await using played = await play(undefined, { validator: 'weak' });
    const { etag } = (await exchange(played.run.url)).headers;
    expect(etag).toMatch(/^W\//);
    expect((await exchange(played.run.url, { Range: 'bytes=5-', 'If-Range': etag! })).status).toBe(200);
  });

  test('If-None-Match and If-Match are 304 and 412', async () => {
    await using played = await play(undefined);
    const { etag } = (await exchange(played.run.url)).headers;
    const unchanged = await exchange(played.run.url, { 'If-None-Match': `"x", W/${etag}` });
    expect([unchanged.status, unchanged.body.length, unchanged.headers.etag]).toEqual([304, 0, etag]);
    expect((await exchange(played.run.url, { 'If-Match': '"x"' })).status).toBe(412);
    expect((await exchange(played.run.url, { 'If-Match': `${etag}` })).status).toBe(200);
  });

  test('validators are what the plan says', async () => {
    const seen: Record<string, unknown> = {};
    for (const validator of ['strong', 'weak', 'last-modified', 'last-modified-weak', 'both', 'none'] as const) {
      await using played = await play(undefined, { validator });
      const { headers } = await exchange(played.run.url);
      const ageMs = Date.parse(headers.date!) - Date.parse(headers['last-modified'] ?? '');
      seen[validator] = [headers.etag?.slice(0, 1), Number.isNaN(ageMs) ? undefined : ageMs > 60_000];
    }
    expect(seen).toEqual({
      strong: ['"', undefined],
      weak: ['W', undefined],
      'last-modified': [undefined, true],
      'last-modified-weak': [undefined, false],
      both: ['"', true],
      none: [undefined, undefined],
    });
  });

  test('ranges that are ignored or refused are 200', async () => {
    for (const [ranges, says] of [
      ['ignored', 'bytes'],
      ['refused', 'none'],
    ] as const) {
      await using played = await play(undefined, { ranges });
      const answer = await exchange(played.run.url, { Range: 'bytes=5-' });
      expect([answer.status, answer.headers['accept-ranges'], answer.body.length]).toEqual([200, says, sizeBytes]);
    }
  });

  test('gzip goes only to those who accept it, with validators of its own', async () => {
    await using played = await play(undefined, { encoding: 'gzip', digest: 'repr-digest' });
    const zipped = await exchange(played.run.url, { 'Accept-Encoding': 'br, gzip' });
    const plain = await exchange(played.run.url, { 'Accept-Encoding': 'gzip;q=0, identity' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body).equals(played.run.bytes())).toBe(true);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers.etag).not.toBe(zipped.headers.etag);
    const digest = createHash('sha256').update(zipped.body).digest('base64');
    expect(zipped.headers['repr-digest']).toBe(`sha-256=:${digest}:`);
  });
});

describe('wrong answers to a resume', () => {
  const from = 50_000;
  const resume = async (fault: Fault) => {
    await using played = await play(fault);
    const answer = await exchange(played.run.url, { Range: `bytes=${from}-` });
    return { answer, run: played.run };
  };
  type Expected = { range: string | undefined; body: (run: Run) => Buffer };
  const rest = `bytes ${from}-${sizeBytes - 1}/${sizeBytes}`;
  const table: { readonly [K in Exclude<Wrong206, 'multipart'>]: Expected } = {
    'from-zero': { range: `bytes 0-99999/${sizeBytes}`, body: (run) => part(run, 0) },
    earlier: { range: `bytes 45904-99999/${sizeBytes}`, body: (run) => part(run, 45_904) },
    later: { range: `bytes 54096-99999/${sizeBytes}`, body: (run) => part(run, 54_096) },
    'other-total': { range: 'bytes 50000-99999/104096', body: (run) => part(run, from) },
    'other-etag': { range: rest, body: (run) => part(run, from) },
    'no-content-range': { range: undefined, body: (run) => part(run, from) },
    short: { range: `bytes 50000-74999/${sizeBytes}`, body: (run) => part(run, from, 75_000) },
    'too-long': { range: rest, body: (run) => Buffer.concat([part(run, from), part(run, 0, 4096)]) },
    'other-type': { range: rest, body: (run) => part(run, from) },
    'other-encoding': { range: rest, body: (run) => part(run, from) },
    'wrong-bytes': { range: rest, body: (run) => part(run, 0, 50_000) },
    empty: { range: rest, body: () => Buffer.alloc(0) },
  };
  for (const [how, expected] of Object.entries(table)) {
    test(`a 206 that is ${how}`, async () => {
      const { answer, run } = await resume({ kind: 'wrong-206', how: how as Wrong206 });
      expect(answer.status).toBe(206);
      expect(answer.headers['content-range']).toBe(expected.range);
      expect(answer.headers['content-length']).toBe(String(expected.body(run).length));
      expect(answer.body.equals(expected.body(run))).toBe(true);
      expect(answer.headers.etag === run.versions[0]!.etag).toBe(how !== 'other-etag');
      expect(answer.headers['content-type'] === 'text/html').toBe(how === 'other-type');
      expect(answer.headers['content-encoding']).toBe(how === 'other-encoding' ? 'gzip' : undefined);
    });
  }

  test('a multipart 206', async () => {
    const { answer, run } = await resume({ kind: 'wrong-206', how: 'multipart' });
    expect(answer.headers['content-type']).toMatch(/^multipart\/byteranges; boundary=/);
    expect(answer.body.toString('latin1', 0, 80)).toContain(`Content-Range: ${rest}`);
    expect(answer.body.includes(part(run, from))).toBe(true);
  });

  test('200 with Content-Range, 416, 412, and ranges that are ignored', async () => {
    const { answer, run } = await resume({ kind: '200-with-content-range' });
    expect([answer.status, answer.headers['content-range']]).toEqual([200, rest]);
    expect(answer.body.equals(part(run, from))).toBe(true);
    const present = (await resume({ kind: '416' })).answer;
    expect([present.status, present.headers['content-range']]).toEqual([416, 'bytes */100000']);
    const absent = (await resume({ kind: '416', contentRange: 'absent' })).answer;
    expect([absent.status, absent.headers['content-range']]).toEqual([416, undefined]);
    expect((await resume({ kind: '412' })).answer.status).toBe(412);
    expect((await resume({ kind: 'range-ignored' })).answer.body.length).toBe(sizeBytes);
  });

  test('If-Range ignored joins another version', async () => {
    await using lab = await startLab();
    const run = lab.play({
      name: 'ignored',
      resource: { sizeBytes },
      changes: [{ fromRequest: 2 }],
      requests: [{ on: 'resumes', do: { kind: 'if-range-ignored' } }],
    });
    const { etag } = (await exchange(run.url)).headers;
    const answer = await exchange(run.url, { Range: 'bytes=10-', 'If-Range': etag! });
    expect(answer.status).toBe(206);
    expect(answer.headers.etag).toBe(run.versions[1]!.etag);
    expect(answer.body.equals(run.versions[1]!.bytes().subarray(10))).toBe(true);
  });
});

describe('other wrong answers', () => {
  test('a status comes with its headers, and a page as long as wanted', async () => {
    await using played = await play({
      kind: 'status',
      status: 503,
      retryAfter: 'soon',
      bodyBytes: 3_000_000,
      headers: { 'X-A': 'b' },
    });
    const answer = await exchange(played.run.url, {}, 'POST', 'x');
    expect([answer.status, answer.headers['retry-after'], answer.headers['x-a']]).toEqual([503, 'soon', 'b']);
    expect(answer.body.length).toBe(3_000_000);
    expect(played.run.record.effects).toEqual([]);
  });

  test('Retry-After as a date is counted from the Date header', async () => {
    await using lab = await startLab({ nowMs: () => 1_700_000_000_000 });
    const fault = { kind: 'status', status: 429, retryAfterDateInMs: 7000 } as const;
    const { headers } = await exchange(lab.play({ name: 'date', requests: [{ on: 1, do: fault }] }).url);
    expect(Date.parse(headers['retry-after']!) - Date.parse(headers.date!)).toBe(7000);
  });

  test('an empty 200 and a captive portal are whole answers', async () => {
    await using empty = await play({ kind: 'empty-200' });
    const nothing = await exchange(empty.run.url);
    expect([nothing.status, nothing.headers['content-length'], nothing.body.length]).toEqual([200, '0', 0]);
    await using portal = await play({ kind: 'captive-portal' });
    const page = await exchange(portal.run.url);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html']);
  });

  test('Content-Length promises more or less than is sent', async () => {
    await using more = await play({ kind: 'wrong-length', byBytes: 10 });
    const short = await exchange(more.run.url);
    expect([short.headers['content-length'], short.body.length]).toEqual([String(sizeBytes + 10), sizeBytes]);
    expect(more.run.record.requests[0]!.answered).toMatchObject({ endedBy: 'fin', complete: false });
    await using less = await play({ kind: 'wrong-length', byBytes: -10 });
    const long = await exchange(less.run.url);
    expect([long.headers['content-length'], long.body.length]).toEqual([String(sizeBytes - 10), sizeBytes]);
  });

  test('bytes are turned over where the plan says, and nowhere else', async () => {
    await using played = await play({ kind: 'corrupt', atOffset: 70_000, bytes: 3 });
    const { body } = await exchange(played.run.url, { Range: 'bytes=60000-' });
    const right = part(played.run, 60_000);
    const wrong = [...body.keys()].filter((index) => body[index] !== right[index]);
    expect(wrong).toEqual([10_000, 10_001, 10_002]);
  });

  test('gzip is damaged inside the right framing', async () => {
    for (const how of ['truncated', 'flipped', 'trailer'] as const) {
      await using played = await play({ kind: 'gzip-damage', how }, { encoding: 'gzip-always' });
      const answer = await exchange(played.run.url);
      expect(answer.headers['content-length']).toBe(String(answer.body.length));
      expect(() => gunzipSync(answer.body)).toThrow();
    }
  });

  test('a chunk size that is no number ends the framing', async () => {
    await using played = await play({ kind: 'bad-chunk', atByte: 10 }, { framing: 'chunked' });
    const { body } = await exchange(played.run.url);
    expect(body.toString('latin1')).toMatch(/^a\r\n.{10}\r\nzz;\r\n$/s);
  });

  test('what is not HTTP is sent as it is', async () => {
    await using played = await play({ kind: 'not-http', text: 'garbage' });
    expect((await exchange(played.run.url)).body.toString()).toBe('garbage');
  });

  test('informational answers come first', async () => {
    await using played = await play({ kind: 'informational', status: 103, headers: { Link: '<x>' }, times: 2 });
    const connection = open(played.run.url);
    connection.write(requestText(played.run.url, { Connection: 'close' }));
    const text = (await connection.seen).bytes.toString('latin1');
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 103', 'HTTP/1.1 200']);
  });

  test('a signed URL serves as often as it says, then 403', async () => {
    await using lab = await startLab();
    const redirect = { kind: 'redirect', status: 307, to: 'signed', validForRequests: 2 } as const;
    const run = lab.play({ name: 'signed', requests: [{ on: 'every', where: { file: 'file.bin' }, do: redirect }] });
    const { headers, status } = await exchange(run.url);
    expect(status).toBe(307);
    const signed = new URL(headers.location!, run.url).href;
    const statuses = [await exchange(signed), await exchange(signed), await exchange(signed)].map(
      (seen) => seen.status,
    );
    expect(statuses).toEqual([200, 200, 403]);
    const again = (await exchange(run.url)).headers.location;
    expect(again).not.toBe(headers.location);
  });

  test('the second request on a connection can meet a fault of its own', async () => {
    await using lab = await startLab();
    const run = lab.play({
      name: 'reused',
      resource: { sizeBytes: 10 },
      requests: [{ on: 'every', where: { requestOnConnection: 2 }, do: { kind: 'cut', by: 'rst', at: 'request' } }],
    });
    const connection = open(run.url);
    connection.write(requestText(run.url));
    await run.untilAnswered(1);
    await connection.untilSeen('keep-alive');
    connection.write(requestText(run.url));
    expect((await connection.seen).ended).toBe('ECONNRESET');
    expect(run.record.requests.map(({ answered }) => answered.endedBy)).toEqual(['complete', 'rst']);
  });

  test('an idle connection is ended behind an answer that promised to keep it', async () => {
    for (const by of ['fin', 'rst'] as const) {
      await using played = await play({ kind: 'close-after', by, afterMs: 40 });
      const connection = open(played.run.url);
      connection.write(requestText(played.run.url));
      const seen = await connection.seen;
      const answer = parseAnswer(seen);
      expect(answer.headers.connection).toBe('keep-alive');
      expect(answer.body.length).toBe(sizeBytes);
      expect(seen.ended).toBe(by === 'fin' ? 'fin' : 'ECONNRESET');
      expect(played.run.record.requests[0]!.answered.endedBy).toBe('complete');
    }
  });

  test('requests above a limit at the same time meet another rule', async () => {
    await using lab = await startLab();
    const run = lab.play({
      name: 'limit',
      requests: [
        { on: 'every', where: { concurrentAbove: 1 }, do: { kind: 'status', status: 429 } },
        { on: 'every', do: { kind: 'gate', name: 'go' } },
      ],
    });
    const first = exchange(run.url);
    await run.untilGate('go');
    expect((await exchange(run.url)).status).toBe(429);
    run.open('go');
    expect((await first).status).toBe(200);
    expect((await exchange(run.url)).status).toBe(200);
  });
});

test('a redirect to another origin leads to the same run by the port of the lab', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'away',
    resource: { sizeBytes: 10 },
    requests: [{ on: 'every', where: { file: 'file.bin' }, do: { kind: 'redirect', status: 302, to: 'other-origin' } }],
  });
  const { headers } = await exchange(run.url);
  expect(new URL(headers.location!).origin).toBe(lab.origin);
  expect(run.origin).not.toBe(lab.origin);
  expect((await exchange(headers.location!)).body.equals(run.bytes())).toBe(true);
  expect(run.requestCount).toBe(2);
});

test('a head can be trickled', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'slow-head',
    resource: { sizeBytes: 10 },
    requests: [{ on: 1, do: { kind: 'trickle', at: 'headers', chunkBytes: 16, everyMs: 1 } }],
  });
  const { status, body } = await exchange(run.url);
  expect([status, body.equals(run.bytes())]).toEqual([200, true]);
});
