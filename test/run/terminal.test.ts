/** `reknit run` on a terminal: the command has one, too, and what is typed is its own. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createFolder, main } from '../cli/command.ts';
import { hasProgram } from './servers.ts';

const hasPython = hasProgram('python3', '--version');
const driver = fileURLToPath(new URL('terminal.py', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** As `curl -#` on a terminal: a bar that writes over itself, and why it ended. */
const broken = 'echo "curl: (56) Recv failure: Connection reset by peer" >&2; exit 56';

interface Seen {
  readonly screen: string;
  readonly code: number;
  /** The terminal is set as it was before. */
  readonly isRestored: boolean;
}

interface Order {
  /** Once this was shown. */
  readonly after: string;
  readonly order: { readonly type: string } | { readonly resize: readonly [rows: number, columns: number] };
}

interface Wishes {
  readonly orders?: readonly Order[];
  readonly out?: string;
  readonly err?: string;
  readonly cwd?: string;
  readonly program?: string;
  readonly flags?: readonly string[];
}

async function onTerminal(script: string, wishes: Wishes = {}): Promise<Seen> {
  const { orders = [], out = 'tty', err = 'tty', cwd, program = main, flags = [] } = wishes;
  const command = [process.execPath, program, 'run', '--retry-delay', '1ms', ...flags, '--', 'sh', '-c', script];
  const child = spawn('python3', [driver, '33', '77', out, err, ...command], {
    cwd,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'pipe'],
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  let screen = '';
  const left = [...orders];
  child.stdout.on('data', (chunk: Buffer) => {
    screen += String(chunk);
    while (left[0] !== undefined && screen.includes(left[0].after)) {
      child.stdin.write(`${JSON.stringify(left.shift()!.order)}\n`);
    }
  });
  let report = '';
  child.stderr.on('data', (chunk: Buffer) => {
    report += String(chunk);
  });
  await new Promise((resolve) => child.once('close', resolve));
  const { code, isRestored } = JSON.parse(report.trim().split('\n').at(-1)!) as Seen;
  return { screen: screen.replaceAll('\r\n', '\n'), code, isRestored };
}

describe.skipIf(!hasPython)('on a terminal', () => {
  test('all three streams of the command are one, of the same size', async () => {
    const script = 'for n in 0 1 2; do [ -t $n ] && echo "tty $n"; done; stty size; tty';
    const { screen, code, isRestored } = await onTerminal(script);
    expect(screen).toMatch(/^tty 0\ntty 1\ntty 2\n33 77\n\/dev\/pts\/\d+\n/);
    expect([code, isRestored]).toEqual([0, true]);
  });

  test('a failure is read from it and repeated, with a terminal again', async () => {
    await using folder = await createFolder();
    const script = `[ -t 1 ] && printf '\\033[31m50 %%\\033[0m\\r'; echo run >>runs; [ -s done ] || { echo x >done; ${broken}; }; echo end`;
    const { screen, code } = await onTerminal(script, { cwd: folder.path });
    expect(screen.split('\x1b[31m50 %\x1b[0m\r')).toHaveLength(3);
    expect(screen).toMatch(/end\nreknit: done: 2 attempts/);
    expect(code).toBe(0);
    expect(await readFile(folder.file('runs'), 'utf8')).toBe('run\nrun\n');
  });

  test('what is typed at a prompt reaches the command, without an echo where it wants none', async () => {
    const script = 'stty -echo; printf \'password: \'; read -r word; stty echo; echo; echo "got $word"';
    const { screen, code, isRestored } = await onTerminal(script, {
      orders: [{ after: 'password: ', order: { type: 'secret\r' } }],
    });
    expect(screen).toMatch(/^password: \ngot secret\n/);
    expect([code, isRestored]).toEqual([0, true]);
  });

  test('Ctrl-C is the command’s, ends the run, and leaves the terminal as it was', async () => {
    await using folder = await createFolder();
    const script = `echo run >>runs; trap '${broken.replace('; exit 56', '')}; exit 130' INT; echo ready; while :; do sleep 0.05; done`;
    const { screen, code, isRestored } = await onTerminal(script, {
      cwd: folder.path,
      orders: [{ after: 'ready', order: { type: '\x03' } }],
    });
    expect([code, isRestored, screen]).toEqual([130, true, expect.stringContaining('interrupted')]);
    expect(await readFile(folder.file('runs'), 'utf8')).toBe('run\n');
  });

  test('Ctrl-C between attempts ends the run', async () => {
    const { code, isRestored } = await onTerminal(`${broken}`, {
      flags: ['--retry-delay', '1h', '--max-delay', '1h'],
      orders: [{ after: 'again in', order: { type: '\x03' } }],
    });
    expect([code, isRestored]).toEqual([130, true]);
  });

  test('Ctrl-D is the end of its input', async () => {
    const { screen, code } = await onTerminal('echo ready; cat; echo end', {
      orders: [{ after: 'ready', order: { type: 'line\r\x04' } }],
    });
    expect([code, screen]).toEqual([0, expect.stringMatching(/line\nline\nend\n/)]);
  });

  test('a change of size reaches the command', async () => {
    const script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done";
    const { screen, code } = await onTerminal(script, {
      orders: [{ after: 'ready', order: { resize: [50, 120] } }],
    });
    expect([code, screen]).toEqual([0, expect.stringContaining('50 120')]);
  });

  test('stdout into a file is none, and gets the bytes as they are, while messages have a terminal', async () => {
    await using folder = await createFolder();
    const script = "[ -t 1 ] && echo out; [ -t 2 ] && echo err >&2; printf 'a\\nb\\n'";
    const { screen, code } = await onTerminal(script, { out: folder.file('out') });
    expect([code, await readFile(folder.file('out'), 'utf8')]).toEqual([0, 'a\nb\n']);
    expect(screen).toMatch(/^err\n/);
  });

  test('nothing is left of it, and no process is stopped', async () => {
    const { code, isRestored } = await onTerminal('kill -KILL $$');
    expect([code, isRestored]).toEqual([137, true]);
  });

  test('without the library for terminals the command gets pipes, and it is said so', async () => {
    await using folder = await createFolder();
    await cp(join(root, 'dist'), folder.file('dist'), { recursive: true });
    await cp(join(root, 'package.json'), folder.file('package.json'));
    for (const name of ['commander', 'undici', 'yaml']) {
      await mkdir(dirname(folder.file(`node_modules/${name}`)), { recursive: true });
      await symlink(join(root, 'node_modules', name), folder.file(`node_modules/${name}`));
    }
    const { screen, code } = await onTerminal('[ -t 1 ] || echo piped; exit 4', {
      program: folder.file('dist/cli/main.js'),
    });
    expect(code).toBe(4);
    expect(screen).toMatch(/^reknit: there is no pseudo-terminal for \w+ \w+ here: the command gets pipes\npiped\n/);
  });
});
