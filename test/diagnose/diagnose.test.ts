/** What a diagnosis promises, whatever it finds: limits, manners, secrets, and that nothing is left behind. */
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { type DiagnoseEvent, describeDiagnosis, diagnose, renderDiagnosisPage } from '../../src/diagnose/index.ts';
import { type Lab, type Run, type Scenario, startLab } from '../../src/lab/index.ts';
import { systemRuntime } from '../../src/runtime/index.ts';

const small = { sizeBytes: 10_000 };
const alone = { proxy: false, otherClients: false } as const;

async function playing(scenario: Omit<Scenario, 'name'>, act: (run: Run, lab: Lab) => Promise<void>): Promise<void> {
  await using lab = await startLab();
  await act(lab.play({ name: 'subject', resource: small, ...scenario }, { port: 'own' }), lab);
}

const failing: Scenario['requests'] = [{ on: 'every', do: { kind: 'status', status: 503 } }];

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
  test(`a ${method} is not sent uninvited, and the verdict says how to allow it`, () =>
    playing({ requests: failing }, async (run) => {
      const { verdict, requestCount } = await diagnose(run.url, { ...alone, method, body: 'a=1' });
      expect(run.record.requests).toEqual([]);
      expect(run.record.effects).toEqual([]);
      expect(requestCount).toBe(0);
      expect(verdict).toMatchObject({
        kind: 'not-settled',
        settler: { how: expect.stringContaining('--allow-writes') },
      });
    }));
}

test('an invited POST is sent, and only that method and what is safe', () =>
  playing({ requests: failing }, async (run) => {
    const { requestCount } = await diagnose(run.url, { ...alone, method: 'POST', body: 'a=1', allowWrites: true });
    expect(new Set(run.record.requests.map(({ method }) => method))).toEqual(new Set(['POST']));
    expect(run.requestCount).toBe(requestCount);
  }));

test('a GET that fails never becomes another method that changes something', () =>
  playing({ requests: failing }, async (run) => {
    await diagnose(run.url, { proxy: false });
    expect(
      run.record.requests.map(({ method }) => method).filter((method) => !['GET', 'HEAD'].includes(method)),
    ).toEqual([]);
    expect(run.record.effects).toEqual([]);
  }));

test('it sends no more requests than it may, and what it counts is what the server saw', () =>
  playing({ requests: failing }, async (run) => {
    for (const maxRequests of [1, 3, 7]) {
      const before = run.requestCount;
      const { requestCount, endedBy } = await diagnose(run.url, { ...alone, maxRequests });
      expect(run.requestCount - before).toBe(requestCount);
      expect(requestCount).toBeLessThanOrEqual(maxRequests);
      expect(endedBy).toBe('requests');
    }
  }));

test('with curl and fetch, too, the server sees as many requests as are counted', () =>
  playing({}, async (run) => {
    const { requestCount } = await diagnose(run.url, { proxy: false });
    expect(run.requestCount).toBe(requestCount);
  }));

test('it reads no more bytes than it may, but for what is on its way', () =>
  playing({ resource: { sizeBytes: 8 * 1_048_576 } }, async (run) => {
    const { bytesRead } = await diagnose(run.url, { ...alone, maxBytes: 1_000_000 });
    expect(bytesRead).toBeGreaterThan(500_000);
    expect(bytesRead).toBeLessThan(1_000_000 + 20 * 65_536);
  }));

test('when its time is up it says what it knows, and what would settle it', () =>
  playing({ requests: [{ on: 'every', do: { kind: 'stall', at: 'request' } }] }, async (run) => {
    const { verdict, endedBy } = await diagnose(run.url, { ...alone, maxMs: 300 });
    expect(endedBy).toBe('time');
    expect(verdict).toMatchObject({ kind: 'not-settled', settler: { how: expect.stringContaining('--max-time') } });
    await run.untilIdle();
  }));

test('an abort rejects with its own reason at once, and no connection stays open', () =>
  playing({ requests: [{ on: 'every', do: { kind: 'stall', at: 'request' } }] }, async (run) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const diagnosis = diagnose(run.url, { ...alone, signal: controller.signal });
    await run.untilRequest(1).catch(() => {});
    await run.untilConnection(1);
    controller.abort(reason);
    await expect(diagnosis).rejects.toBe(reason);
    await run.untilIdle();
  }));

