/**
 * The check of a content-coding reads along and may ask for a pause of its own. When it had caught up it resumed the body,
 * whether or not the consumer was ready: a slow reader of a compressed body had all of it in memory.
 */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CallDispatcher } from '../../src/http/healing.ts';
import type { HopHandler } from '../../src/http/hop-handler.ts';
import { resolveRules } from '../../src/http/request-options.ts';
import { createClient } from '../sim/consumers.ts';
import { plainSchedule } from '../sim/play.ts';
import { simulate } from '../sim/simulate.ts';

test('a consumer that has paused gets nothing when the decoder has room again', async () => {
  const { clock, transport } = simulate([]);
  const body = gzipSync(Buffer.alloc(4_000_000, 'some text that is long enough to be worth it'), { level: 0 });
  let at = 0;
  let hop: HopHandler | undefined;
  const flow = (): void => {
    while (at < body.length) {
      const chunk = body.subarray(at, at + 65_536);
      at += chunk.length;
      if (!hop!.onData(Buffer.from(chunk))) return;
    }
  };
  const gzipped = Object.assign(Object.create(transport) as typeof transport, {
    send(_options: unknown, given: HopHandler) {
      hop = given;
      given.onConnect(() => {});
      const headers = ['content-encoding', 'gzip', 'content-length', String(body.length)].map((text) =>
        Buffer.from(text),
      );
      if (given.onHeaders(200, headers, flow, '')) flow();
    },
  });
  const schedule = plainSchedule({ faults: [] });
  const { shared } = createClient(schedule, clock, gzipped);
  let chunks = 0;
  const handler = { onConnect() {}, onHeaders: () => true, onData: () => ++chunks < 0, onComplete() {}, onError() {} };
  const call = new CallDispatcher(shared, resolveRules({}, shared.policy));
  call.dispatch({ origin: 'http://origin.test', path: '/', method: 'GET', headers: [] } as never, handler as never);
  for (let turns = 0; turns < 200; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(chunks).toBe(1);
});
