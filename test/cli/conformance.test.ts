/** `reknit conformance` over small clients whose behaviour is known: what it says of them, and that nothing is left behind. */
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createFolder, type Folder, jsonLines, reknit, start } from './command.ts';

/** Tries five times, whole; believes neither errors nor empty bodies. */
const right = `
import { writeFileSync } from 'node:fs';
const [url, file] = process.argv.slice(2);
for (let attempt = 0; attempt < 5; attempt += 1) {
  try {
    const response = await fetch(url);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 404) process.exit(22);
    if (!response.ok) continue;
    if (file === undefined) process.stdout.write(bytes, () => process.exit(0));
    else { writeFileSync(file, bytes); process.exit(0); }
    await new Promise(() => {});
  } catch {}
}
console.error('gave up');
process.exit(1);
`;

/** Calls every end an end: what came is the file. */
const corrupt = `
import { writeFileSync } from 'node:fs';
const [url, file] = process.argv.slice(2);
const chunks = [];
try { for await (const chunk of (await fetch(url)).body) chunks.push(chunk); } catch {}
writeFileSync(file, Buffer.concat(chunks));
`;

/** Right where nothing is wrong; in trouble it waits for ever, and so does a process that it has started. Both hold a line to the test. */
const hanging = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
const [url, file, port] = process.argv.slice(2);
try {
  writeFileSync(file, Buffer.from(await (await fetch(url)).arrayBuffer()));
} catch {
  const line = (name) => "require('node:net').connect(" + port + ").on('error', () => {}).write('" + name + "')";
  spawn(process.execPath, ['-e', line('grandchild')], { stdio: 'inherit' });
  connect(Number(port)).on('error', () => {}).write('child');
  await new Promise(() => setInterval(() => {}, 1000));
}
`;

/** Right, but it leaves a process that holds its output open. */
const leaving = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const [url, file, port] = process.argv.slice(2);
writeFileSync(file, Buffer.from(await (await fetch(url)).arrayBuffer()));
const wait = "const line = require('node:net').connect(" + port + ", () => { line.write('left'); process.send('up'); }); setInterval(() => {}, 1000)";
const child = spawn(process.execPath, ['-e', wait], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
child.once('message', () => process.exit(0));
`;

async function clientIn(folder: Folder, source: string): Promise<string> {
  await writeFile(folder.file('client.mjs'), source);
  return folder.file('client.mjs');
}

/** Processes say by a connection that they live; the kernel says by its end that they do not. */
async function openRegister() {
  const names: string[] = [];
  const gone: Promise<unknown>[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    gone.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.on('data', (name) => {
      names.push(String(name));
      for (const look of waiting) look();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: String((server.address() as AddressInfo).port),
    names,
    gone,
    until: (count: number) =>
      new Promise<void>((resolve) => {
        const look = () => names.length >= count && resolve();
        waiting.push(look);
        look();
      }),
    [Symbol.dispose]: () => void server.close(),
  };
}

test('a right client is right everywhere: exit 0, a table on stdout, progress on stderr', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, right);
  const only = 'clean,empty-reply,empty-200,reset-at-same-offset,status-404';
  const { code, stdout, stderr } = await reknit(
    ['conformance', '--only', only, '--', process.execPath, client, '{url}', '{file}'],
    { env: { TMPDIR: folder.path } },
  );
  const text = stdout.toString();
  expect(text).toMatch(/✓ clean +healed +1\.00× +1 request /);
  expect(text).toMatch(/✓ empty-reply +healed +1\.00× +3 requests /);
  expect(text).toMatch(/~ reset-at-same-offset +failed safely +\d\.\d\d× +5 requests .*could have healed/);
  expect(text).toMatch(/✓ status-404 +failed safely .*nobody can heal this/);
  expect(text).toMatch(/✗ empty-200 +CORRUPT .*only a part of the file, only a digest can tell/);
  expect(text).toMatch(/3 right, 1 safe, 1 wrong \(1 corrupt\)$/m);
  expect(stderr).toContain('[5/5]');
  expect(code).toBe(5);
  expect(await readdir(folder.path)).toEqual(['client.mjs']);
});

