/** Findings with their numbers: what a body without a length is worth, how many at once, and whose limit that is. */
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { type DiagnoseOptions, type Diagnosis, describeDiagnosis, diagnose } from '../../src/diagnose/index.ts';
import { type LabOptions, type Scenario, startLab } from '../../src/lab/index.ts';

const large = { sizeBytes: 4 * 1_048_576 };
const unframed = { ...large, framing: 'close', validator: 'none' } as const;
const cut = { kind: 'cut', by: 'fin', at: 'body', atRandomByte: { min: 100_000, max: 2_000_000 } } as const;
const alone = { proxy: false, otherClients: false } as const;

async function diagnosing(
  scenario: Omit<Scenario, 'name'>,
  lab: LabOptions = {},
  options: DiagnoseOptions = alone,
): Promise<Diagnosis> {
  await using own = await startLab({ seed: 7, ...lab });
  const run = own.play({ name: 'subject', ...scenario }, { port: 'own' });
  await run.ready;
  const proxy = scenario.proxy === undefined ? {} : { proxy: run.proxy!.url };
  const diagnosis = await diagnose(run.url, {
    ...options,
    ...proxy,
    ...(own.ca === undefined ? {} : { tls: { ca: own.ca } }),
  });
  expect(run.requestCount).toBeLessThanOrEqual(60);
  return diagnosis;
}

const first = ({ verdict }: Diagnosis) => verdict.causes[0]?.cause;
const plain = ({ steps }: Diagnosis) => steps.find(({ experiment }) => experiment === 'plain');

test.concurrent('a body without a length that ends early is a cut: what follows its last byte was asked for, and came', async () => {
  const diagnosis = await diagnosing({ resource: unframed, requests: [{ on: [1, 2, 3], do: cut }] });
  expect(plain(diagnosis)?.outcome).toBe('cut-in-body');
  expect(plain(diagnosis)?.evidence).toContain('of 4,194,304');
  expect(['random-cuts', 'passed']).toContain(first(diagnosis));
});

test.concurrent('a body without a length whose end is proven is well', async () => {
  const diagnosis = await diagnosing({ resource: unframed });
  expect(first(diagnosis)).toBe('nothing-wrong');
  expect(diagnosis.notes).toEqual([]);
});

test.concurrent('without ranges the lengths of several bodies are compared: the beginning of a longer one was cut', async () => {
  const diagnosis = await diagnosing({
    resource: { ...unframed, ranges: 'refused' },
    requests: [{ on: 'every', do: cut }],
  });
  expect(first(diagnosis)).toBe('random-cuts');
});

test.concurrent('where nothing can prove the end of a body, that is said', async () => {
  const diagnosis = await diagnosing({ resource: { ...unframed, ranges: 'refused' } });
  expect(first(diagnosis)).toBe('nothing-wrong');
  expect(diagnosis.notes.join()).toContain('cannot be proven from here');
});

for (const limit of [1, 3, 5]) {
  test.concurrent(`a limit of ${limit} at once is found by its number`, async () => {
    const diagnosis = await diagnosing({
      resource: large,
      requests: [{ on: 'every', where: { concurrentAbove: limit }, do: { kind: 'status', status: 503 } }],
    });
    expect(first(diagnosis)).toBe('connection-limit');
    expect(diagnosis.measured.limitNumber).toBe(limit);
    expect(describeDiagnosis(diagnosis).join('\n')).toContain(`the limit is ${limit} at once`);
  });
}

test.concurrent('a limit that is not there past the proxy is the proxy’s', async () => {
  const diagnosis = await diagnosing(
    { resource: large, proxy: { maxTunnels: 2 } },
    { tls: true },
    { otherClients: false },
  );
  expect(first(diagnosis)).toBe('connection-limit');
  expect(diagnosis.measured.limitOf).toBe('proxy');
});

/** Answers 503 in the server’s place while more than two requests are under way, as a busy gateway would. */
async function limitingProxy(): Promise<{ readonly url: string; close(): void }> {
  let running = 0;
  const server = createServer((request, response) => {
    running += 1;
    response.once('close', () => {
      running -= 1;
    });
    if (running > 2) {
      response.writeHead(503).end();
      return;
    }
    const { method, headers } = request;
    const passedOn = ask(request.url!, { method: method!, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    passedOn.on('error', () => response.destroy());
    response.once('close', () => passedOn.destroy());
    request.pipe(passedOn);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test.concurrent('a limit in the server’s words that is not there past the proxy is the proxy’s', async () => {
  const proxy = await limitingProxy();
  const diagnosis = await diagnosing(
    { resource: { sizeBytes: 64 * 1_048_576 } },
    {},
    { proxy: proxy.url, otherClients: false },
  ).finally(() => proxy.close());
  expect(first(diagnosis)).toBe('connection-limit');
  expect(diagnosis.measured).toMatchObject({ limitNumber: 2, limitOf: 'proxy' });
});

test.concurrent('a limit that is there past the proxy, too, is the server’s', async () => {
  const diagnosis = await diagnosing(
    {
      // More than a proxy and the kernel hold back: else the server has done with some before we have read them.
      resource: { sizeBytes: 64 * 1_048_576 },
      proxy: {},
      requests: [{ on: 'every', where: { concurrentAbove: 2 }, do: { kind: 'status', status: 503 } }],
    },
    {},
    { otherClients: false },
  );
  expect(first(diagnosis)).toBe('connection-limit');
  expect(diagnosis.measured).toMatchObject({ limitNumber: 2, limitOf: 'server' });
});

test.concurrent('HTTP/2 is asked first where it is offered, and HTTP/1.1 beside it where that fails', async () => {
  const diagnosis = await diagnosing(
    { resource: large, requests: [{ on: 'every', do: { kind: 'rst-stream', code: 'INTERNAL_ERROR', at: 'request' } }] },
    { tls: true, http2: true },
  );
  expect(plain(diagnosis)?.outcome).toBe('h2-broken');
  expect(first(diagnosis)).toBe('http2-trouble');
});

test.concurrent('one failure is no lasting one: it is called over, with what chance leaves open', async () => {
  const diagnosis = await diagnosing({
    resource: large,
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 300_000 } }],
  });
  expect(first(diagnosis)).toBe('passed');
  expect(diagnosis.notes.join()).toMatch(/in a row went well: if it still fails by chance, it is less than \d+ %/);
});

test.concurrent('connections that are ended on accept three times are not called ended for ever', async () => {
  const diagnosis = await diagnosing({
    resource: large,
    connections: [{ on: { to: 3 }, do: { kind: 'cut', by: 'fin' } }],
  });
  expect(first(diagnosis)).toBe('passed');
});

test.concurrent('what a signed address refuses the second time is asked for by the original one again', async () => {
  const diagnosis = await diagnosing({
    resource: large,
    requests: [
      {
        on: 'every',
        where: { file: 'file.bin' },
        do: { kind: 'redirect', status: 307, to: 'signed', validForRequests: 1 },
      },
      { on: [1, 2], where: { file: 'signed.bin' }, do: { kind: 'cut', by: 'rst', at: 'body', atByte: 300_000 } },
    ],
  });
  expect(['random-cuts', 'passed']).toContain(first(diagnosis));
});
