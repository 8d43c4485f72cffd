/** `reknit explain` as a person or a script meets it: arguments, pipes, exit codes, the JSON schema. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { jsonLines, reknit } from './command.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

async function pipe(input: string | Buffer, args: readonly string[] = []) {
  const child = spawn(process.execPath, [main, 'explain', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);

test('an argument is explained on stdout, ending in the one command to try next', async () => {
  const { code, stdout, stderr } = await reknit(['explain', 'curl: (6) Could not resolve host: nope.example.invalid']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.toString()).toContain('Name not found (ENOTFOUND) · nope.example.invalid');
  expect(stdout.toString()).toContain('phase   name lookup; nothing was sent');
  expect(lastLine(stdout.toString())).toBe('try next: getent ahosts nope.example.invalid');
});

test('a log on stdin may have colours, CRLF, and bytes that are no UTF-8', async () => {
  const log = Buffer.concat([
    Buffer.from([0x80, 0xff, 0x0d, 0x0a]),
    Buffer.from('\u001b[31mcurl: (56) Recv failure: Connection \u001b[0mreset by peer\r\n'),
  ]);
  const { code, stdout, stderr } = await pipe(log);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('line 2: curl: (56) Recv failure: Connection reset by peer');
});

test('an unknown text is said to be unknown, and none of it is shown: exit 1', async () => {
  const { code, stdout, stderr } = await pipe('something with hunter2 in it\n');
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout).toMatch(/^Unknown: nothing in this line is a text that reknit knows/);
  expect(stdout).not.toContain('hunter2');
});

test.each(['', ' \n'])('nothing to read is wrong usage: %j', async (text) => {
  const { code, stdout, stderr } = await reknit(['explain', text]);
  expect([code, stdout.toString(), stderr]).toEqual([
    2,
    '',
    'reknit: Cannot explain as the text is empty; see reknit explain --help\n',
  ]);
});

test('an empty stdin is wrong usage', async () => {
  expect(await pipe('')).toMatchObject({ code: 2, stdout: '' });
});

test('--json is one event in a stable schema', async () => {
  const { code, stdout } = await pipe(
    '2026-11-22T19:42:35Z GET https://me:hunter2@a.example.com/x failed: read ECONNRESET\n',
    ['--json'],
  );
  expect(code).toBe(0);
  expect(jsonLines(stdout)).toEqual([
    {
      event: 'explained',
      schema: 1,
      kind: 'explained',
      lineCount: 1,
      causes: [
        {
          id: 'errno-reset',
          tool: 'system',
          what: 'connection reset (ECONNRESET)',
          phaseText: 'not told by this text',
          failure: {
            origin: 'tcp',
            kind: 'reset',
            transient: true,
            mayHaveRun: true,
            row: 'reset',
            code: 'ECONNRESET',
          },
          means: expect.any(String),
          why: expect.any(String),
          repeat: { isSafe: 'depends', mayHelp: true, text: expect.any(String) },
          more: expect.any(String),
          next: { kind: 'command', text: 'reknit get https://a.example.com/x' },
          count: 1,
          firstLine: 1,
          lastLine: 1,
          firstTime: '2026-11-22T19:42:35Z',
          lastTime: '2026-11-22T19:42:35Z',
          hosts: ['a.example.com'],
          evidence: '2026-11-22T19:42:35Z GET https://***@a.example.com/x failed: read ECONNRESET',
          consequences: [],
        },
      ],
    },
  ]);
});

test('--json of an unknown text is an event, too: exit 1', async () => {
  const { code, stdout } = await pipe('hm\n', ['--json']);
  expect([code, jsonLines(stdout)]).toEqual([
    1,
    [{ event: 'unknown', schema: 1, kind: 'unknown', lineCount: 1, tools: [] }],
  ]);
});

const hasPip = spawnSync('pip', ['--version']).status === 0;
if (!hasPip) console.log('pip is not there: its real output is not explained');

test.skipIf(!hasPip)(
  'a real pip install whose index resets every connection ends in the command to try next',
  async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.resetAndDestroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const options = ['--isolated', '--no-cache-dir', '--disable-pip-version-check', '--retries', '1'];
    const pip = spawn(
      'pip',
      ['install', ...options, '--index-url', `http://127.0.0.1:${port}/simple`, 'reknit-probe==1.2'],
      {
        env: { PATH: process.env.PATH, HOME: '/nonexistent', PIP_CONFIG_FILE: '/dev/null' },
      },
    );
    const output: Buffer[] = [];
    for (const stream of [pip.stdout, pip.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
    await once(pip, 'close');
    server.close();
    const { code, stdout } = await pipe(Buffer.concat(output));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Connection reset \(ECONNRESET\)/);
    expect(stdout).toContain('repeat  Safe: pip only reads.');
    expect(lastLine(stdout)).toBe('try next: reknit run -- pip install reknit-probe==1.2');
  },
);
