/**
 * The command starts behind a gate: a shell that waits for one line and then becomes the command. Until the line comes,
 * whoever dies leaves nothing behind; and before it comes, the watcher knows the group. The gate also does what
 * Node.js cannot: it takes the terminal as its controlling one, and joins stderr to stdout, which keeps their order.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** A session leader without a terminal that opens one gets it as its own. */
const script = `
IFS= read -r go <&3 || exit 125
exec 3<&-
if [ -n "$1" ]; then : <>"$1"; fi
if [ "$2" = joined ]; then exec 2>&1; fi
shift 2
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

export interface Gated {
  readonly child: ChildProcess;
  open(): void;
}

export function spawnBehindGate({
  command,
  args,
  cwd,
  env,
  stdio,
  terminalPath = '',
  hidden,
  isJoined,
}: GateOptions): Gated {
  const nothing = hidden === undefined ? undefined : openSync('/dev/null', 'r');
  const options: SpawnOptions = { cwd, env, detached: true, stdio: [...stdio, 'pipe', ...covered(hidden, nothing)] };
  const words = [terminalPath, isJoined ? 'joined' : '', command, ...args];
  const child = spawn('/bin/sh', ['-c', script, 'reknit', ...words], options);
  if (nothing !== undefined) closeSync(nothing);
  const gate = child.stdio[3] as NodeJS.WritableStream;
  gate.on('error', () => {});
  return { child, open: () => gate.end('\n') };
}

/** Only another handle in its place keeps one from the command. */
function covered(hidden: number | undefined, nothing: number | undefined): readonly ('ignore' | number)[] {
  if (hidden === undefined || nothing === undefined) return [];
  return [...Array.from({ length: Math.max(0, hidden - FIRST_FREE) }, () => 'ignore' as const), nothing];
}

/** Behind stdin, stdout, stderr and the gate. */
const FIRST_FREE = 4;
