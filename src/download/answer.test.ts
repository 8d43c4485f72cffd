import { expect, test } from 'vitest';
import { describeRepresentation, type ResponseFields } from '../core/index.ts';
import { type Answer, type Ask, askHeaders, askPart, judgeAnswer as judge, planAsk } from './answer.ts';
import type { Held } from './destination.ts';

function held(bytes: number, fields: ResponseFields): Held {
  return {
    bytes,
    pin: { urlSha256: 'u', representation: describeRepresentation(200, fields)!, serverDigest: undefined },
  };
}

const judgeAnswer = (ask: Ask, answer: Omit<Answer, 'urlSha256'>) => judge(ask, { ...answer, urlSha256: 'u' });

const strong = { etag: '"a"', contentLength: '100' };
const plan = (one: Held | undefined, hasChecksum = false, isOfUrl = true) =>
  planAsk({ held: one, isOfUrl, hasChecksum });

test('a strong validator of the same URL lets the rest be asked for', () => {
  const ask = plan(held(40, strong));
  expect(askHeaders(ask)).toEqual({ range: 'bytes=40-', 'if-range': '"a"' });
});

test('without a strong validator, or for another URL, all is asked for; a checksum lets the rest be tried', () => {
  const weak = held(40, { etag: 'W/"a"', contentLength: '100' });
  expect(askHeaders(plan(weak))).toEqual({});
  expect(askHeaders(plan(weak, true))).toEqual({ range: 'bytes=40-' });
  expect(askHeaders(plan(held(40, strong), false, false))).toEqual({});
  expect(askHeaders(plan(held(40, strong), true, false))).toEqual({ range: 'bytes=40-' });
});

test('where all bytes are at hand the last one is asked for again', () => {
  expect(askHeaders(plan(held(100, strong)))).toEqual({ range: 'bytes=99-', 'if-range': '"a"' });
});

test('more bytes than the whole has are worth nothing', () => {
  expect(plan(held(101, strong))).toEqual({ kind: 'whole' });
});

const rest = (): Ask => plan(held(40, strong));
const part = { 'content-range': 'bytes 40-99/100', 'content-length': '60', etag: '"a"' };

const verdicts: readonly (readonly [
  name: string,
  ask: Ask,
  status: number,
  headers: Record<string, string>,
  kind: string,
])[] = [
  ['the whole', { kind: 'whole' }, 200, { 'content-length': '5' }, 'begin'],
  ['the whole, changed by a proxy', { kind: 'whole' }, 203, {}, 'begin'],
  ['a part that nobody asked for', { kind: 'whole' }, 206, part, 'doubt'],
  ['no content', { kind: 'whole' }, 204, {}, 'refused'],
  ['a redirect without a place', { kind: 'whole' }, 302, {}, 'refused'],
  ['the rest', rest(), 206, part, 'join'],
  [
    'the rest, beginning earlier',
    rest(),
    206,
    { ...part, 'content-range': 'bytes 0-99/100', 'content-length': '100' },
    'join',
  ],
  [
    'the rest, beginning later',
    rest(),
    206,
    { ...part, 'content-range': 'bytes 50-99/100', 'content-length': '50' },
    'doubt',
  ],
  ['the rest of another version', rest(), 206, { ...part, etag: '"b"' }, 'changed'],
  ['the rest without its validator', rest(), 206, { 'content-range': 'bytes 40-99/100' }, 'doubt'],
  [
    'the rest of another length',
    rest(),
    206,
    { ...part, 'content-range': 'bytes 40-199/200', 'content-length': '160' },
    'doubt',
  ],
  ['all of another version', rest(), 200, { etag: '"b"', 'content-length': '7' }, 'begin'],
  ['all of the same version', rest(), 200, strong200(), 'join'],
  ['all of something without a validator', rest(), 200, { 'content-length': '100' }, 'begin'],
  ['an error page as 200', rest(), 200, { 'content-type': 'text/html', 'content-length': '9' }, 'doubt'],
  ['nothing at all', rest(), 200, { 'content-length': '0' }, 'doubt'],
];

function strong200(): Record<string, string> {
  return { etag: '"a"', 'content-length': '100' };
}

for (const [name, ask, statusCode, headers, kind] of verdicts) {
  test(`${name} is a ${kind}`, () => {
    expect(judgeAnswer(ask, { statusCode, headers }).kind).toBe(kind);
  });
}