test('a signal that is aborted already sends nothing', () =>
  playing({}, async (run) => {
    const reason = new Error('never');
    await expect(diagnose(run.url, { ...alone, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(run.record.connections).toEqual([]);
  }));

test('behind a verdict no connection is open', () =>
  playing({}, async (run) => {
    await diagnose(run.url, { proxy: false });
    await run.untilIdle();
  }));

test('no credential is in the events, the text, the page or the diagnosis', () =>
  playing({ requests: [{ on: 'every', do: { kind: 'status', status: 401 } }], proxy: {} }, async (run) => {
    const events: DiagnoseEvent[] = [];
    const url = new URL(run.url);
    url.username = 'somebody';
    url.password = 'hunter2secret';
    url.searchParams.set('api_key', 'querysecret');
    const diagnosis = await diagnose(url, {
      proxy: run.proxy!.url.replace('//', '//proxyuser:proxysecret@'),
      headers: { Cookie: 'session=cookiesecret', 'X-Api-Key': 'headersecret' },
      onEvent: (event) => events.push(event),
    });
    const said = [
      JSON.stringify(events),
      JSON.stringify(diagnosis),
      describeDiagnosis(diagnosis).join('\n'),
      renderDiagnosisPage(diagnosis),
    ].join('\n');
    expect(said).not.toMatch(/hunter2secret|querysecret|cookiesecret|headersecret|proxysecret|proxyuser/);
    expect(said).not.toContain(Buffer.from('somebody:hunter2secret').toString('base64'));
    // They were used, though: else there would be nothing to hide.
    expect(run.record.requests[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('somebody:hunter2secret').toString('base64')}`,
    });
    expect(run.proxy!.requests[0]?.headers['proxy-authorization']).toBeDefined();
  }));

test('credentials do not follow a redirect to another origin', async () => {
  const seen: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end('here');
  });
  const first = createServer((_request, response) => {
    const { port } = other.address() as { port: number };
    response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
  });
  for (const server of [other, first]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = first.address() as { port: number };
  const { notes } = await diagnose(`http://127.0.0.1:${port}/`, {
    ...alone,
    headers: { Authorization: 'Bearer secret' },
  });
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter((value) => value !== undefined)).toEqual([]);
  expect(notes.join()).toContain('redirected (302)');
  for (const server of [other, first]) {
    server.closeAllConnections();
    server.close();
  }
});

test('whom we do not trust is sent nothing', async () => {
  await using lab = await startLab({ tls: true });
  const run = lab.play({ name: 'private', resource: small }, { port: 'own' });
  const { verdict } = await diagnose(run.url, { ...alone, headers: { Authorization: 'Bearer secret' } });
  expect(verdict.causes[0]?.cause).toBe('tls-untrusted');
  expect(run.record.requests).toEqual([]);
});

test('each experiment says what it would tell before it is made, and what it has moved', () =>
  playing({}, async (run) => {
    const events: DiagnoseEvent[] = [];
    const { steps } = await diagnose(run.url, { ...alone, onEvent: (event) => events.push(event) });
    expect(steps.length).toBeGreaterThan(2);
    for (const { experiment, asks, moved } of steps) {
      const announced = events.findIndex((event) => event.type === 'experiment' && event.experiment === experiment);
      const found = events.findIndex((event) => event.type === 'finding' && event.experiment === experiment);
      expect(announced).toBeGreaterThanOrEqual(0);
      expect(found).toBeGreaterThan(announced);
      expect(asks).toMatch(/\?$/);
      expect(moved.after.length).toBeGreaterThan(0);
    }
    expect(events.at(-1)?.type).toBe('diagnosis');
  }));

for (const [what, url, options, words] of [
  ['a URL without a scheme', 'example.com', {}, 'absolute http or https URL'],
  ['a scheme that is not HTTP', 'ftp://example.com/', {}, 'absolute http or https URL'],
  ['a method with a space', 'http://a.test/', { method: 'GET X' }, 'method must be a token'],
  ['no requests at all', 'http://a.test/', { maxRequests: 0 }, 'maxRequests must be a whole number from 1'],
  ['a header that cannot be', 'http://a.test/', { headers: { 'a b': 'c' } }, 'valid name and value'],
  ['a proxy that is none', 'http://a.test/', { proxy: 'socks5://a:1' }, 'proxy'],
] as const) {
  test(`${what} is refused with one line that says what must hold`, async () => {
    await expect(diagnose(url, options)).rejects.toMatchObject({
      code: 'ERR_REKNIT_CONFIG',
      message: expect.stringContaining(words),
    });
  });
}

test('the clock is the one that is handed in', () =>
  playing({}, async (run) => {
    const runtime = {
      ...systemRuntime,
      clock: { ...systemRuntime.clock, wallMs: () => Date.UTC(2001, 1, 2, 3, 4, 5) },
    };
    const diagnosis = await diagnose(run.url, { ...alone, runtime, maxRequests: 3 });
    expect(diagnosis.startedAt).toBe('2001-02-02T03:04:05.000Z');
    expect(diagnosis.connections[0]?.requests[0]?.at).toBe('2001-02-02T03:04:05.000Z');
  }));
