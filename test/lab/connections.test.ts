import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { type ConnectionFault, type Lab, startLab } from '../../src/lab/index.ts';
import { exchange, open, requestText } from './raw-client.ts';

test('a connection is reset or ended as soon as it is accepted', async () => {
  await using lab = await startLab();
  for (const [by, ended] of [
    ['rst', 'ECONNRESET'],
    ['fin', 'fin'],
  ] as const) {
    const run = lab.play({
      name: 'accept',
      resource: { sizeBytes: 10 },
      connections: [{ on: [1, 2], do: { kind: 'cut', by } }],
    });
    const connection = open(run.url);
    expect(await connection.seen).toMatchObject({ ended });
    await open(run.url).seen;
    expect((await exchange(run.url)).body.length).toBe(10);
    expect(run.record.connections.map(({ faults }) => faults)).toEqual([['cut'], ['cut'], []]);
    expect(run.requestCount).toBe(1);
  }
});

test('a connection is accepted and never answered', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'silent', connections: [{ on: 1, do: { kind: 'stall' } }] });
  const connection = open(run.url);
  connection.write(requestText(run.url));
  await run.untilConnection(1);
  connection.socket.end();
  expect(await connection.seen).toMatchObject({ ended: 'fin', bytes: Buffer.alloc(0) });
  expect(run.requestCount).toBe(0);
  await run.untilIdle();
});

test('connections above a limit at the same time are reset', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'limit',
    connections: [{ on: 'every', concurrentAbove: 1, do: { kind: 'cut', by: 'rst' } }],
  });
  const kept = open(run.url);
  await run.untilConnection(1);
  expect((await open(run.url).seen).ended).toBe('ECONNRESET');
  kept.socket.destroy();
  await run.untilIdle();
  expect((await exchange(run.url)).status).toBe(200);
});

test('a port refuses until the test opens it', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'refused', refuses: { untilOpen: 'up' } });
  expect((await open(run.url).seen).ended).toBe('ECONNREFUSED');
  run.open('up');
  for (;;) {
    const { ended } = await exchange(run.url);
    if (ended === 'fin') break;
    expect(ended).toBe('ECONNREFUSED');
  }
  expect(run.requestCount).toBe(1);
});

test('a port refuses for a time', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'refused', refuses: { forMs: 30 } });
  const ends: string[] = [];
  while (ends.at(-1) !== 'fin') ends.push((await exchange(run.url)).ended);
  expect(new Set(ends)).toEqual(new Set(['ECONNREFUSED', 'fin']));
});

test('a queue that is full lets connects hang until there is room again', async () => {
  await using lab = await startLab();
  const run = lab.play({ name: 'overflow', resource: { sizeBytes: 10 }, overflows: { untilOpen: 'room' } });
  await run.ready;
  const startedAtMs = performance.now();
  const answer = exchange(run.url);
  // `connect` is called a turn later: a SYN that came while the port changes hands would be refused.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  run.open('room');
  expect((await answer).body.equals(run.bytes())).toBe(true);
  // The first SYN was dropped; Linux sends the second a second later.
  expect(performance.now() - startedAtMs).toBeGreaterThan(900);
  expect(run.record.connections.length).toBe(1);
});

test('a lab that closes wakes the thread that sleeps on a full queue', async () => {
  const lab = await startLab();
  const run = lab.play({ name: 'overflow', overflows: { untilOpen: 'never' } });
  await run.ready;
  await lab.close();
  expect((await open(run.url).seen).ended).toBe('ECONNREFUSED');
});

test('a reserved port refuses', async () => {
  await using lab = await startLab();
  expect((await open(`http://127.0.0.1:${await lab.reservePort()}`).seen).ended).toBe('ECONNREFUSED');
});

test('more runs with ports of their own than there are spare ones say what to do', async () => {
  await using lab = await startLab({ sparePorts: 1 });
  lab.play({ name: 'one' }, { port: 'own' });
  expect(() => lab.play({ name: 'two' }, { port: 'own' })).toThrow(/await something between two plays/);
});

interface TlsSeen {
  readonly bytes: Buffer;
  readonly ended: string;
}

