/**
 * A one-shot body can be sent again while all of it that was read fits into `replayBufferBytes`. The connection died while
 * the next chunk was on its way from the source; that chunk came during the wait between the attempts, passed the bound,
 * and made the memory let go of the beginning. The second attempt then sent the rest of the body as if it were the whole,
 * and the server answered 200.
 */
import { expect, test } from 'vitest';
import { createRequestBody } from '../../src/http/request-body.ts';
import { play, reasonOf } from '../sim/play.ts';

test('a body that can no longer be sent whole is not sent at all', async () => {
  let refused = 0;
  for (let seed = 0; seed < 100; seed += 1) {
    const run = await play({
      seed,
      request: { method: 'PUT', body: 'slow-one-shot', bodyBytes: 1_500, replayBufferBytes: 600 },
      faults: [{ kind: 'reset-after-send' }],
    });
    expect(run.breaches).toEqual([]);
    if (reasonOf(run) === 'body-not-replayable') refused += 1;
  }
  expect(refused).toBeGreaterThan(0);
});

test('a body that passed its bound while nobody read it refuses to be produced', async () => {
  let give: (chunk: string) => void = () => {};
  const source = (async function* () {
    yield 'first';
    yield await new Promise<string>((resolve) => {
      give = resolve;
    });
  })();
  const body = createRequestBody(source, 8);
  const dead = (body.produce().body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await dead.next();
  const pending = dead.next();
  await Promise.resolve();
  expect(body.isReplayable()).toBe(true);
  give('second');
  await pending;
  expect(body.isReplayable()).toBe(false);
  expect(() => body.produce()).toThrow('can be sent only once');
});

test('a body that was released does not end as if it were whole', async () => {
  const body = createRequestBody(
    (async function* () {
      yield 'one';
      yield 'two';
    })(),
    100,
  );
  const first = (body.produce().body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i += 1) await first.next();
  const second = (body.produce().body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await second.next();
  body.release();
  await expect(second.next()).rejects.toThrow('does not send');
});
