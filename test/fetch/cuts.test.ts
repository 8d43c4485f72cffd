/** Bodies that are cut on a real socket, read through Node's own `fetch`. */
import { expect, test } from 'vitest';
import { ContentChangedError, GaveUpError, ledgerOf } from '../../src/fetch/index.ts';
import type { RequestRule, ResourcePlan, ValidatorKind } from '../../src/lab/index.ts';
import { errorOf, expectCounted, expectHealed, play, sha256Of } from './played.ts';

const sizeBytes = 1_000_000;
const cutAt = (atByte: number, by: 'rst' | 'fin' = 'rst'): RequestRule['do'] => ({
  kind: 'cut',
  by,
  at: 'body',
  atByte,
});

const firstTwoCut = (by: 'rst' | 'fin'): readonly RequestRule[] => [{ on: [1, 2], do: cutAt(300_000, by) }];

interface Way {
  readonly validator: ValidatorKind;
  readonly ranges: NonNullable<ResourcePlan['ranges']>;
  readonly how: 'range' | 'overlap' | 'reread';
  readonly integrity: 'length' | 'unverifiable';
}

const ways: readonly Way[] = [
  { validator: 'strong', ranges: 'honoured', how: 'range', integrity: 'length' },
  { validator: 'last-modified', ranges: 'honoured', how: 'range', integrity: 'length' },
  { validator: 'weak', ranges: 'honoured', how: 'overlap', integrity: 'unverifiable' },
  { validator: 'none', ranges: 'honoured', how: 'overlap', integrity: 'unverifiable' },
  { validator: 'last-modified-weak', ranges: 'honoured', how: 'overlap', integrity: 'unverifiable' },
  { validator: 'strong', ranges: 'ignored', how: 'reread', integrity: 'length' },
  { validator: 'strong', ranges: 'refused', how: 'reread', integrity: 'length' },
  { validator: 'last-modified', ranges: 'ignored', how: 'reread', integrity: 'length' },
  { validator: 'weak', ranges: 'refused', how: 'reread', integrity: 'length' },
  { validator: 'none', ranges: 'ignored', how: 'reread', integrity: 'length' },
];

for (const by of ['rst', 'fin'] as const) {
  for (const { validator, ranges, how, integrity } of ways) {
    test(`two cuts by ${by} with validator ${validator} and ranges ${ranges} are healed by ${how}`, async () => {
      await using played = await play({
        resource: { sizeBytes, validator, ranges },
        requests: firstTwoCut(by),
      });
      const response = await played.heal();
      await expectHealed(played, response, 3);
      const ledger = ledgerOf(response)!;
      expect(ledger).toMatchObject({ outcome: 'complete', integrity, deliveredBytes: sizeBytes, attemptCount: 3 });
      expect(played.events.findLast((event) => event.type === 'healed')).toMatchObject({ how });
    });
  }
}

test('a reset right behind the headers is asked for again from the start', async () => {
  await using played = await play({ resource: { sizeBytes }, requests: [{ on: 1, do: cutAt(0) }] });
  await expectHealed(played, await played.heal(), 2);
});

test('a cut in every answer is annoying, not fatal', async () => {
  await using played = await play({
    resource: { sizeBytes },
    requests: [{ on: 'every', do: { kind: 'cut', by: 'rst', at: 'body', everyBytes: 100_000 } }],
  });
  await expectHealed(played, await played.heal(), 10);
});

test('a chunked body without the last chunk is continued', async () => {
  await using played = await play({
    resource: { sizeBytes, framing: 'chunked' },
    requests: [{ on: 1, do: cutAt(300_000, 'fin') }],
  });
  const response = await played.heal();
  await expectHealed(played, response, 2);
  // The range tells the length that the first answer did not.
  expect(ledgerOf(response)?.integrity).toBe('length');
});

test('a short range behind a chunked body is no end', async () => {
  await using played = await play({
    resource: { sizeBytes, framing: 'chunked' },
    requests: [
      { on: 1, do: cutAt(300_000, 'fin') },
      { on: 2, do: { kind: 'wrong-206', how: 'short', byBytes: 100_000 } },
    ],
  });
  await expectHealed(played, await played.heal(), 3);
});

test('a whole chunked body is proven by its framing, one that ends with its connection is not', async () => {
  for (const [framing, integrity] of [
    ['chunked', 'framing'],
    ['close', 'unverifiable'],
  ] as const) {
    await using played = await play({ resource: { sizeBytes, framing } });
    const response = await played.heal();
    await expectHealed(played, response, 1);
    expect(ledgerOf(response)?.integrity).toBe(integrity);
  }
});

for (const validator of ['strong', 'last-modified'] as const) {
  test(`a gzip body with ${validator} is read again from the start, and no range is ever asked for`, async () => {
    await using played = await play({
      resource: { sizeBytes, validator, encoding: 'gzip' },
      requests: firstTwoCut('fin'),
    });
    const response = await played.heal();
    expect(response.headers.get('content-encoding')).toBe('gzip');
    await expectHealed(played, response, 3);
    expect(played.run.record.requests.every(({ headers }) => !('range' in headers))).toBe(true);
    expect(ledgerOf(response)).toMatchObject({ integrity: 'unverifiable', deliveredBytes: sizeBytes });
  });
}

