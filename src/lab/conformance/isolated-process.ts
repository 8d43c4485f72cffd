import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ProcessEnd } from './verdict-of.ts';

export interface ProcessPlan {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly limitMs: number;
  /** A file that takes stdout. */
  readonly stdoutTo?: string;
  /** Kills the group at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface Ended {
  readonly end: ProcessEnd;
  readonly durationMs: number;
  /** The last message that it wrote to stderr, or else to stdout. */
  readonly said: string;
}

/**
 * Runs a command in a process group of its own, which is killed as a whole at the limit, at the abort, when its
 * leader has ended, and when this process ends: nothing that stays in the group is left behind.
 * @throws the system's error where the program cannot be started, the signal's reason after an abort.
 */
export async function runIsolated(plan: ProcessPlan): Promise<Ended> {
  plan.signal?.throwIfAborted();
  const startedAtMs = performance.now();
  const child = start(plan);
  const group = new Group(child);
  const said = lastLineOf(child.stderr);
  const printed = lastLineOf(child.stdout);
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    group.kill();
  }, plan.limitMs);
  const onAbort = () => group.kill();
  plan.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const end = await endOf(child, group);
    const durationMs = performance.now() - startedAtMs;
    plan.signal?.throwIfAborted();
    return { end: isTimedOut ? { kind: 'timed-out' } : end, durationMs, said: said() || printed() };
  } finally {
    clearTimeout(timer);
    plan.signal?.removeEventListener('abort', onAbort);
    group.kill();
    group.forget();
  }
}

function start({ command, cwd, env, stdoutTo }: ProcessPlan): ChildProcess {
  const [program = '', ...args] = command;
  const stdout = stdoutTo === undefined ? 'pipe' : openSync(stdoutTo, 'w');
  try {
    return spawn(program, args, { cwd, env, stdio: ['ignore', stdout, 'pipe'], detached: true });
  } finally {
    if (typeof stdout === 'number') closeSync(stdout);
  }
}

/** Processes that a client has left behind may hold its pipes open, so that they are ended before the pipes are awaited. */
function endOf(child: ChildProcess, group: Group): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => group.kill());
    child.once('close', (code, signal) => {
      resolve(code === null ? { kind: 'crashed', by: String(signal) } : { kind: 'exited', code });
    });
  });
}

const living = new Set<Group>();

/** A child and all that it has started, as far as they stay in its process group. */
class Group {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    if (living.size === 0) process.on('exit', killAll);
    living.add(this);
  }

  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      // Windows has no process groups; there the leader alone is ended.
      if (process.platform === 'win32') this.#child.kill('SIGKILL');
      else process.kill(-pid, 'SIGKILL');
    } catch (error) {
      // ESRCH: all are gone. EPERM (macOS): only zombies are left.
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }

  forget(): void {
    living.delete(this);
    if (living.size === 0) process.off('exit', killAll);
  }
}

function killAll(): void {
  for (const group of living) group.kill();
}

const tailBytes = 4096;

function lastLineOf(stream: Readable | null): () => string {
  let tail = '';
  stream?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-tailBytes);
  });
  return () => {
    const lines = tail.split(/[\r\n]+/).filter((line) => /[\p{L}\p{N}]/u.test(line));
    // `curl: (60) …` says more than the lines of advice that follow it.
    const line = lines.findLast((each) => /^[\w./-]+: /.test(each)) ?? lines.at(-1);
    return line?.trim() ?? '';
  };
}
