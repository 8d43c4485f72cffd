/** `reknit lab` as a user meets it: it serves, lists, records, and ends when it is told to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { Agent, request } from 'undici';
import { describe, expect, test } from 'vitest';
import { type CatalogueEntry, catalogue, type RunRecord } from '../../src/lab/index.ts';
import { createFolder, type Ended, type JsonLine, jsonLines, reknit, start } from './command.ts';

interface RunningLab extends AsyncDisposable {
  readonly origin: string;
  readonly lines: JsonLine[];
  untilLine(holds: (line: JsonLine) => boolean): Promise<JsonLine>;
  untilWarned(): Promise<'warned'>;
  end(signal: NodeJS.Signals): Promise<Ended>;
}

function startFrontCommand(target: string, args: readonly string[] = []): Promise<RunningLab> {
  return startCommand(['--in-front-of', target, ...args]);
}

async function startCommand(args: readonly string[] = []): Promise<RunningLab> {
  const { child, ended } = start(['lab', '--port', '0', '--json', ...args]);
  const lines: JsonLine[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    const [last = '', ...whole] = (rest + chunk).split('\n').reverse();
    rest = last;
    lines.push(...whole.reverse().flatMap(jsonLines));
    for (const look of waiting) look();
  });
  const untilLine = (holds: (line: JsonLine) => boolean) =>
    new Promise<JsonLine>((resolve, reject) => {
      const look = () => {
        const line = lines.find(holds);
        if (line === undefined) return;
        waiting.delete(look);
        resolve(line);
      };
      waiting.add(look);
      look();
      void ended.then(({ stderr }) => reject(new Error(`the lab has ended: ${stderr}`)));
    });
  const listening = await untilLine(({ event }) => event === 'listening' || event === 'front');
  const warned = new Promise<'warned'>((resolve) => {
    child.stderr!.on('data', (text: string) => text.includes('warning: ') && resolve('warned'));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return {
    origin: String(listening.origin ?? listening.url),
    lines,
    untilLine,
    untilWarned: () => warned,
    end,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

async function textOf(url: string, accept = '*/*'): Promise<{ status: number; type: string; text: string }> {
  const response = await fetch(url, { headers: { accept }, redirect: 'manual' });
  return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
}

test('it serves every scenario under its name, and records what the client did', async () => {
  await using lab = await startCommand();
  const url = `${lab.origin}/s/rst/file.bin?run=mine`;
  await expect((await fetch(url)).arrayBuffer()).rejects.toThrow('terminated');
  const answer = await lab.untilLine(({ event }) => event === 'answer');
  expect(answer).toMatchObject({ run: 'mine', scenario: 'rst', n: 1, method: 'GET', answered: { endedBy: 'rst' } });
  const record = (await (await fetch(`${lab.origin}/record?run=mine`)).json()) as RunRecord;
  expect(record.requests).toHaveLength(1);
  expect(record.requests[0]!.answered).toMatchObject({ status: 200, endedBy: 'rst', complete: false });
});

test('another ?run= begins anew', async () => {
  await using lab = await startCommand();
  const statusOf = async (run: string) => (await fetch(`${lab.origin}/s/503-once/f?run=${run}`)).status;
  expect([await statusOf('a'), await statusOf('a'), await statusOf('b')]).toEqual([503, 200, 503]);
});

test('a scenario that disturbs connections leads to a port of its own', async () => {
  await using lab = await startCommand();
  const url = `${lab.origin}/s/reset-on-accept/file.bin?run=1`;
  const redirect = await fetch(url, { redirect: 'manual' });
  const location = redirect.headers.get('location')!;
  expect(redirect.status).toBe(307);
  expect(new URL(location).port).not.toBe(new URL(lab.origin).port);
  for (let connection = 1; connection <= 3; connection += 1) await expect(fetch(location)).rejects.toThrow();
  expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(8_388_608);
});

