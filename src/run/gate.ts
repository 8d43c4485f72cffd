/**
 * The command starts behind a gate: a shell that waits for one line and then becomes the command. Until the line comes,
 * whoever dies leaves nothing behind; and before it comes, the watcher knows the group. The gate also does what
 * Node.js cannot: it takes the terminal as its controlling one, joins stderr to stdout, which keeps their order, and makes
 * true pipes. What Node.js calls a pipe is a pair of sockets, and a command can tell: it cannot open `/dev/stdout` then, and
 * a reader that has left is a reset to it instead of a SIGPIPE.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * A here-document is an anonymous pipe (in dash; in bash from 5.1 on), and Linux opens the other end of one by its name in
 * `/proc`. Where either is not so, the gate says `sockets` and leaves what Node.js gave it.
 * A session leader without a terminal that opens one gets it as its own.
 */
const script = `
has=sockets
if [ -n "$3" ]; then
  exec 5<<X 6<<X 7<<X
x
X
x
X
x
X
  IFS= read -r x <&5; IFS= read -r x <&6; IFS= read -r x <&7
  if [ -p /proc/self/fd/5 ] && [ -p /proc/self/fd/6 ] && [ -p /proc/self/fd/7 ]; then
    has=pipes
    exec 8>/proc/self/fd/6 9>/proc/self/fd/7
  fi
fi
echo "$has" >&3
IFS= read -r go <&3 || exit 125
exec 3<&-
if [ -n "$1" ]; then : <>"$1"; fi
if [ "$go" = pipes ]; then
  case $3 in *0*) exec <&5;; esac
  case $3 in *1*) exec >&8;; esac
  case $3 in *2*) exec 2>&9;; esac
fi
if [ -n "$3" ]; then exec 5<&- 6<&- 7<&- 8>&- 9>&-; fi
if [ "$2" = joined ]; then exec 2>&1; fi
shift 3
exec "$@"
`;

export type Stream = number | 'inherit' | 'ignore' | 'pipe';

export interface GateOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: readonly [stdin: Stream, stdout: Stream, stderr: Stream];
  /** The path of the terminal that is to be the command's own. */
  readonly terminalPath: string | undefined;
  /** A handle of ours that would be inherited otherwise: the other end of the terminal. */
  readonly hidden: number | undefined;
  /** Both streams are one. */
  readonly isJoined: boolean;
}

/** Our ends of what the command reads and writes. */
export interface Ends {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
}

export interface Gated {
  readonly child: ChildProcess;
  /** Resolves when the command may begin; without ends where the gate is gone. */
  readonly ready: Promise<Ends | undefined>;
  open(): void;
}

export function spawnBehindGate(options: GateOptions): Gated {
  const { command, args, cwd, env, stdio, terminalPath = '', hidden, isJoined } = options;
  const piped = stdio.flatMap((stream, index) => (stream === 'pipe' ? [index] : [])).join('');
  const nothing = hidden === undefined ? undefined : openSync('/dev/null', 'r');
  const spawnOptions: SpawnOptions = {
    cwd,
    env,
    detached: true,
    stdio: [...stdio, 'pipe', ...covered(hidden, nothing)],
  };
  const words = [terminalPath, isJoined ? 'joined' : '', piped, command, ...args];
  const child = spawn('/bin/sh', ['-c', script, 'reknit', ...words], spawnOptions);
  if (nothing !== undefined) closeSync(nothing);
  const gate = child.stdio[3] as Duplex;
  gate.on('error', () => {});
  let has = 'sockets';
  const ready = firstLine(gate).then((line) => {
    if (line === undefined) return undefined;
    const pipes = line === 'pipes' ? openPipes(child, piped) : undefined;
    if (pipes !== undefined) has = 'pipes';
    return pipes ?? socketsOf(child);
  });
  return { child, ready, open: () => gate.end(`${has}\n`) };
}

function firstLine(stream: Duplex): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += String(chunk);
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    stream.once('close', () => resolve(undefined));
  });
}

/** Where the gate holds each pipe until the command begins. */
const FIRST_PIPE = 5;
const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/** Handles of our own on the gate's pipes: that ours never block is no concern of the command's. */
function openPipes(child: ChildProcess, piped: string): Ends | undefined {
  const opened = new Map<number, number>();
  try {
    for (const index of [...piped].map(Number)) {
      const path = `/proc/${child.pid}/fd/${FIRST_PIPE + index}`;
      opened.set(index, openSync(path, (index === 0 ? O_WRONLY : O_RDONLY) | O_NONBLOCK));
    }
  } catch {
    for (const handle of opened.values()) closeSync(handle);
    return undefined;
  }
  for (const socket of [child.stdin, child.stdout, child.stderr]) socket?.on('error', () => {}).destroy();
  const end = (index: number) => {
    const fd = opened.get(index);
    if (fd === undefined) return undefined;
    return new Socket({ fd, readable: index !== 0, writable: index === 0 });
  };
  return { stdin: end(0), stdout: end(1), stderr: end(2) };
}

function socketsOf({ stdin, stdout, stderr }: ChildProcess): Ends {
  return { stdin: stdin ?? undefined, stdout: stdout ?? undefined, stderr: stderr ?? undefined };
}

/** Only another handle in its place keeps one from the command. */
function covered(hidden: number | undefined, nothing: number | undefined): readonly ('ignore' | number)[] {
  if (hidden === undefined || nothing === undefined) return [];
  return [...Array.from({ length: Math.max(0, hidden - FIRST_FREE) }, () => 'ignore' as const), nothing];
}

/** Behind stdin, stdout, stderr and the gate. */
const FIRST_FREE = 4;