test('a gzip body with a weak validator is proven by its checksum', async () => {
  await using played = await play({
    resource: { sizeBytes, validator: 'weak', encoding: 'gzip' },
    requests: firstTwoCut('rst'),
  });
  await expectHealed(played, await played.heal(), 3);
});

for (const [validator, encoding, ranges] of [
  ['strong', 'identity', 'honoured'],
  ['none', 'identity', 'honoured'],
  ['none', 'identity', 'ignored'],
  ['weak', 'gzip', 'honoured'],
  ['strong', 'gzip', 'honoured'],
] as const) {
  test(`content that changes under a reader (${validator}, ${encoding}, ranges ${ranges}) is an error, never a mixture`, async () => {
    await using played = await play({
      resource: { sizeBytes, validator, encoding, ranges },
      changes: [{ fromRequest: 2 }],
      requests: [{ on: 1, do: cutAt(300_000) }],
    });
    const response = await played.heal();
    const error = await errorOf(sha256Of(response));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.cause).toBeInstanceOf(ContentChangedError);
    expectCounted(played.run, error, played.run.requestCount);
    expect(ledgerOf(response)).toBe(ledgerOf(error));
  });
}

test('content that changes before a byte of it was delivered is read in its new version', async () => {
  await using played = await play({
    resource: { sizeBytes },
    changes: [{ fromRequest: 2 }],
    requests: [{ on: 1, do: cutAt(0) }],
  });
  expect(played.run.versionOf(await sha256Of(await played.heal()))).toBe(1);
});

for (const how of [
  'from-zero',
  'earlier',
  'later',
  'no-content-range',
  'multipart',
  'short',
  'too-long',
  'other-type',
  'other-encoding',
  'empty',
  'other-total',
] as const) {
  test(`a 206 that is wrong (${how}) is refused or trimmed, and the body is whole`, async () => {
    await using played = await play({
      resource: { sizeBytes },
      requests: [
        { on: 1, do: cutAt(300_000) },
        { on: 2, do: { kind: 'wrong-206', how } },
      ],
    });
    const response = await played.heal();
    expect(await sha256Of(response)).toBe(played.run.sha256);
    expectCounted(played.run, response, played.run.requestCount);
  });
}

test('a 206 with another ETag is a changed content, at once', async () => {
  await using played = await play({
    resource: { sizeBytes },
    requests: [
      { on: 1, do: cutAt(300_000) },
      { on: 2, do: { kind: 'wrong-206', how: 'other-etag' } },
    ],
  });
  const error = await errorOf(sha256Of(await played.heal()));
  expect(error.cause).toBeInstanceOf(ContentChangedError);
  expectCounted(played.run, error, 2);
});

test('a page of a middlebox never becomes a part of the body', async () => {
  await using played = await play({
    resource: { sizeBytes },
    requests: [
      { on: 1, do: cutAt(300_000) },
      { on: 2, do: { kind: 'status', status: 503, contentType: 'text/html', bodyText: '<h1>busy</h1>' } },
      { on: 3, do: { kind: 'status', status: 403, contentType: 'text/html', bodyText: '<h1>no</h1>' } },
    ],
  });
  await expectHealed(played, await played.heal(), 4);
});

test("the caller's own range is continued inside of its bounds", async () => {
  await using played = await play({ resource: { sizeBytes }, requests: [{ on: 1, do: cutAt(100_000) }] });
  const response = await played.heal({ headers: { Range: 'bytes=200000-499999' } });
  expect(response.status).toBe(206);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.equals(played.run.bytes().subarray(200_000, 500_000))).toBe(true);
  expect(played.run.record.requests[1]?.headers).toMatchObject({ range: 'bytes=300000-499999' });
  expectCounted(played.run, response, 2);
});

test('a live stream is never asked for again once bytes of it were delivered', async () => {
  await using played = await play({
    resource: { bodyText: 'data: 1\n\ndata: 2\n\n', contentType: 'text/event-stream', framing: 'chunked' },
    requests: [{ on: 1, do: cutAt(9) }],
  });
  const error = await errorOf(sha256Of(await played.heal()));
  expect(error.cause).toBeInstanceOf(GaveUpError);
  expect(error.cause).toMatchObject({ reason: 'live-body' });
  expectCounted(played.run, error, 1);
});

test('a redirected body is continued from the original address', async () => {
  await using played = await play({
    resource: { sizeBytes },
    requests: [
      {
        on: 'every',
        where: { file: 'file.bin' },
        do: { kind: 'redirect', status: 307, to: 'signed', validForRequests: 1 },
      },
      { on: 1, where: { file: 'signed.bin' }, do: cutAt(300_000) },
    ],
  });
  const response = await played.heal();
  expect(response.redirected).toBe(true);
  expect(response.url).toContain('signed.bin');
  await expectHealed(played, response, 4);
});
