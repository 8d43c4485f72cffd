/** Streams of models through the gateway: the client sees one answer, knows its end, and never takes a cut for one. */
import { expect, test } from 'vitest';
import { type Lab, modelStream, type StreamPlan, startLab, textOf } from '../../src/lab/index.ts';
import { chat, contentOf, openGate, readAll, upstream } from './gate.ts';

function play(lab: Lab, plan: StreamPlan) {
  return lab.play(modelStream(plan), { port: 'own' });
}

test('a healthy stream passes byte for byte', async () => {
  await using lab = await startLab();
  const run = play(lab, { name: 'well' });
  await using gate = await openGate({ upstreams: [upstream('well', run)] });
  const { status, text, error, headers } = await readAll(await chat(gate.url));
  expect([status, error, text]).toEqual([200, undefined, run.bytes().toString()]);
  expect(headers.get('x-reknit-attempts')).toBe('1');
  expect(headers.get('x-reknit-upstream')).toBe('well');
});

test('before the first output every trouble goes elsewhere, and one lifecycle is visible', async () => {
  const troubles: StreamPlan['trouble'][] = [
    { kind: 'cut', atToken: 0, by: 'rst' },
    { kind: 'stall', atToken: 0 },
    { kind: 'silence' },
    { kind: 'first-event-error', code: 'overloaded_error' },
    { kind: 'malformed', atToken: 0 },
    { kind: 'no-end', atToken: 0 },
    { kind: 'slow-first-token', delayMs: 5_000 },
    { kind: 'status', status: 503 },
  ];
  for (const trouble of troubles) {
    await using lab = await startLab();
    const bad = play(lab, { name: 'bad', model: 'bad', ...(trouble === undefined ? {} : { trouble }) });
    const well = play(lab, { name: 'well', model: 'well' });
    await using gate = await openGate({ upstreams: [upstream('bad', bad), upstream('well', well, { tier: 1 })] });
    const { status, text, error, headers } = await readAll(await chat(gate.url));
    expect([trouble?.kind, status, error, text]).toEqual([trouble?.kind, 200, undefined, well.bytes().toString()]);
    expect(headers.get('x-reknit-attempts')).toBe('2');
    expect([bad.requestCount, well.requestCount]).toEqual([1, 1]);
  }
});

test('after the first output nobody else is asked: the error in the words of the protocol, no last word, and a cut', async () => {
  const troubles: StreamPlan['trouble'][] = [
    { kind: 'cut', atToken: 6, by: 'rst' },
    { kind: 'cut', atToken: 6, by: 'fin' },
    { kind: 'no-end', atToken: 6 },
    { kind: 'stall', atToken: 6 },
    { kind: 'error-after', atToken: 6, code: 'overloaded_error' },
    { kind: 'malformed', atToken: 6 },
  ];
  for (const trouble of troubles) {
    await using lab = await startLab();
    const bad = play(lab, { name: 'bad', ...(trouble === undefined ? {} : { trouble }) });
    const well = play(lab, { name: 'well' });
    await using gate = await openGate({ upstreams: [upstream('bad', bad), upstream('well', well, { tier: 1 })] });
    const { status, text, error } = await readAll(await chat(gate.url));
    expect([trouble?.kind, status, contentOf(text)]).toEqual([trouble?.kind, 200, textOf(6)]);
    expect(text).not.toContain('[DONE]');
    expect(text).toMatch(/data: \{"error":\{"message":/);
    expect(error).toBeInstanceOf(TypeError);
    expect(well.requestCount).toBe(0);
    expect(gate.gateway.status()[0]!.failedRequests).toBe(1);
  }
});

test('an answer that is whole without its last word gets it', async () => {
  await using lab = await startLab();
  const run = play(lab, { name: 'well', trouble: { kind: 'no-last-word' } });
  await using gate = await openGate({ upstreams: [upstream('well', run)] });
  const { text, error } = await readAll(await chat(gate.url));
  expect([error, contentOf(text)]).toEqual([undefined, textOf(12)]);
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(gate.gateway.status()[0]!.succeededRequests).toBe(1);
});

test('in mode atomic a cut costs the client nothing: the whole answer comes from whoever can give it', async () => {
  for (const atToken of [0, 6, 11]) {
    await using lab = await startLab();
    const bad = play(lab, { name: 'bad', trouble: { kind: 'cut', atToken, by: 'rst' } });
    const well = play(lab, { name: 'well', model: 'well' });
    await using gate = await openGate({
      upstreams: [upstream('bad', bad), upstream('well', well, { tier: 1 })],
      stream: { mode: 'atomic' },
    });
    const { text, error } = await readAll(await chat(gate.url));
    expect([error, text]).toEqual([undefined, well.bytes().toString()]);
    expect([bad.requestCount, well.requestCount]).toEqual([1, 1]);
  }
});

test('while nothing is decided the client is kept alive, and what fails then is told in the stream', async () => {
  await using lab = await startLab();
  const run = play(lab, { name: 'silent', trouble: { kind: 'silence' } });
  await using gate = await openGate({
    upstreams: [upstream('silent', run)],
    stream: { hold: '100ms' },
    timeouts: { deadline: '1s' },
  });
  const { status, text, error } = await readAll(await chat(gate.url));
  expect(status).toBe(200);
  expect(text).toMatch(/^(?:: keepalive\n\n){2,}data: \{"error":\{"message":"Request failed after 1 attempt /);
  expect(error).toBeInstanceOf(TypeError);
});

test('a first event that is the caller’s error becomes its status', async () => {
  await using lab = await startLab();
  const bad = play(lab, { name: 'bad', trouble: { kind: 'first-event-error', code: 'invalid_request_error' } });
  const well = play(lab, { name: 'well' });
  await using gate = await openGate({ upstreams: [upstream('bad', bad), upstream('well', well, { tier: 1 })] });
  const { status, text, headers } = await readAll(await chat(gate.url));
  expect([status, well.requestCount]).toEqual([400, 0]);
  expect(JSON.parse(text)).toMatchObject({ error: { code: 'invalid_request_error' } });
  expect(headers.get('x-reknit-attempts')).toBe('1');
});

test('a client that leaves takes the upstream’s request with it', async () => {
  await using lab = await startLab();
  for (const trouble of [{ kind: 'silence' }, { kind: 'stall', atToken: 0 }, { kind: 'stall', atToken: 3 }] as const) {
    const run = play(lab, { name: 'slow', trouble });
    await using gate = await openGate({
      upstreams: [upstream('slow', run)],
      timeouts: { headers: '1m', firstContent: '1m', idle: '1m' },
    });
    const leaving = new AbortController();
    const reading = chat(gate.url, { signal: leaving.signal }).then(readAll, (error: unknown) => error);
    await run.untilRequest(1);
    leaving.abort();
    await reading;
    await run.untilIdle();
    expect(run.requestCount).toBe(1);
    expect(gate.gateway.status()[0]).toMatchObject({ failedRequests: 0, inFlight: 0 });
  }
});