test('right and safe together are exit 0', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, right);
  const { code, stdout } = await reknit([
    ...['conformance', '--only', 'clean,reset-at-same-offset,status-404', '--quiet', '--'],
    ...[process.execPath, client, '{url}', '{file}'],
  ]);
  expect(stdout.toString()).toMatch(/2 right, 1 safe, 0 wrong$/m);
  expect(code).toBe(0);
});

test('a client that takes a cut for the end is corrupt: exit 5', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, corrupt);
  const { code, stdout } = await reknit([
    ...['conformance', '--only', 'fin,etag-change,status-404,clean', '--json', '--quiet', '--seed', '7', '--'],
    ...[process.execPath, client, '{url}', '{file}'],
  ]);
  const lines = jsonLines(stdout);
  const verdicts = Object.fromEntries(
    lines.filter(({ event }) => event === 'result').map(({ scenario, verdict, left }) => [scenario, [verdict, left]]),
  );
  expect(verdicts).toEqual({
    clean: ['healed', 'whole'],
    fin: ['corrupt', 'part'],
    'etag-change': ['corrupt', 'part'],
    'status-404': ['corrupt', 'other'],
  });
  expect(lines[0]).toMatchObject({ event: 'start', client: 'command', seed: 7, limitMs: 60_000 });
  expect(lines.at(-1)).toMatchObject({
    event: 'summary',
    verdicts: { healed: 1, 'failed-safely': 0, hung: 0, corrupt: 3 },
    judgements: { right: 1, safe: 0, wrong: 3 },
  });
  expect(code).toBe(5);
});

test('a client that hangs is killed at the limit with all that it has started: exit 5', async () => {
  await using folder = await createFolder();
  using register = await openRegister();
  const client = await clientIn(folder, hanging);
  const { code, stdout } = await reknit(
    [
      ...['conformance', '--only', 'reset-after-request', '--timeout', '4s', '--quiet', '--'],
      ...[process.execPath, client, '{url}', '{file}', register.port],
    ],
    { env: { TMPDIR: folder.path } },
  );
  expect(stdout.toString()).toMatch(/✗ reset-after-request +HUNG/);
  expect(code).toBe(5);
  expect([...register.names].sort()).toEqual(['child', 'grandchild']);
  await Promise.all(register.gone);
  expect(await readdir(folder.path)).toEqual(['client.mjs']);
});

test('Ctrl-C ends every client and leaves nothing: exit 130', async () => {
  await using folder = await createFolder();
  using register = await openRegister();
  const client = await clientIn(folder, hanging);
  const { child, ended } = start(
    [
      ...['conformance', '--only', 'reset-after-request,fin', '--quiet', '--jobs', '2', '--'],
      ...[process.execPath, client, '{url}', '{file}', register.port],
    ],
    { env: { TMPDIR: folder.path } },
  );
  await register.until(4);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toBe('reknit: interrupted; every client was ended and nothing is left behind\n');
  await Promise.all(register.gone);
  expect(await readdir(folder.path)).toEqual(['client.mjs']);
});

test('a process that a client leaves behind is ended, and does not delay the verdict', async () => {
  await using folder = await createFolder();
  using register = await openRegister();
  const client = await clientIn(folder, leaving);
  const { code, stdout } = await reknit([
    ...['conformance', '--only', 'clean', '--quiet', '--'],
    ...[process.execPath, client, '{url}', '{file}', register.port],
  ]);
  expect(stdout.toString()).toMatch(/✓ clean +healed/);
  expect(code).toBe(0);
  expect(register.names).toEqual(['left', 'left']);
  await Promise.all(register.gone);
});

