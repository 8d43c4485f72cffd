import { Resolver } from 'node:dns/promises';
import { connect, type LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { type DnsPlan, type LabDns, startLab } from '../../../src/lab/index.ts';
import { requestText } from '../raw-client.ts';

async function asked(plan: DnsPlan) {
  const lab = await startLab();
  return { lab, dns: await lab.dns(plan), [Symbol.asyncDispose]: () => lab.close() };
}

/** c-ares, which reads the messages for itself. */
function resolverOf(dns: LabDns): Resolver {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([dns.server]);
  return resolver;
}

const codeOf = (promise: Promise<unknown>) => promise.then(String, (error: NodeJS.ErrnoException) => error.code);

function lookedUp(dns: LabDns, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    dns.lookup(name, { all: true }, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
}

test('addresses are answered by name and type, and written down', async () => {
  await using setup = await asked({ names: { 'a.test': ['127.0.0.1', '127.0.0.2', '::1', 'fe80::1:2'] } });
  const resolver = resolverOf(setup.dns);
  expect(await resolver.resolve4('A.test')).toEqual(['127.0.0.1', '127.0.0.2']);
  expect(await resolver.resolve6('a.test')).toEqual(['::1', 'fe80::1:2']);
  expect(await codeOf(resolver.resolve4('b.test'))).toBe('ENOTFOUND');
  expect(await codeOf(resolver.resolveMx('a.test'))).toBe('ENODATA');
  expect(setup.dns.queries).toMatchObject([
    { n: 1, over: 'udp', name: 'a.test', type: 'A', answered: 'addresses', addresses: ['127.0.0.1', '127.0.0.2'] },
    { n: 2, type: 'AAAA' },
    { name: 'b.test', answered: 'NXDOMAIN', addresses: [] },
    { type: 'other', answered: 'empty' },
  ]);
});

for (const [code, byCares, byLookup] of [
  ['NXDOMAIN', 'ENOTFOUND', 'ENOTFOUND'],
  ['SERVFAIL', 'ESERVFAIL', 'EAI_AGAIN'],
  ['REFUSED', 'EREFUSED', 'EAI_AGAIN'],
] as const) {
  test(`${code} comes and goes by the number of the query`, async () => {
    await using setup = await asked({ rules: [{ on: [1, 3], type: 'A', do: { kind: 'rcode', code } }] });
    const resolver = resolverOf(setup.dns);
    expect(await codeOf(resolver.resolve4('a.test'))).toBe(byCares);
    expect(await resolver.resolve4('a.test')).toEqual(['127.0.0.1']);
    expect(await codeOf(lookedUp(setup.dns, 'a.test'))).toBe(byLookup);
    expect(await lookedUp(setup.dns, 'a.test')).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });
}

test('a server that is silent is a time-out', async () => {
  await using setup = await asked({ rules: [{ on: 'every', do: { kind: 'silence' } }] });
  expect(await codeOf(lookedUp(setup.dns, 'a.test'))).toBe('EAI_AGAIN');
  expect(setup.dns.queries).toMatchObject([{ answered: 'nothing', fault: 'silence' }]);
});

test('an answer that does not fit is asked for again by TCP', async () => {
  await using setup = await asked({ rules: [{ on: 1, do: { kind: 'truncated' } }] });
  expect(await resolverOf(setup.dns).resolve4('a.test')).toEqual(['127.0.0.1']);
  expect(setup.dns.queries.map(({ over, answered }) => `${over} ${answered}`)).toEqual([
    'udp truncated',
    'tcp addresses',
  ]);
});

test('a name without addresses, other addresses for a time, and an answer that comes late', async () => {
  await using setup = await asked({
    rules: [
      { on: 1, do: { kind: 'empty' } },
      { on: 2, do: { kind: 'addresses', addresses: ['127.0.0.9'] } },
      { on: 3, do: { kind: 'delay', delayMs: 20 } },
    ],
  });
  const resolver = resolverOf(setup.dns);
  expect(await codeOf(resolver.resolve4('a.test'))).toBe('ENODATA');
  expect(await resolver.resolve4('a.test')).toEqual(['127.0.0.9']);
  expect(await resolver.resolve4('a.test')).toEqual(['127.0.0.1']);
});

for (const trouble of ['refuses', 'does not answer'] as const) {
  test(`beside an address that ${trouble} there is one that does`, async () => {
    await using setup = await asked({ names: { 'two.test': ['127.0.0.2', '127.0.0.1'] } });
    const { lab, dns } = setup;
    const port = Number(new URL(lab.origin).port);
    if (trouble === 'does not answer') await lab.blackhole({ host: '127.0.0.2', port });
    const run = lab.play({ name: 'two', resource: { sizeBytes: 10 } });
    const socket = connect({
      host: 'two.test',
      port,
      lookup: dns.lookup as LookupFunction,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 50,
    });
    const seen: Promise<number> = new Promise((resolve, reject) => {
      socket.once('data', (bytes) => resolve(bytes.length)).once('error', reject);
    });
    socket.write(requestText(run.url));
    expect(await seen).toBeGreaterThan(0);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });
}