test('bytes that are at hand are skipped', () => {
  const earlier = { ...part, 'content-range': 'bytes 10-99/100', 'content-length': '90' };
  expect(judgeAnswer(rest(), { statusCode: 206, headers: earlier })).toMatchObject({
    kind: 'join',
    skipBytes: 30,
    totalBytes: 100,
    isPart: true,
  });
  const complete = plan(held(100, strong));
  const last = { ...part, 'content-range': 'bytes 99-99/100', 'content-length': '1' };
  expect(judgeAnswer(complete, { statusCode: 206, headers: last })).toMatchObject({
    kind: 'join',
    skipBytes: 1,
    totalBytes: 100,
    isPart: true,
  });
});

test('a body without a length learns its length from the first part', () => {
  const ask = plan(held(40, { etag: '"a"', transferEncoding: 'chunked' }));
  const headers = { etag: '"a"', 'content-range': 'bytes 40-59/100', 'content-length': '20' };
  expect(judgeAnswer(ask, { statusCode: 206, headers })).toMatchObject({
    kind: 'join',
    skipBytes: 0,
    totalBytes: 100,
    isPart: true,
  });
});

test('a digest of the server that has changed means another version', () => {
  const digest = (byte: number) => `sha-256=:${Buffer.alloc(32, byte).toString('base64')}:`;
  const first = judgeAnswer(
    { kind: 'whole' },
    { statusCode: 200, headers: { ...strong200(), 'repr-digest': digest(1) } },
  );
  if (first.kind !== 'begin') throw new Error('expected a beginning');
  const ask = planAsk({ held: { bytes: 40, pin: first.pin }, isOfUrl: true, hasChecksum: false });
  expect(judgeAnswer(ask, { statusCode: 206, headers: { ...part, 'repr-digest': digest(1) } }).kind).toBe('join');
  expect(judgeAnswer(ask, { statusCode: 206, headers: { ...part, 'repr-digest': digest(2) } }).kind).toBe('changed');
});

test('a part is asked for with its end, under the validator of the whole', () => {
  const one = held(0, strong);
  const ask = askPart({ kind: 'whole' }, one.pin, { from: 40, to: 60 });
  expect(askHeaders(ask)).toEqual({ range: 'bytes=40-59', 'if-range': '"a"' });
  const middle = { ...part, 'content-range': 'bytes 40-59/100', 'content-length': '20' };
  expect(judgeAnswer(ask, { statusCode: 206, headers: middle })).toMatchObject({
    kind: 'join',
    skipBytes: 0,
    endByte: 60,
  });
  const longer = { ...middle, 'content-range': 'bytes 40-59/101' };
  expect(judgeAnswer(ask, { statusCode: 206, headers: longer }).kind).toBe('doubt');
});

test('what is held behind a gap is not asked for again', () => {
  expect(askHeaders(plan({ ...held(40, strong), untilByte: 70 }))).toEqual({ range: 'bytes=40-69', 'if-range': '"a"' });
});

test('another address continues only what a digest of the whole proves, and its validators say nothing', () => {
  const promise = (byte: number) => `sha-256=:${Buffer.alloc(32, byte).toString('base64')}:`;
  const first = judgeAnswer(
    { kind: 'whole' },
    { statusCode: 200, headers: { ...strong, 'content-length': '100', 'repr-digest': promise(1) } },
  );
  if (first.kind !== 'begin') throw new Error('expected a beginning');
  const ask = planAsk({ held: { bytes: 40, pin: first.pin }, isOfUrl: false, hasChecksum: false });
  const there = { ...part, etag: '"b"' };
  const verdict = (headers: Record<string, string>) => judgeAnswer(ask, { statusCode: 206, headers }).kind;
  expect(verdict({ ...there, 'repr-digest': promise(1) })).toBe('join');
  expect(verdict({ ...there, 'repr-digest': promise(2) })).toBe('changed');
  expect(verdict(there)).toBe('changed');
  const byCaller = planAsk({ held: { bytes: 40, pin: first.pin }, isOfUrl: false, hasChecksum: true });
  expect(judgeAnswer(byCaller, { statusCode: 206, headers: there }).kind).toBe('join');
});