test('without {file} the body is taken from stdout', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, right);
  const { code, stdout } = await reknit([
    ...['conformance', '--only', 'clean,503-once', '--quiet', '--', process.execPath, client, '{url}'],
  ]);
  expect(stdout.toString()).toMatch(/2 right, 0 safe, 0 wrong$/m);
  expect(code).toBe(0);
});

test('scenarios over TLS are left out with a reason where the client cannot do them', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, `if (process.argv[2].startsWith('https:')) process.exit(60);\n${right}`);
  const { code, stdout } = await reknit([
    ...['conformance', '--only', 'clean,tls-reset', '--quiet', '--', process.execPath, client, '{url}', '{file}'],
  ]);
  expect(stdout.toString()).toContain(
    "left out, as the client does not trust the lab's certificate; give it {cacert}: tls-reset",
  );
  expect(stdout.toString()).toMatch(/1 right, 0 safe, 0 wrong, 1 left out$/m);
  expect(code).toBe(0);
});

test('scenarios over TLS are played to a client that takes the authority from the environment', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, right);
  const { stdout } = await reknit([
    ...['conformance', '--only', 'tls-reset,tls-expired', '--quiet', '--', process.execPath, client, '{url}', '{file}'],
  ]);
  expect(stdout.toString()).toMatch(/✓ tls-reset +healed/);
  expect(stdout.toString()).toMatch(/✓ tls-expired +failed safely/);
});

test('a client that accepts an expired certificate is wrong though its bytes are right: exit 5', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';\n${right}`);
  const { code, stdout } = await reknit([
    ...['conformance', '--only', 'tls-expired', '--quiet', '--', process.execPath, client, '{url}', '{file}'],
  ]);
  expect(stdout.toString()).toMatch(/✗ tls-expired +healed .*accepted what must be refused/);
  expect(code).toBe(5);
});

test('a fault that the client never met is said', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, right);
  const { stdout } = await reknit([
    ...['conformance', '--only', 'reused-fin', '--quiet', '--', process.execPath, client, '{url}', '{file}'],
  ]);
  expect(stdout.toString()).toMatch(/✓ reused-fin +healed .*the fault was not met/);
});

test('scenarios of a file are played instead of the catalogue, with their expectation', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, right);
  await writeFile(
    folder.file('mine.yaml'),
    'name: gone\nexpect: fails\nrequests: [{ on: every, do: { kind: status, status: 410 } }]\n',
  );
  const { code, stdout } = await reknit([
    ...['conformance', '--scenarios', folder.file('mine.yaml'), '--quiet', '--'],
    ...[process.execPath, client, '{url}', '{file}'],
  ]);
  expect(stdout.toString()).toMatch(/from a file\n {2}✓ gone +failed safely .*nobody can heal this/);
  expect(code).toBe(0);
});

