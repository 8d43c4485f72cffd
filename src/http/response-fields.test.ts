import { expect, test } from 'vitest';
import { pickFields } from './response-fields.ts';

const raw = (fields: Record<string, string>) =>
  Object.entries(fields).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)]);

test('names are found in any case, and fields that nobody asks for are passed over', () => {
  expect(pickFields(raw({ ETag: '"a"', 'CONTENT-LENGTH': '5', 'x-other-name': '1', Eta: 'b' }))).toEqual({
    etag: '"a"',
    contentLength: '5',
  });
});

test('a rate limit that is told under both of its names counts once', () => {
  const both = raw({ 'RateLimit-Reset': '7', 'X-RateLimit-Reset': '1800000000', 'x-ratelimit-remaining': '0' });
  expect(pickFields(both)).toEqual({ rateLimitReset: '7', rateLimitRemaining: '0' });
});

test('a list of a field is joined as RFC 9110, 5.3 says', () => {
  expect(pickFields([Buffer.from('transfer-encoding'), [Buffer.from('gzip'), Buffer.from('chunked')]])).toEqual({
    transferEncoding: 'gzip, chunked',
  });
});