test('the page is HTML for browsers, loads nothing, and shows every scenario with a command', async () => {
  await using lab = await startCommand();
  const { type, text } = await textOf(`${lab.origin}/`, 'text/html,*/*;q=0.8');
  expect(type).toBe('text/html; charset=utf-8');
  for (const { scenario } of catalogue) expect(text).toContain(`id="s-${scenario.name}"`);
  expect(text).toContain(`curl -fL -o file.bin &#39;${lab.origin}/s/rst/file.bin?run=rst-`);
  expect(text).not.toMatch(/(?:src|href)="(?!data:|#|\/|http:\/\/127\.0\.0\.1:)/);
});

test('the page is plain text for curl, and JSON where it is asked for', async () => {
  await using lab = await startCommand();
  const plain = await textOf(`${lab.origin}/`);
  expect(plain.type).toBe('text/plain');
  expect(plain.text).toContain(`  clean: Nothing is wrong.\n    ${lab.origin}/s/clean/file.bin?run=clean-`);
  const listed = JSON.parse((await textOf(`${lab.origin}/?as=json`)).text) as CatalogueEntry[];
  const names = catalogue.map(({ scenario }) => scenario.name);
  // Behind the catalogue come the streams of models.
  expect(listed.map(({ scenario }) => scenario.name).slice(0, names.length)).toEqual(names);
});

test('every command of the page is a fresh run, and its record is linked', async () => {
  await using lab = await startCommand();
  const urlIn = (text: string) => /http:\S+\/s\/503-once\/file\.bin\?run=\S+/.exec(text)![0];
  const [first, second] = [urlIn((await textOf(lab.origin)).text), urlIn((await textOf(lab.origin)).text)];
  expect(first).not.toBe(second);
  expect([(await fetch(first)).status, (await fetch(second)).status]).toEqual([503, 503]);
  const run = new URL(first).searchParams.get('run');
  const record = await textOf(`${lab.origin}/record?run=${run}`, 'text/html');
  expect(record.text).toContain(`<h1>Run ${run}</h1>`);
  expect(record.text).toContain('1 request on');
});

test('what a client sends never becomes markup', async () => {
  await using lab = await startCommand();
  const name = encodeURIComponent('<img src=x>');
  await (await fetch(`${lab.origin}/s/clean/f?run=${name}`, { headers: { range: 'bytes=<b>' } })).arrayBuffer();
  const record = await textOf(`${lab.origin}/record?run=${name}`, 'text/html');
  const page = await textOf(`${lab.origin}/`, 'text/html');
  expect(record.text + page.text).not.toMatch(/<img|<b>bytes|bytes=<b>/);
  expect(record.text).toContain('&#60;img src=x&#62;');
});

const nothing: readonly (readonly [path: string, text: string])[] = [
  ['/nope', 'there is nothing here'],
  ['/s/nope/file.bin?run=1', 'no scenario of this name may be started here'],
  ['/s/rst/file.bin', 'a run needs a name, ?run=…'],
  ['/s/tls-expired/file.bin?run=1', 'this lab cannot play the scenario'],
  ['/record?run=nope', 'no such run: one begins with its first request'],
];
for (const [path, expected] of nothing) {
  test(`${path} is 404 and says why`, async () => {
    await using lab = await startCommand();
    const { status, text } = await textOf(`${lab.origin}${path}`);
    expect([status, text]).toEqual([404, expect.stringContaining(expected)]);
  });
}

test('with --tls the authority is at /ca.pem, and scenarios of handshakes are played', async () => {
  await using lab = await startCommand(['--tls']);
  const blind = new Agent({ connect: { rejectUnauthorized: false } });
  const ca = await (await request(`${lab.origin}/ca.pem`, { dispatcher: blind })).body.text();
  const agent = new Agent({ connect: { ca } });
  const clean = await request(`${lab.origin}/s/clean/file.bin?run=1`, { dispatcher: agent });
  expect((await clean.body.bytes()).byteLength).toBe(8_388_608);
  const { headers } = await request(`${lab.origin}/s/tls-expired/file.bin?run=2`, { dispatcher: agent });
  await expect(request(String(headers.location), { dispatcher: agent })).rejects.toThrow('certificate has expired');
  await Promise.all([blind.destroy(), agent.destroy()]);
});

test('scenarios of a file stand beside the catalogue; one of a known name takes its place', async () => {
  await using folder = await createFolder();
  await writeFile(
    folder.file('mine.yaml'),
    `- name: tiny
  description: A small file.
  resource: { bodyText: hello }
- name: clean
  resource: { sizeBytes: 2KiB }
`,
  );
  await using lab = await startCommand(['--scenarios', folder.file('mine.yaml')]);
  expect((await textOf(`${lab.origin}/s/tiny/x?run=1`)).text).toBe('hello');
  expect((await (await fetch(`${lab.origin}/s/clean/x?run=2`)).arrayBuffer()).byteLength).toBe(2048);
  expect((await textOf(`${lab.origin}/`)).text).toMatch(/^from a file\n {2}tiny: A small file\./);
});

test('the same seed makes the same bytes, another one others', async () => {
  const digestWith = async (seed: string) => {
    await using lab = await startCommand(['--seed', seed]);
    const bytes = await (await fetch(`${lab.origin}/s/clean/x?run=1`)).arrayBuffer();
    return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
  };
  const [one, again, other] = [await digestWith('5'), await digestWith('5'), await digestWith('6')];
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends it with exit 0, also while a client waits`, async () => {
    await using lab = await startCommand();
    const waiting = fetch(`${lab.origin}/s/stall-before-headers/x?run=1`).catch((error: Error) => error);
    await lab.untilLine(({ event }) => event === 'run');
    const { code, stderr } = await lab.end(signal);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^reknit: \d+ scenarios of broken connections at http:\/\/127\.0\.0\.1:\d+\//);
    expect(await waiting).toBeInstanceOf(Error);
  });
}

test('it warns when others can reach it, and is silent on loopback', async () => {
  await using open = await startCommand(['--host', '0.0.0.0', '--quiet']);
  expect((await open.end('SIGTERM')).stderr).toBe(
    'reknit: warning: others can reach this lab, as it listens on 0.0.0.0\n',
  );
  await using closed = await startCommand(['--quiet']);
  expect((await closed.end('SIGTERM')).stderr).toBe('');
});

describe('bad input: one line and nothing is served', () => {
  const wrong: readonly (readonly [args: readonly string[], code: number, line: string | RegExp])[] = [
    [['--port', 'http'], 2, 'Cannot use --port as it must be a whole number up to 65535: received "http"'],
    [['--port', '70000'], 2, 'Cannot use --port as it must be a whole number up to 65535: received "70000"'],
    [['--seed', '-1'], 2, 'Cannot use --seed as it must be a whole number up to 2147483647: received "-1"'],
    [['--scenarios', '/no/such.yaml'], 2, /^\/no\/such\.yaml: cannot be read: ENOENT/],
    [['--port', '0', '--host', '203.0.113.7'], 6, /^Cannot start the lab as this machine does not have that --host \(/],
    [
      ['--port', 'TAKEN'],
      6,
      /^Cannot start the lab as the port is taken: try another --port, or 0 for any free one \(/,
    ],
    [['--prot', '0'], 2, /^unknown option '--prot' \(Did you mean --port\?\)/],
  ];
  for (const [args, expected, line] of wrong) {
    test(args.join(' '), async () => {
      const taken = createTcpServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const port = String((taken.address() as AddressInfo).port);
      const { code, stdout, stderr } = await reknit(['lab', ...args.map((arg) => (arg === 'TAKEN' ? port : arg))]);
      taken.close();
      const [first, ...rest] = stderr.replace(/^reknit: /, '').split('\n');
      expect([code, stdout.length, rest]).toEqual([expected, 0, ['']]);
      if (typeof line === 'string') expect(first).toBe(line);
      else expect(first).toMatch(line);
    });
  }

  test('a mistake in a file of scenarios: its line, its field, what is allowed, what came', async () => {
    await using folder = await createFolder();
    const file = folder.file('mine.yaml');
    await writeFile(file, 'name: mine\nrequests:\n  - on: 1\n    do: { kind: cut, by: rts, at: body }\n');
    const { code, stderr } = await reknit(['lab', '--scenarios', file]);
    expect([code, stderr]).toEqual([
      2,
      `reknit: ${file}:4: requests[0].do.by must be one of rst, fin, bare-fin: received "rts"\n`,
    ]);
  });

  test('a scenario over TLS in a lab without it', async () => {
    await using folder = await createFolder();
    const file = folder.file('mine.yaml');
    await writeFile(file, 'name: mine\nconnections: [{ on: 1, do: { kind: tls-garbage } }]\n');
    const { code, stderr } = await reknit(['lab', '--scenarios', file]);
    expect([code, stderr]).toEqual([
      2,
      `reknit: Cannot play the scenario "mine" of ${file} as its connections must be served over TLS: received no --tls\n`,
    ]);
  });
});

describe('--in-front-of puts broken connections before any server', () => {
  async function startServer(bytes: Buffer) {
    const server = createHttpServer((_request, response) => response.end(bytes)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { target: `127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
  }

  test('rules of a file cut each connection at their byte, and every end is told', async () => {
    await using folder = await createFolder();
    using server = await startServer(Buffer.alloc(200_000, 'x'));
    await writeFile(folder.file('rules.yaml'), '- { on: 1, do: { kind: cut, by: rst, atByte: 64KiB } }\n');
    await using front = await startFrontCommand(server.target, ['--faults', folder.file('rules.yaml')]);
    await expect((await fetch(front.origin)).arrayBuffer()).rejects.toThrow('terminated');
    expect((await (await fetch(front.origin)).arrayBuffer()).byteLength).toBe(200_000);
    const first = await front.untilLine(({ event, n }) => event === 'connection' && n === 1);
    expect(first).toMatchObject({ endedBy: 'rst', bytesDown: 65_536, faults: ['cut'] });
  });

  test('without --faults connections are reset somewhere', async () => {
    using server = await startServer(Buffer.alloc(4_000_000, 'x'));
    await using front = await startFrontCommand(server.target);
    await expect((await fetch(front.origin)).arrayBuffer()).rejects.toThrow('terminated');
    expect(await front.untilLine(({ event }) => event === 'connection')).toMatchObject({ endedBy: 'rst' });
  });

  test('none passes everything, and Ctrl-C ends it with exit 0', async () => {
    using server = await startServer(Buffer.from('hello'));
    await using front = await startFrontCommand(server.target, ['--faults', 'none']);
    expect(await (await fetch(front.origin)).text()).toBe('hello');
    expect((await front.end('SIGINT')).code).toBe(0);
  });

  const wrong: readonly (readonly [args: readonly string[], line: string | RegExp])[] = [
    [
      ['--in-front-of', 'host'],
      'Cannot use --in-front-of as it must be HOST:PORT, for instance 127.0.0.1:8080 or [::1]:8080: received "host"',
    ],
    [['--in-front-of', 'host:70000'], /^Cannot use --in-front-of as it must be HOST:PORT/],
    [
      ['--in-front-of', 'host:80', '--tls'],
      'Cannot use --in-front-of as what passes is not changed: received --tls as well',
    ],
    [
      ['--in-front-of', 'host:80', '--faults', 'rts'],
      'Cannot use --faults as it must be one of rst, fin, stall, refuse, above-two, slow, none, or a file of rules: received "rts"',
    ],
    [['--in-front-of', 'host:80', '--faults', './rts.yaml'], /^\.\/rts\.yaml: cannot be read: ENOENT/],
    [['--faults', 'rst'], 'Cannot use --faults as it needs --in-front-of: received none'],
    [
      ['--kernel', 'explode'],
      /^Cannot use --kernel as it must be one of reset, reset-after=SIZE, .*: received "explode"$/,
    ],
    [['--kernel', 'loss=2'], /^Cannot use --kernel as it must be one of .*loss=RATIO, .*: received "loss=2"$/],
    [['--kernel', 'drop-after'], /^Cannot use --kernel as it must be .*: received "drop-after"$/],
  ];
  for (const [args, line] of wrong) {
    test(`${args.join(' ')}: exit 2 and one line`, async () => {
      const { code, stderr } = await reknit(['lab', '--port', '0', ...args]);
      const [first, ...rest] = stderr.replace(/^reknit: /, '').split('\n');
      expect([code, rest]).toEqual([2, ['']]);
      if (typeof line === 'string') expect(first).toBe(line);
      else expect(first).toMatch(line);
    });
  }
});

test('--kernel resets the packets of clients inside of its namespace, or says what is missing and goes on', async (context) => {
  await using lab = await startCommand(['--kernel', 'reset']);
  const end = () => lab.end('SIGTERM');
  expect((await fetch(`${lab.origin}/s/503-once/f?run=outside`)).status).toBe(503);
  const started = await Promise.race([lab.untilLine(({ event }) => event === 'kernel'), lab.untilWarned()]);
  if (started === 'warned') {
    const { code, stderr } = await end();
    expect(code).toBe(0);
    context.skip(stderr.split('\n').find((line) => line.includes('warning'))!);
  }
  const { enter, url } = started as unknown as { readonly enter: readonly string[]; readonly url: string };
  const script = `fetch('${url}/').then(() => process.exit(0), (error) => { console.log(error.cause.code); process.exit(7); })`;
  const [program, ...args] = [...enter, process.execPath, '-e', script];
  const client = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  client.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(client, 'close');
  expect([code, said]).toEqual([7, 'ECONNREFUSED\n']);
  expect((await end()).code).toBe(0);
});