test('--html writes one page that loads nothing and holds every verdict', async () => {
  await using folder = await createFolder();
  const client = await clientIn(folder, corrupt);
  const { stderr } = await reknit([
    ...['conformance', '--only', 'clean,fin', '--quiet', '--html', folder.file('page.html'), '--'],
    ...[process.execPath, client, '{url}', '{file}', '<b>&"'],
  ]);
  expect(stderr).toBe(`reknit: the page is in ${folder.file('page.html')}\n`);
  const page = await readFile(folder.file('page.html'), 'utf8');
  expect(page).toContain('✓ healed');
  expect(page).toContain('✗ CORRUPT');
  expect(page).not.toMatch(/(?:src|href)="(?!data:)/);
  expect(page).not.toContain('<b>&"');
});

test('presets of reknit and of others stand side by side', async () => {
  const { code, stdout } = await reknit([
    ...['conformance', '--preset', 'reknit-get,fetch', '--only', 'clean,rst', '--size', '1MiB', '--quiet'],
  ]);
  const text = stdout.toString();
  expect(text).toMatch(/^reknit get · \d+\.\d+\.\d+/m);
  expect(text).toMatch(/✓ rst +healed +1\.00×/);
  expect(text).toMatch(/^fetch · Node\.js \d+/m);
  expect(text).toMatch(/~ rst +failed safely/);
  expect(code).toBe(0);
});

test('--list shows every scenario with what a right client does, and the presets', async () => {
  const { code, stdout } = await reknit(['conformance', '--list']);
  expect(stdout.toString()).toMatch(/ {2}etag-change +heal or fail +Three resets, then the file is another one/);
  expect(stdout.toString()).toMatch(/ {2}status-404 +nobody can heal/);
  expect(stdout.toString()).toMatch(/ {2}reknit-get-checksum +/);
  expect(code).toBe(0);
});

describe('bad input: exit 2, one line, nothing started', () => {
  const command = ['--', process.execPath, '-e', '0', '{url}', '{file}'];
  const wrong: readonly (readonly [args: readonly string[], line: string | RegExp])[] = [
    [[], 'Cannot judge a client as there must be a command behind -- or a --preset: received neither'],
    [
      ['--', 'curl', '-o', '{file}'],
      'Cannot judge the client as its command must have {url} where the URL belongs: received "curl -o {file}"',
    ],
    [
      ['--only', 'nonsense', ...command],
      'Cannot choose scenarios as a name must be that of a scenario or a family: received "nonsense"',
    ],
    [
      ['--only', 'etag', ...command],
      /^Cannot choose scenarios as .*: received "etag" \(similar: etag-change, etag-noifrange.*\)$/,
    ],
    [
      ['--only', 'clean', '--except', 'measured', ...command],
      'Cannot judge the client as at least one scenario must be left to play',
    ],
    [['--seed', 'x', ...command], 'Cannot use --seed as it must be a whole number: received "x"'],
    [['--jobs', '0', ...command], 'Cannot use --jobs as it must be a whole number of at least 1: received "0"'],
    [
      ['--timeout', '60', ...command],
      'Cannot use --timeout as it must be a duration of at least 100ms, such as 60s: received "60"',
    ],
    [['--size', '1KiB', ...command], 'Cannot use --size as it must be a size of at least 64KiB: received "1KiB"'],
    [['--preset', 'lynx'], /^Cannot use --preset as it must be all, or of reknit-get, .*: received "lynx"$/],
    [['--scenarios', '/no/such.yaml', ...command], /^\/no\/such\.yaml: cannot be read: ENOENT/],
    [['--preset', 'got'], 'the preset got needs the package got, which is not installed here: npm i got'],
    [
      ['--', '/no/such/client', '{url}'],
      'Cannot judge /no/such/client as it cannot be started: spawn /no/such/client ENOENT',
    ],
    [
      ['--', process.execPath, '-e', 'console.error("oops: no"); process.exit(3)', '{url}'],
      `Cannot judge ${process.execPath} as it ends with exit code 3 where nothing is wrong: oops: no`,
    ],
    [
      ['--', process.execPath, '-e', '0', '{url}', '{file}'],
      `Cannot judge ${process.execPath} as it reports success and has written no {file}`,
    ],
    [['--curl'], /unknown option '--curl'/],
  ];
  for (const [args, line] of wrong) {
    test(args.join(' ').replaceAll(process.execPath, 'node') || 'no arguments', async () => {
      await using folder = await createFolder();
      const { code, stdout, stderr } = await reknit(['conformance', '--quiet', ...args], {
        cwd: folder.path,
        env: { TMPDIR: folder.path },
      });
      expect([code, stdout.toString()]).toEqual([2, '']);
      const [first, ...rest] = stderr.replace(/^reknit: /, '').split('\n');
      expect(rest).toEqual(['']);
      if (typeof line === 'string') expect(first).toBe(line);
      else expect(first).toMatch(line);
      expect(await readdir(folder.path)).toEqual([]);
    });
  }
});
