import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BodySource, createRequestBody } from '../../src/http/request-body.ts';

async function readAll(body: unknown, stopAfter = Number.POSITIVE_INFINITY): Promise<string> {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  if (body instanceof Blob) return body.text();
  const read: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    read.push(chunk);
    if (read.length >= stopAfter) break;
  }
  return Buffer.concat(read).toString();
}

async function* once(parts: readonly string[]): AsyncGenerator<string> {
  for (const one of parts) {
    await Promise.resolve();
    yield one;
  }
}

const parts = fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 6 });

test('every attempt of a body that can be sent again gets the whole of it', async () => {
  const sources = (list: readonly string[]): BodySource[] => {
    const whole = list.join('');
    return [
      whole,
      Buffer.from(whole),
      new Uint8Array(Buffer.from(whole)),
      new Blob([whole]),
      list,
      () => once(list),
      () => whole,
    ];
  };
  await fc.assert(
    fc.asyncProperty(
      parts,
      fc.nat({ max: 6 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
      async (list, kind, deaths) => {
        const body = createRequestBody(sources(list)[kind]!, 0);
        for (const stopAfter of deaths) await readAll(body.produce().body, stopAfter);
        expect(body.isReplayable()).toBe(true);
        expect(await readAll(body.produce().body)).toBe(list.join(''));
      },
    ),
    { numRuns: 300 },
  );
});

test('a one-shot body is whole for every attempt, or says that it cannot be; dead readers may still be waiting', async () => {
  let replayed = 0;
  let refused = 0;
  const steps = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(parts, fc.nat({ max: 40 }), steps, async (list, limit, deaths) => {
      const body = createRequestBody(once(list), limit);
      const pending: Promise<unknown>[] = [];
      for (const reads of deaths) {
        if (!body.isReplayable()) break;
        const reader = (body.produce().body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
        for (let read = 0; read < reads; read += 1) if ((await reader.next()).done === true) break;
        // An attempt that died while it was waiting for the source: nobody calls its reader back.
        pending.push(reader.next().catch(() => 'superseded'));
      }
      await Promise.resolve();
      if (!body.isReplayable() && deaths.length > 0) {
        refused += 1;
        expect(() => body.produce()).toThrow();
      } else {
        if (deaths.length > 0) replayed += 1;
        expect(await readAll(body.produce().body)).toBe(Buffer.from(list.join('')).toString());
      }
      await Promise.all(pending);
    }),
    { numRuns: 2_000 },
  );
  expect(replayed).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});

test('a reader that was superseded throws: it never ends as if its body were whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 6 }),
      async (list) => {
        const body = createRequestBody(once(list), 1_000);
        const dead = (body.produce().body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
        await dead.next();
        const alive = readAll(body.produce().body);
        await expect(dead.next()).rejects.toThrow();
        expect(await alive).toBe(Buffer.from(list.join('')).toString());
      },
    ),
    { numRuns: 200 },
  );
});

test('a source that fails is the caller’s failure for every attempt, whatever its code says', async () => {
  const { failureOf } = await import('../../src/core/index.ts');
  const failing = (): Error =>
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const reiterable = {
    async *[Symbol.asyncIterator]() {
      yield 'begin';
      throw failing();
    },
  };
  for (const source of [reiterable, reiterable[Symbol.asyncIterator]()]) {
    const body = createRequestBody(source, 100);
    const error = await readAll(body.produce().body).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(failureOf(error)).toMatchObject({ origin: 'caller', transient: false });
  }
});
