import { describe, expect, test } from 'vitest';
import { type EndProbeAnswer, endProbeRange, judgeEndProbe } from './end-probe.ts';

const before = { etag: 'W/"1"', lastModified: undefined };

test('what follows the last byte is asked for', () => {
  expect(endProbeRange(1_000)).toBe('bytes=1000-');
});

describe('behind byte 1,000', () => {
  test.each<[answer: EndProbeAnswer, kind: ReturnType<typeof judgeEndProbe>['kind']]>([
    [{ statusCode: 416, contentRange: 'bytes */1000' }, 'ends-here'],
    [{ statusCode: 416, contentRange: 'bytes */1000', etag: 'W/"1"' }, 'ends-here'],
    [{ statusCode: 416, contentRange: 'bytes */1000', etag: 'W/"2"' }, 'unknown'],
    [{ statusCode: 416, contentRange: 'bytes */900' }, 'unknown'],
    [{ statusCode: 416, contentRange: 'bytes */1001' }, 'goes-on'],
    [{ statusCode: 416 }, 'unknown'],
    [{ statusCode: 206, contentRange: 'bytes 1000-1999/2000' }, 'goes-on'],
    [{ statusCode: 206, contentRange: 'bytes 1000-1999/*' }, 'goes-on'],
    [{ statusCode: 206, contentRange: 'bytes 0-1999/2000' }, 'unknown'],
    [{ statusCode: 206, contentRange: 'bytes 1000-1999/2000', etag: '"other"' }, 'unknown'],
    [{ statusCode: 206 }, 'unknown'],
    [{ statusCode: 200, contentLength: '1000' }, 'ends-here'],
    [{ statusCode: 200, contentLength: '2000' }, 'goes-on'],
    [{ statusCode: 200, contentLength: '10' }, 'unknown'],
    [{ statusCode: 200 }, 'unknown'],
    [{ statusCode: 404, contentLength: '1000' }, 'unknown'],
    [{ statusCode: 503 }, 'unknown'],
  ])('%o: %s', (answer, kind) => {
    expect(judgeEndProbe(1_000, before, answer).kind).toBe(kind);
  });
});
