import { expect, test } from 'vitest';
import { OneShotBody } from './one-shot-body.ts';

function streamOf(chunks: readonly string[], onCancel?: () => void): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull: (controller) => {
      const next = left.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(next));
    },
    cancel: () => onCancel?.(),
  });
}

const sent = (body: OneShotBody) => new Response(body.produce().body as ReadableStream).text();

test('each attempt gets the whole body, though the source is read once', async () => {
  const body = new OneShotBody(streamOf(['one ', 'two ', 'three']), 100);
  const first = (body.produce().body as ReadableStream<Uint8Array>).getReader();
  await first.read();
  expect(await sent(body)).toBe('one two three');
  expect(await sent(body)).toBe('one two three');
  expect(body.isReplayable()).toBe(true);
  await expect(first.read()).rejects.toThrow('a newer attempt');
});

test('a body beyond the bound is sent once, whole, and then never again', async () => {
  const body = new OneShotBody(streamOf(['12345', '67890', 'x']), 9);
  expect(await sent(body)).toBe('1234567890x');
  expect(body.isReplayable()).toBe(false);
});

test('a second attempt that meets the bound still gets everything', async () => {
  const body = new OneShotBody(streamOf(['12345', '67890', 'x']), 9);
  await (body.produce().body as ReadableStream<Uint8Array>).getReader().read();
  expect(await sent(body)).toBe('1234567890x');
});

test('a stream that was read from is refused: what is left of it is not the body', async () => {
  const used = streamOf(['a', 'b']);
  const reader = used.getReader();
  await reader.read();
  reader.releaseLock();
  expect(() => new OneShotBody(used, 100)).toThrow(TypeError);
});

test('an async iterable of strings and bytes is a body, and its buffers may be used again', async () => {
  const buffer = new Uint8Array(1);
  async function* chunks() {
    for (const letter of 'abc') {
      buffer.set(new TextEncoder().encode(letter));
      yield buffer;
    }
    yield 'd';
  }
  const body = new OneShotBody(chunks(), 100);
  expect(await sent(body)).toBe('abcd');
  expect(await sent(body)).toBe('abcd');
});

test('a source that fails is the fault of the caller', async () => {
  const failure = Object.assign(new Error('disk'), { code: 'ECONNRESET' });
  const source = new ReadableStream({ pull: (controller) => controller.error(failure) });
  const body = new OneShotBody(source, 100);
  await expect(sent(body)).rejects.toBe(failure);
  expect(body.sourceError).toEqual({ error: failure });
});

test('a source that is not read to its end is cancelled when the request is over', async () => {
  let isCancelled = false;
  const body = new OneShotBody(
    streamOf(['a', 'b', 'c'], () => {
      isCancelled = true;
    }),
    100,
  );
  await (body.produce().body as ReadableStream<Uint8Array>).getReader().read();
  body.release();
  expect(isCancelled).toBe(true);
});
