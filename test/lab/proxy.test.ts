import { expect, test } from 'vitest';
import { type Lab, type LabProxy, type ProxyPlan, startLab } from '../../src/lab/index.ts';
import { open, parseAnswer, requestText } from './raw-client.ts';

async function behind(plan: ProxyPlan) {
  const lab = await startLab();
  return { lab, proxy: await lab.proxy(plan), [Symbol.asyncDispose]: () => lab.close() };
}

function tunnel(lab: Lab, proxy: LabProxy, headers: Readonly<Record<string, string>> = {}) {
  const connection = open(proxy.url);
  const { host } = new URL(lab.origin);
  const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.write(`CONNECT ${host} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return connection;
}

const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

test('a tunnel passes bytes both ways and is written down', async () => {
  await using setup = await behind({});
  const run = setup.lab.play({ name: 'tunnel', resource: { sizeBytes: 100_000 } });
  const connection = tunnel(setup.lab, setup.proxy);
  await connection.untilSeen(established);
  expect(setup.proxy.openTunnels).toBe(1);
  connection.write(requestText(run.url, { Connection: 'close' }));
  const { bytes } = await connection.seen;
  expect(parseAnswer({ bytes: bytes.subarray(established.length), ended: 'fin' }).body.equals(run.bytes())).toBe(true);
  expect(setup.proxy.requests).toMatchObject([{ n: 1, method: 'CONNECT', status: 200, endedBy: 'closed' }]);
  expect(setup.proxy.requests[0]!.bytesDown).toBe(bytes.length - established.length);
});

test('a request in absolute form reaches the origin', async () => {
  await using setup = await behind({});
  const run = setup.lab.play({ name: 'absolute', resource: { sizeBytes: 1000 } });
  const connection = open(setup.proxy.url);
  connection.write(`GET ${run.url} HTTP/1.1\r\nHost: ${new URL(run.url).host}\r\nProxy-Connection: x\r\n\r\n`);
  expect(parseAnswer(await connection.seen).body.equals(run.bytes())).toBe(true);
  expect(run.record.requests[0]!.headers['proxy-connection']).toBeUndefined();
});

test('without the right credentials it is 407, and the connection may be used again', async () => {
  await using setup = await behind({ credentials: 'me:secret' });
  const connection = tunnel(setup.lab, setup.proxy);
  await connection.untilSeen('Proxy-Authenticate: Basic realm="lab"');
  const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  connection.write(
    `CONNECT ${new URL(setup.lab.origin).host} HTTP/1.1\r\nProxy-Authorization: ${authorization}\r\n\r\n`,
  );
  await connection.untilSeen(established);
  expect(setup.proxy.requests.map(({ status }) => status)).toEqual([407, 200]);
  connection.socket.destroy();
});

test('tunnels above the limit are 403 without Retry-After, until one is closed', async () => {
  await using setup = await behind({ maxTunnels: 1 });
  const first = tunnel(setup.lab, setup.proxy);
  await first.untilSeen(established);
  const refused = parseAnswer(await tunnel(setup.lab, setup.proxy).seen);
  expect([refused.status, refused.headers['retry-after']]).toEqual([403, undefined]);
  first.socket.end();
  await first.seen;
  const again = tunnel(setup.lab, setup.proxy);
  await again.untilSeen(established);
  again.socket.destroy();
  expect(setup.proxy.maxOpenTunnels).toBe(1);
});

test('rules refuse, reset behind the 200, cut the tunnel, and stall by the number of the request', async () => {
  await using setup = await behind({
    rules: [
      { on: 1, do: { kind: 'status', status: 502, headers: { Connection: 'close' } } },
      { on: 2, do: { kind: 'cut', by: 'rst', at: 'established' } },
      { on: 3, do: { kind: 'cut', by: 'rst', at: 'tunnel', atByte: 1000 } },
      { on: 4, do: { kind: 'cut', by: 'fin', at: 'request' } },
      { on: 5, do: { kind: 'stall', at: 'request' } },
    ],
  });
  const run = setup.lab.play({ name: 'rules', resource: { sizeBytes: 100_000 } });
  expect(parseAnswer(await tunnel(setup.lab, setup.proxy).seen).status).toBe(502);
  expect(await tunnel(setup.lab, setup.proxy).seen).toEqual({ bytes: Buffer.from(established), ended: 'ECONNRESET' });
  const cut = tunnel(setup.lab, setup.proxy);
  await cut.untilSeen(established);
  cut.write(requestText(run.url));
  const { bytes, ended } = await cut.seen;
  expect([bytes.length, ended]).toEqual([established.length + 1000, 'ECONNRESET']);
  expect(await tunnel(setup.lab, setup.proxy).seen).toEqual({ bytes: Buffer.alloc(0), ended: 'fin' });
  const silent = tunnel(setup.lab, setup.proxy);
  await setup.proxy.untilRequest(5);
  silent.socket.end();
  expect((await silent.seen).bytes.length).toBe(0);
});

test('an origin that refuses is 503', async () => {
  await using setup = await behind({});
  const connection = open(setup.proxy.url);
  connection.write(`CONNECT 127.0.0.1:${await setup.lab.reservePort()} HTTP/1.1\r\n\r\n`);
  const answer = parseAnswer(await connection.seen);
  expect([answer.status, answer.headers['x-squid-error']]).toEqual([503, 'ERR_CONNECT_FAIL 111']);
});

test('closing the lab closes its proxies', async () => {
  const lab = await startLab();
  const proxy = await lab.proxy();
  const connection = tunnel(lab, proxy);
  await connection.untilSeen(established);
  await lab.close();
  await connection.seen;
  expect(proxy.openSockets).toBe(0);
  expect((await open(proxy.url).seen).ended).toBe('ECONNREFUSED');
});