function overTls(lab: Lab, url: string): Promise<TlsSeen> {
  const { port, host } = new URL(url);
  const socket = connectTls({ host: '127.0.0.1', port: Number(port), ca: lab.ca, servername: 'localhost' });
  const parts: Buffer[] = [];
  let ended = 'closed';
  socket.on('secureConnect', () => socket.write(requestText(url, { Host: host })));
  socket.on('data', (bytes) => parts.push(bytes));
  socket.on('end', () => {
    if (ended === 'closed') ended = 'end';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // Newer versions of OpenSSL say SSL/TLS where older ones say SSLV3.
    ended = (error.code ?? 'error').replace(/SSLV3_ALERT|SSL\/TLS_ALERT/, 'SSL_ALERT');
  });
  return new Promise((resolve) => socket.on('close', () => resolve({ bytes: Buffer.concat(parts), ended })));
}

const handshakes: readonly (readonly [ConnectionFault, code: string])[] = [
  [{ kind: 'tls-cut', by: 'rst' }, 'ECONNRESET'],
  [{ kind: 'tls-cut', by: 'fin' }, 'ECONNRESET'],
  [{ kind: 'tls-alert', alert: 40 }, 'ERR_SSL_SSL_ALERT_HANDSHAKE_FAILURE'],
  [{ kind: 'tls-alert', alert: 80 }, 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'],
  [{ kind: 'tls-garbage' }, 'ERR_SSL_WRONG_VERSION_NUMBER'],
  [{ kind: 'certificate', which: 'expired' }, 'CERT_HAS_EXPIRED'],
  [{ kind: 'certificate', which: 'other-host' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [{ kind: 'certificate', which: 'self-signed' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
];
for (const [fault, code] of handshakes) {
  test(`a handshake that meets ${JSON.stringify(fault)} is ${code}`, async () => {
    await using lab = await startLab({ tls: true });
    const run = lab.play({ name: 'handshake', connections: [{ on: 1, do: fault }] });
    expect((await overTls(lab, run.url)).ended).toBe(code);
    expect(run.requestCount).toBe(0);
  });
}

test('over TLS a body is cut at its byte by reset, by close_notify, or by FIN alone', async () => {
  await using lab = await startLab({ tls: true });
  expect(lab.origin).toMatch(/^https:/);
  for (const by of ['rst', 'fin', 'bare-fin'] as const) {
    const run = lab.play({
      name: 'cut',
      resource: { sizeBytes: 500_000 },
      requests: [{ on: 1, do: { kind: 'cut', by, at: 'body', atByte: 300_000 } }],
    });
    const { bytes, ended } = await overTls(lab, run.url);
    expect(bytes.length - bytes.indexOf('\r\n\r\n') - 4).toBe(300_000);
    expect(ended).toBe(by === 'rst' ? 'ECONNRESET' : 'end');
    await run.untilIdle();
  }
});

for (const [which, code] of [
  ['garbage', 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC'],
  ['plain-alert', 'ERR_SSL_BAD_RECORD_TYPE'],
  ['alert', 'ERR_SSL_SSL_ALERT_BAD_RECORD_MAC'],
] as const) {
  test(`over TLS a record that is ${which} strikes at its byte of the body: ${code}`, async () => {
    await using lab = await startLab({ tls: true });
    const run = lab.play({
      name: 'record',
      resource: { sizeBytes: 500_000 },
      requests: [
        {
          on: 1,
          // Behind garbage the lab goes on, and Node.js waits in silence until the connection ends.
          do: [
            { kind: 'tls-record', which, atByte: 300_000 },
            { kind: 'cut', by: 'bare-fin', at: 'end' },
          ],
        },
      ],
    });
    const { bytes, ended } = await overTls(lab, run.url);
    expect(ended).toBe(code);
    const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
    expect(body.equals(run.bytes().subarray(0, 300_000))).toBe(true);
    await run.untilIdle();
  });
}

test('a record of TLS wants a lab with TLS', async () => {
  await using lab = await startLab();
  const scenario = { name: 'tls', requests: [{ on: 1, do: { kind: 'tls-record', which: 'alert' } }] } as const;
  expect(() => lab.play(scenario)).toThrow('requests[0].do.kind must not be "tls-record" in a lab without TLS');
});

test('TLS faults want a lab with TLS', async () => {
  await using lab = await startLab();
  const scenario = { name: 'tls', connections: [{ on: 1, do: { kind: 'tls-garbage' } }] } as const;
  expect(() => lab.play(scenario)).toThrow(
    'Cannot play the scenario "tls" as connections[0].do.kind must be cut or stall in a lab without TLS: received "tls-garbage"',
  );
});
